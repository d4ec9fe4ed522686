import { consumersOf, replaceNodes } from "../graph/edit.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { tensorOf } from "../graph/graph.ts";
import { sameQuantization } from "../ops/check.ts";
import type { ConvolutionAttrs } from "../ops/convolution.ts";
import type { PadAttrs } from "../ops/pad.ts";

/** What one PAD, or several in a row, have added around a tensor. */
type Padding = Pick<ConvolutionAttrs, "padTop" | "padLeft" | "padBottom" | "padRight">;

const NONE: Padding = { padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 };

const CONVOLUTIONS = ["conv2d", "depthwiseConv2d"];

/**
 * PAD over height and width, read by convolutions, becomes their padding: both fill with the input's zero point, and
 * padding adds up. The PAD stays for other readers. Pools average over what is not padding, and so keep it.
 */
export function foldPad(graph: Graph): Graph {
  const padded = new Map<number, { readonly input: number; readonly padding: Padding }>();
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    const [input = -1, ...constants] = node.inputs;
    const before = padded.get(input);
    if (isSpatialPad(graph, node)) {
      const padding = sum(before?.padding ?? NONE, paddingOf(node.attrs as PadAttrs));
      padded.set(node.outputs[0] ?? -1, { input: before?.input ?? input, padding });
    } else if (before !== undefined && CONVOLUTIONS.includes(node.op)) {
      const attrs = node.attrs as ConvolutionAttrs;
      const inputs = [before.input, ...constants];
      replacements.set(node, [{ ...node, inputs, attrs: { ...attrs, ...sum(attrs, before.padding) } }]);
    }
  }
  if (replacements.size === 0) return graph;

  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs);
  // From the last: a PAD goes once all its readers have folded it or are gone.
  for (const node of graph.nodes.toReversed()) {
    const [output = -1] = node.outputs;
    const readers = consumers.get(output) ?? [];
    if (!padded.has(output) || outputs.has(output) || readers.length === 0) continue;
    if (readers.every((reader) => replacements.has(reader))) replacements.set(node, []);
  }
  return replaceNodes(graph, replacements);
}

function isSpatialPad(graph: Graph, node: Node): boolean {
  if (node.op !== "pad") return false;
  const { before, after } = node.attrs as PadAttrs;
  if (before.length !== 4 || [0, 3].some((axis) => before[axis] !== 0 || after[axis] !== 0)) return false;
  const [input = -1] = node.inputs;
  const [output = -1] = node.outputs;
  return sameQuantization(tensorOf(graph, input), tensorOf(graph, output));
}

function paddingOf({ before, after }: PadAttrs): Padding {
  const [, padTop = 0, padLeft = 0] = before;
  const [, padBottom = 0, padRight = 0] = after;
  return { padTop, padLeft, padBottom, padRight };
}

function sum(a: Padding, b: Padding): Padding {
  return {
    padTop: a.padTop + b.padTop,
    padLeft: a.padLeft + b.padLeft,
    padBottom: a.padBottom + b.padBottom,
    padRight: a.padRight + b.padRight,
  };
}
