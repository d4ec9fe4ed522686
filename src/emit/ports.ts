import { UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { tensorOf } from "../graph/graph.ts";
import type { PortType } from "../plan/port-type.ts";
import { isPortType } from "../plan/port-type.ts";
import type { Program } from "../schedule/program.ts";
import type { Port } from "./image.ts";

/**
 * The inputs or outputs of a program whose values lie where `addressOf` says.
 * @throws UnsupportedError unsupported-type
 */
export function ports(
  program: Program,
  side: "inputs" | "outputs",
  addressOf: (value: number | undefined) => number,
): Port[] {
  const { graph } = program;
  return graph[side].map((id, index) => {
    const stored = tensorOf(graph, id);
    const outer = graph.border?.[side][index];
    const tensor = outer === undefined ? stored : tensorOf(graph, outer);
    const rows = side === "inputs" ? program.inputRows[index] : undefined;
    const [type, storedType] = [portType(tensor), portType(stored)];
    const port = {
      name: tensor.name,
      shape: tensor.shape,
      type,
      scale: stored.quantization?.scales[0] ?? 1,
      zeroPoint: stored.quantization?.zeroPoints[0] ?? 0,
      storedType,
    };
    const value = program.valueOf(id);
    return rows === undefined
      ? { ...port, address: addressOf(value), value: value ?? -1 }
      : { ...port, address: 0, value: -1, rows };
  });
}

function portType({ name, type }: Tensor): PortType {
  if (isPortType(type)) return type;
  throw new UnsupportedError(
    "unsupported-type",
    `"${name}" is ${type}, which inputs and outputs of a model are not here; cast it to int32`,
  );
}
