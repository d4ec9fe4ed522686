import fc from "fast-check";
import type { Graph, Quantization } from "../../src/graph/graph.ts";
import { elementCount } from "../../src/plan/shape.ts";
import { CONVOLUTION, float32, GraphBuilder, int8, noise, perTensor, Q } from "./graphs.ts";

/** Few, so that neighbours often share one. */
const QUANTIZATIONS: readonly Quantization[] = [Q, Q, Q, perTensor(0.05, -4), perTensor(0.08, 3)];

/** Beyond this many elements a step is skipped: the references are slow. */
const MOST_ELEMENTS = 600;

/** PAD and convolutions more often than others: they must meet. */
const OPERATORS = [
  "pad",
  "pad",
  "pad",
  "conv2d",
  "conv2d",
  "depthwiseConv2d",
  "emptied",
  "emptied",
  "fullyConnected",
  "reshape",
  "sameReshape",
  "transpose",
  "mean",
  "averagePool2d",
  "add",
  "constant",
  "requantize",
  "dequantize",
] as const;

interface Draw {
  readonly op: (typeof OPERATORS)[number];
  /** How far back the operand was made: 0 is the last tensor. */
  readonly back: number;
  readonly quantization: number;
  readonly bits: number;
}

const draw: fc.Arbitrary<Draw> = fc.record({
  op: fc.constantFrom(...OPERATORS),
  back: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
  quantization: fc.nat(QUANTIZATIONS.length - 1),
  bits: fc.nat(2 ** 24 - 1),
});

/** Small graphs of the operators that passes rewrite, with side readers, several outputs, and odd quantisations. */
export function randomGraph(): fc.Arbitrary<Graph> {
  return fc
    .record({
      shape: fc.tuple(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(1, 1, 2, 3),
      ),
      float: fc.boolean(),
      draws: fc.array(draw, { minLength: 1, maxLength: 12 }),
      outputs: fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }),
    })
    .map(({ shape, float, draws, outputs }) => {
      const builder = new GraphBuilder();
      const input = builder.input(float ? float32([1, ...shape]) : int8([1, ...shape]));
      const made = [float ? builder.node("quantize", [input]) : input];
      const results = float ? [...made] : [];
      for (const step of draws) {
        const operand = made[made.length - 1 - (step.back % made.length)] ?? input;
        const result = grow(builder, operand, step);
        if (result === undefined) continue;
        const { type, data } = builder.tensor(result);
        if (type === "int8") made.push(result);
        if (data === undefined) results.push(result);
      }
      // The last result always counts, so that most of the graph is alive.
      const last = results.at(-1) ?? input;
      const others = outputs.slice(1).map((pick) => results[pick % results.length] ?? input);
      return builder.build(last, ...others);
    });
}

