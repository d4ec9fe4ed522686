import { addTensors, consumersOf, replaceNodes } from "../graph/edit.ts";
import type { Graph, Node, Quantization, Tensor } from "../graph/graph.ts";
import { bind, tensorOf } from "../graph/graph.ts";
import { perTensor } from "../ops/check.ts";
import { int32Values, int8Values } from "../ops/convolution.ts";
import { opOf } from "../ops/index.ts";
import type { ChannelRanges } from "./channel-ranges.ts";
import { channelRanges, isPadded } from "./channel-ranges.ts";

/** Channels are dropped down to an even number: the vector kernels multiply pairs, and blocks of eight cost no less time than pairs. */
const MULTIPLE = 2;

/** Constant channels of all tensors together, at the most: reports list them, and a small file may ask for any number. */
const MAX_CONSTANTS = 2 ** 16;

/**
 * Channels that are the same whatever the inputs are (filters that training has emptied, or whose bias never leaves the clamp) need no
 * computing: what they add to the next layer's sums goes to its bias. They are dropped where convolutions make them and convolutions read
 * them, with what carries them over in between (depthwise convolutions, pools, reshapes), and stay where others read them.
 */
export function dropConstantChannels(graph: Graph): Graph {
  const ranges = channelRanges(graph);
  const dropped = droppedChannels(graph, ranges);
  if (dropped.size === 0) return graph;

  const added: Tensor[] = [];
  const add = (tensor: Omit<Tensor, "id">): number => {
    const id = graph.tensors.length + added.length;
    added.push({ ...tensor, id });
    return id;
  };
  const renamed = new Map<number, number>();
  for (const [id, kept] of dropped) {
    const { shape, name, ...like } = tensorOf(graph, id);
    const left = new Set(kept);
    const channels = Array.from(ranges.get(id)?.low ?? [], (value, c) => [c, value] as const).filter(
      ([c]) => !left.has(c),
    );
    const fewer = [...shape.slice(0, -1), kept.length];
    renamed.set(
      id,
      add({ ...like, name: `${name} (less constants)`, shape: fewer, lacks: { of: id, channels } }),
    );
  }
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    const [input = -1, weights = -1, bias = -1] = node.inputs;
    const [output = -1] = node.outputs;
    const reads = dropped.get(input);
    const makes = dropped.get(output);
    if (reads === undefined && makes === undefined) continue;
    const inputs = [renamed.get(input) ?? input];
    if (opOf(node).channelMultipliers !== undefined) {
      const kept = { inputs: reads, outputs: makes };
      inputs.push(add(fewerWeights(node, tensorOf(graph, weights), kept)));
      inputs.push(add(fewerBias(graph, node, bias, kept, ranges.get(input))));
    } else {
      inputs.push(...node.inputs.slice(1));
    }
    const attrs = makes === undefined ? node.attrs : withChannels(node.attrs, makes.length);
    replacements.set(node, [{ ...node, inputs, outputs: [renamed.get(output) ?? output], attrs }]);
  }
  return addTensors(replaceNodes(graph, replacements), added);
}

/** Attributes that state a shape, whose last dimension is the channels. */
function withChannels(attrs: unknown, channels: number): unknown {
  const { shape } = (attrs ?? {}) as { readonly shape?: readonly number[] };
  return shape === undefined ? attrs : { ...(attrs as object), shape: [...shape.slice(0, -1), channels] };
}

/** Of the tensors that lose channels, those that are left. */
function droppedChannels(
  graph: Graph,
  ranges: ReadonlyMap<number, ChannelRanges>,
): Map<number, readonly number[]> {
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs);
  // Tensors that have the same channels, one from another: dropped together, or not.
  const groups = new Map<number, { readonly droppable: boolean[]; readonly tensors: number[] }>();
  for (const node of graph.nodes) {
    const [output = -1] = node.outputs;
    const known = ranges.get(output);
    if (known === undefined) continue;
    const carried = carriesChannels(graph, node);
    const group = carried ? groups.get(node.inputs[0] ?? -1) : undefined;
    const readers = consumers.get(output) ?? [];
    const mayGo =
      !outputs.has(output) &&
      readers.length > 0 &&
      (carried ? group !== undefined : makesChannels(graph, node)) &&
      readers.every((reader) =>
        carriesChannels(graph, reader) ? ranges.has(reader.outputs[0] ?? -1) : makesChannels(graph, reader),
      );
    // Where a reader pads, a channel also holds zero points: it is constant only if its value is the zero point. A padded operator that
    // carries channels needs no check: its own output is then not constant, and the group keeps the channel.
    const meetsPadding = readers.some((reader) => makesChannels(graph, reader) && isPadded(reader.attrs));
    const padding = meetsPadding ? perTensor(tensorOf(graph, output), "input").zeroPoint : undefined;
    const droppable = Array.from(known.low, (value, c) => {
      return mayGo && value === known.high[c] && (padding === undefined || value === padding);
    });
    if (group === undefined) {
      groups.set(output, { droppable, tensors: [output] });
      continue;
    }
    for (const [c, may] of droppable.entries()) group.droppable[c] &&= may;
    group.tensors.push(output);
    groups.set(output, group);
  }

  const left = new Map<number, readonly number[]>();
  let constants = 0;
  for (const { droppable, tensors } of new Set(groups.values())) {
    const channels = droppable.length;
    const live = droppable.filter((drop) => !drop).length;
    let spare = Math.max(Math.ceil(live / MULTIPLE), 1) * MULTIPLE - live;
    const kept = droppable.flatMap((drop, c) => (!drop || spare-- > 0 ? [c] : []));
    if (kept.length === channels) continue;
    for (const id of tensors) left.set(id, kept);
    constants += tensors.length * (channels - kept.length);
  }
  return constants > MAX_CONSTANTS ? new Map<number, readonly number[]>() : left;
}

