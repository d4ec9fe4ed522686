/** `mcu`: a convolution of one pixel, or a fully connected layer of one row, with its weights in lanes: src/plan/lane-rows.ts. */
import type { BoundNode } from "../graph/graph.ts";
import { filledDepth, LANE_ROWS } from "../plan/lane-rows.ts";
import type { Segments } from "../plan/packing.ts";
import { align } from "../plan/packing.ts";
import { elementCount } from "../plan/shape.ts";
import type { Variant } from "../plan/variant.ts";
import { requireOutput } from "./check.ts";
import { isInt16 } from "./int16.ts";

/** Products from which on the kernel's own code, a kilobyte in the interpreter's flash and 3.5 in its RAM, is worth having. */
const MIN_MACS = 4096;
/** Its time for a weight, of those that fill up rows and columns too, in that of the usual kernel's for a product. */
const WORK = 0.49;
/** And of an element of the vector to prepare. */
const PREPARE = 3;

/** Whether the node may run so, and takes less time; `patch` is what its pixel sees. */
export function isVectorProduct(node: BoundNode, variant: Variant, patch: Segments): boolean {
  const output = requireOutput(node.outputs);
  const isOnePixel = elementCount(output.shape) === output.shape.at(-1);
  if (variant !== "mcu" || isInt16(node) || !isOnePixel || patch.segments !== 1) return false;
  const macs = elementCount(output.shape) * patch.length;
  return macs >= MIN_MACS && vectorWork(node, patch.length) < macs;
}

/** `work` of an OpDefinition, for rows of `depth` weights. */
export function vectorWork({ outputs }: Pick<BoundNode, "outputs">, depth: number): number {
  const rows = align(elementCount(requireOutput(outputs).shape), LANE_ROWS);
  return (WORK * rows + PREPARE) * filledDepth(depth);
}