/** One more node over `operand`; undefined where it does not apply. */
function grow(builder: GraphBuilder, operand: number, { op, quantization, bits }: Draw): number | undefined {
  const { shape } = builder.tensor(operand);
  const q = QUANTIZATIONS[quantization] ?? Q;
  const bit = (i: number): number => (bits >> i) & 1;
  const elements = elementCount(shape);
  const spatial = shape.length === 4;
  const [, , , channels = 1] = shape;
  switch (op) {
    case "reshape":
      return builder.node("reshape", [operand], { shape: bit(0) ? [1, 1, 1, elements] : [elements] }, q);
    case "sameReshape":
      return builder.node("reshape", [operand], { shape }, q);
    case "transpose":
      return builder.node("transpose", [operand], { permutation: permutation(shape.length, bits) }, q);
    case "mean": {
      if (shape.length === 0) return undefined;
      const axes = shape.map((_, axis) => axis).filter((axis) => bit(axis) === 1);
      return builder.node("mean", [operand], { axes, keepDims: bit(8) === 1 }, q);
    }
    case "pad": {
      if (!spatial || elements > MOST_ELEMENTS / 4) return undefined;
      const before = [0, bit(0), bit(1) * 2, bit(2) & bit(3)];
      return builder.node("pad", [operand], { before, after: [0, bit(4), bit(5), 0] }, q);
    }
    case "conv2d":
    case "depthwiseConv2d": {
      if (!spatial || elements > MOST_ELEMENTS) return undefined;
      const [, height = 1, width = 1] = shape;
      const kernel = [Math.min(1 + bit(0) + bit(1), height), Math.min(1 + bit(2) * 2, width)];
      const stride = { strideY: 1 + bit(3), strideX: 1 + bit(4) };
      const attrs = { ...CONVOLUTION, ...stride, padTop: bit(5), padRight: bit(6), activation: bit(7) };
      const multiplier = 1 + bit(8);
      const outputs = op === "conv2d" ? 1 + bit(8) + bit(9) : channels * multiplier;
      const [weightShape, axis] =
        op === "conv2d" ? [[outputs, ...kernel, channels], 0] : [[1, ...kernel, outputs], 3];
      const scales = Float32Array.from({ length: outputs }, (_, i) => 0.01 + 0.002 * i);
      const perChannel = { scales, zeroPoints: new Int32Array(outputs), axis };
      const weights = builder.constant(int8(weightShape, bit(10) ? perChannel : perTensor(0.012, 0)));
      return op === "conv2d"
        ? builder.node(op, [operand, weights, -1], attrs, q)
        : builder.node(op, [operand, weights], { ...attrs, depthMultiplier: multiplier }, q);
    }
    case "emptied": {
      // A pointwise convolution some of whose filters are empty, or clamped for good, and often a depthwise one over it.
      if (!spatial || elements > MOST_ELEMENTS / 4) return undefined;
      const outputs = 3 + (bits & 3);
      const empty = (c: number): boolean => bit(4 + c) === 1;
      const weights = noise(bits, outputs * channels).map((w, i) =>
        empty(Math.floor(i / channels)) ? 0 : w,
      );
      const biases = Int32Array.from({ length: outputs }, (_, c) =>
        bit(10 + c) ? 40_000 * (1 - 2 * bit(11 + c)) : 50 * c,
      );
      const perFilter = {
        scales: Float32Array.from({ length: outputs }, (_, c) => 0.01 + 0.003 * c),
        zeroPoints: new Int32Array(outputs),
        axis: 0,
      };
      const expanded = builder.node(
        "conv2d",
        [
          operand,
          builder.constant(
            int8([outputs, 1, 1, channels], bit(16) ? perFilter : perTensor(0.012, 0)),
            weights,
          ),
          builder.constant({ type: "int32", shape: [outputs] }, new Uint8Array(biases.buffer)),
        ],
        { ...CONVOLUTION, activation: bit(17) },
        q,
      );
      if (bit(18)) return expanded;
      const pads = { padTop: bit(19), padLeft: bit(19), padBottom: bit(19) };
      const [, height = 1] = shape;
      const kernel = [Math.min(height + 2 * bit(19), 2), 1];
      const filters = builder.constant(int8([1, ...kernel, outputs], perTensor(0.02, 0)));
      return builder.node(
        "depthwiseConv2d",
        [expanded, filters],
        { ...CONVOLUTION, ...pads, depthMultiplier: 1, activation: bit(20) },
        bit(21) ? Q : q,
      );
    }
    case "fullyConnected": {
      if (shape.length === 0 || elements > MOST_ELEMENTS) return undefined;
      const depth = bit(0) ? elements : (shape.at(-1) ?? 1);
      const outputs = 1 + bit(1) + 3 * bit(2);
      const weights = builder.constant(int8([outputs, depth], perTensor(0.012, 0)));
      const attrs = { activation: bit(3), shape: [elements / depth, outputs] };
      return builder.node(op, [operand, weights, -1], attrs, q);
    }
    case "averagePool2d": {
      if (!spatial) return undefined;
      const [, height = 1, width = 1] = shape;
      const valid = height > 1 && width > 1 ? bit(1) : 0;
      const attrs = { padding: 0, strideY: 1, strideX: 1, kernelHeight: 2, kernelWidth: 2, activation: 0 };
      const { quantization: same = q } = builder.tensor(operand);
      return builder.node(
        bit(0) ? "maxPool2d" : op,
        [operand],
        { ...attrs, padding: valid, activation: bit(2) },
        same,
      );
    }
    case "add": {
      const other = bit(0) ? operand : builder.constant(int8(shape, q));
      return builder.node("add", [operand, other], { activation: 0 }, q);
    }
    case "constant":
      return builder.constant(int8([1, 2, 2, 2], q));
    case "requantize":
      return builder.node("quantize", [operand], undefined, q);
    case "dequantize": {
      const real = builder.node("dequantize", [operand]);
      return bit(0) ? real : builder.node("quantize", [real], undefined, q);
    }
  }
}

/** The order that sorting by pseudo-random keys gives. */
function permutation(rank: number, bits: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return axes.sort((a, b) => ((bits >> (3 * a)) & 7) - ((bits >> (3 * b)) & 7));
}