/** Whether it has weights for each of its input's channels, and makes new ones: channels of either side can go. */
function makesChannels(graph: Graph, node: Node): boolean {
  const bound = bind(graph, node);
  const [input, weights] = bound.inputs;
  const op = opOf(node);
  return (
    input?.type === "int8" &&
    op.channelMultipliers !== undefined &&
    op.carriesChannels?.(bound) !== true &&
    weights?.shape.at(-1) === input.shape.at(-1)
  );
}

/** Whether it passes int8 channels on. */
function carriesChannels(graph: Graph, node: Node): boolean {
  const bound = bind(graph, node);
  const [input] = bound.inputs;
  const [output] = bound.outputs;
  return input?.type === "int8" && output?.type === "int8" && opOf(node).carriesChannels?.(bound) === true;
}

/** The channels that are left, where some are dropped. */
interface Kept {
  readonly inputs: readonly number[] | undefined;
  readonly outputs: readonly number[] | undefined;
}

function fewerWeights(node: Node, weights: Tensor, kept: Kept): Omit<Tensor, "id"> {
  const { name, shape, quantization } = weights;
  const values = int8Values(weights);
  const [filters = 1] = shape;
  const last = shape.at(-1) ?? 1;
  const rows = values.length / filters / last;
  const isDepthwise = opOf(node).filterPerChannel === true;
  const outer = isDepthwise ? undefined : kept.outputs;
  const inner = isDepthwise ? kept.outputs : kept.inputs;
  const outerLeft = outer ?? Array.from({ length: filters }, (_, f) => f);
  const innerLeft = inner ?? Array.from({ length: last }, (_, k) => k);
  const data = new Uint8Array(outerLeft.length * rows * innerLeft.length);
  let at = 0;
  for (const f of outerLeft) {
    for (let row = 0; row < rows; row++) {
      for (const k of innerLeft) data[at++] = values[(f * rows + row) * last + k] ?? 0;
    }
  }
  return {
    name: `${name} (less constants)`,
    type: "int8",
    shape: [outerLeft.length, ...shape.slice(1, -1), innerLeft.length],
    data,
    ...(quantization === undefined ? {} : { quantization: fewerScales(quantization, kept.outputs) }),
  };
}

function fewerScales(quantization: Quantization, kept: readonly number[] | undefined): Quantization {
  const { scales, axis } = quantization;
  if (kept === undefined || scales.length === 1) return quantization;
  return {
    scales: Float32Array.from(kept, (c) => scales[c] ?? 1),
    zeroPoints: new Int32Array(kept.length),
    axis,
  };
}

/** The bias of the outputs that are left, with what the dropped inputs add; sums wrap, as the reference's do. */
function fewerBias(
  graph: Graph,
  node: Node,
  id: number,
  kept: Kept,
  ranges: ChannelRanges | undefined,
): Omit<Tensor, "id"> {
  const input = tensorOf(graph, node.inputs[0] ?? -1);
  const weights = tensorOf(graph, node.inputs[1] ?? -1);
  const before = id < 0 ? undefined : int32Values(tensorOf(graph, id));
  const values = int8Values(weights);
  const [filters = 1] = weights.shape;
  const depth = weights.shape.at(-1) ?? 1;
  const isDepthwise = opOf(node).filterPerChannel === true;
  const { zeroPoint } = perTensor(input, "input");
  const left = new Set(kept.inputs);
  const gone =
    isDepthwise || kept.inputs === undefined
      ? []
      : Array.from({ length: depth }, (_, k) => k).filter(
          (k) => !left.has(k) && ranges?.low[k] !== zeroPoint,
        );
  const size = values.length / filters;
  const outputs = kept.outputs ?? Array.from({ length: isDepthwise ? depth : filters }, (_, c) => c);
  const bias = new DataView(new ArrayBuffer(4 * outputs.length));
  for (const [i, c] of outputs.entries()) {
    let sum = before?.getInt32(4 * c, true) ?? 0;
    for (const k of gone) {
      const value = (ranges?.low[k] ?? 0) - zeroPoint;
      for (let at = c * size + k; at < (c + 1) * size; at += depth)
        sum = (sum + value * (values[at] ?? 0)) | 0;
    }
    bias.setInt32(4 * i, sum, true);
  }
  const name = `${weights.name} (bias, with constants)`;
  return { name, type: "int32", shape: [outputs.length], data: new Uint8Array(bias.buffer) };
}
