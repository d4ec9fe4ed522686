import type { Graph } from "../graph/graph.ts";
import { verifyOperators } from "../ops/verify.ts";
import { depthwiseToConvolution } from "./depthwise-to-convolution.ts";
import { dropConstantChannels } from "./drop-constant-channels.ts";
import { foldConstants } from "./fold-constants.ts";
import { foldPad } from "./fold-pad.ts";
import { moveBorderToHost } from "./move-border-to-host.ts";
import { removeDeadNodes } from "./remove-dead-nodes.ts";
import { removeIdentities } from "./remove-identities.ts";
import { sinkTranspose } from "./sink-transpose.ts";
import { trimKernels } from "./trim-kernels.ts";

/** One rewrite: the same function of the same inputs, bit for bit, in another shape. */
export interface Pass {
  readonly name: string;
  /** The rewritten graph, or the same if there is nothing to do. */
  readonly apply: (graph: Graph) => Graph;
}

/** The default passes, in order. */
export const PASSES: readonly Pass[] = [
  // Later passes then see producers and consumers that really compute.
  { name: "removeIdentities", apply: removeIdentities },
  // Shapes and small constants that exporters leave as operators.
  { name: "foldConstants", apply: foldConstants },
  // A padded copy of a feature map is often the largest tensor of a model.
  { name: "foldPad", apply: foldPad },
  // One input channel fills no vector in a depthwise kernel; as a convolution its filters do.
  { name: "depthwiseToConvolution", apply: depthwiseToConvolution },
  // Kernels larger than the last feature maps multiply padding.
  { name: "trimKernels", apply: trimKernels },
  // Training leaves filters empty, more than half of them in some layers.
  { name: "dropConstantChannels", apply: dropConstantChannels },
  // A mean makes the tensor small; its transpose is then free.
  { name: "sinkTranspose", apply: sinkTranspose },
  // A float copy of an input takes four times its int8 bytes.
  { name: "moveBorderToHost", apply: moveBorderToHost },
  // What nobody reads, from the file or since the passes before, would still be run.
  { name: "removeDeadNodes", apply: removeDeadNodes },
];

/**
 * Applies passes in order and verifies the graph after each.
 * @throws ModelError a pass that broke the graph: a bug of thimble's
 */
export function runPasses(graph: Graph, passes: readonly Pass[]): Graph {
  return passes.reduce((current, pass) => {
    const next = pass.apply(current);
    if (next !== current) verifyOperators(next, pass.name);
    return next;
  }, graph);
}
