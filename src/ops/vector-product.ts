/** `mcu`: a convolution of one pixel, or a fully connected layer of one row, with its weights in lanes: src/plan/vector-lanes.ts. */
import type { BoundNode } from "../graph/graph.ts";
import { elementCount } from "../graph/graph.ts";
import type { Segments } from "../plan/packing.ts";
import type { Variant } from "../plan/variant.ts";
import { requireOutput } from "./check.ts";
import { isInt16 } from "./int16.ts";

/** Products from which on the kernel's own code, a kilobyte in the interpreter's flash and 3.5 in its RAM, is worth having. */
const MIN_MACS = 4096;
/** Its time for a product, of that of the usual kernel. */
const WORK = 0.6;

/** Whether the node may run so; `patch` is what a pixel sees. */
export function isVectorProduct(node: BoundNode, variant: Variant, patch: Segments, macs: number): boolean {
  const output = requireOutput(node.outputs);
  const isOnePixel = elementCount(output.shape) === output.shape.at(-1);
  return variant === "mcu" && !isInt16(node) && isOnePixel && patch.segments === 1 && macs >= MIN_MACS;
}

/** As `work` of an OpDefinition. */
export function vectorWork(macs: number): number {
  return WORK * macs;
}
