import type { BoundNode, Tensor } from "../graph/graph.ts";
import { align } from "../plan/packing.ts";
import { storageFlip, type Variant } from "../plan/variant.ts";
import type { Addresses, Packed, Place } from "./op.ts";
import { NOWHERE } from "./op.ts";

/** Constant operands in storage form, each 16-aligned behind the one before; undefined if all are activations. */
export function packConstants(node: BoundNode, variant: Variant): Packed | undefined {
  const bytes = new Uint8Array(constantOffset(node, node.inputs.length));
  if (bytes.length === 0) return undefined;
  for (const [index, tensor] of node.inputs.entries()) {
    if (tensor?.data !== undefined) bytes.set(storedConstant(tensor, variant), constantOffset(node, index));
  }
  const blockChannels = node.outputs[0]?.shape.at(-1) ?? 1;
  return { bytes, blocks: 1, blockBytes: bytes.length, blockChannels, fields: {} };
}

/** Where operand `index` of a record lies: an activation in the arena, a constant in what `packConstants` has made. */
export function operandPlace(node: BoundNode, at: Addresses, index: number): Place {
  if (node.inputs[index]?.data === undefined) return at.inputs[index] ?? NOWHERE;
  return { address: at.packed + constantOffset(node, index) };
}

/** Where operand `index` begins in what `packConstants` makes, if it is a constant. */
function constantOffset({ inputs }: BoundNode, index: number): number {
  return inputs.slice(0, index).reduce((end, tensor) => end + align(tensor?.data?.length ?? 0, 16), 0);
}

/** A constant's bytes as the variant stores such activations. */
function storedConstant({ data, type }: Tensor, variant: Variant): Uint8Array {
  const flip = type === "int8" ? storageFlip(variant) : 0;
  return (data ?? new Uint8Array(0)).map((byte) => byte ^ flip);
}
