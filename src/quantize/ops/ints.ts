import { ModelError } from "../../errors.ts";
import type { FileNode } from "../operator.ts";

/** The values of a constant int32 operand: axes, shapes, paddings. @throws ModelError float-constant */
export function readInts(node: FileNode, index: number, role: string): number[] {
  const tensor = node.operands[index];
  if (tensor?.type !== "int32" || tensor.data === undefined) {
    throw new ModelError(
      "float-constant",
      `"${node.name}": its ${role} must be an int32 constant; export with fixed sizes`,
    );
  }
  const { data } = tensor;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.byteLength / 4 }, (_, i) => view.getInt32(4 * i, true));
}
