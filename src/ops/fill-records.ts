import type { TensorType } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import { storageFlip, type Variant } from "../plan/variant.ts";
import { copyRecords, elementLoop } from "./copy.ts";
import type { LoweredRecord, Packed } from "./op.ts";
import { ONE_ROW } from "./view.ts";

/** One element of a tensor as a packed constant, for `fillRecords` to repeat. */
export function packElement({ type, shape }: TensorType, value: number, variant: Variant): Packed {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  if (type === "float32") view.setFloat32(0, value, true);
  else view.setInt32(0, value, true);
  const length = elementBytes(type);
  bytes.fill(0, length);
  if (type === "int8") bytes[0] = (bytes[0] ?? 0) ^ storageFlip(variant);
  return { bytes, blocks: 1, blockBytes: bytes.length, blockChannels: shape.at(-1) ?? 1, fields: {} };
}

/** Repeats the element at `element` over a whole tensor at `address`. */
export function fillRecords(
  tensor: TensorType,
  element: number,
  address: number,
  index: number | "packed" = "packed",
): LoweredRecord[] {
  const bytes = elementBytes(tensor.type);
  return copyRecords(
    [{ size: elementCount(tensor.shape), input: 0, output: bytes }, elementLoop(bytes)],
    { address: element, ...ONE_ROW, index },
    { address, ...ONE_ROW },
  );
}
