import fc from "fast-check";
import { expect } from "vitest";
import type { BoundNode, Tensor } from "../../src/graph/graph.ts";
import type { ConvolutionAttrs } from "../../src/ops/convolution.ts";
import { windowOf } from "../../src/ops/convolution-window.ts";
import type { OpDefinition } from "../../src/ops/op.ts";
import { Requantization } from "../../src/plan/format.ts";
import { methodOf } from "../../src/plan/packing.ts";
import type { PlanRecord, RecordOf } from "../../src/plan/record.ts";
import type { Variant } from "../../src/plan/variant.ts";
import type { Kernels } from "../kernel-harness.ts";
import type { Weights } from "../reference/conv2d.ts";
import { count, type Int8Output, type Int8Tensor } from "../reference/tensor.ts";
import { scale, zeroPoint } from "./elementwise.ts";
import { int8Tensor, int8Values, onlyRecord, weightsFor } from "./node.ts";

/** Operands of a convolution, and how a test cuts it up. */
export interface ConvolutionCase {
  readonly input: Int8Tensor;
  readonly weights: Weights;
  readonly bias: Int32Array | undefined;
  readonly output: Int8Output;
  readonly activation: number;
}

/** What is drawn besides shapes: data, scales and the bias. */
export const operands = fc.record({
  seeds: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
  inputScale: scale,
  weightScale: scale,
  /** Output per accumulator spread: from mostly clamped to mostly 0, and above 1. */
  gain: fc.double({ min: -3, max: 2, noNaN: true }),
  zeroPoints: fc.tuple(zeroPoint, zeroPoint),
  activation: fc.integer({ min: 0, max: 3 }),
  perChannel: fc.boolean(),
  /** A multiplier whose low bits are zero makes ties. */
  powerOfTwo: fc.boolean(),
  bias: fc.constantFrom("none", "small", "huge"),
});

type Operands = typeof operands extends fc.Arbitrary<infer T> ? T : never;

/** A case with these shapes; `terms` products make an accumulator. */
export function buildCase(
  variant: Variant,
  drawn: Operands,
  shapes: { input: number[]; weights: number[]; output: number[]; channels: number; terms: number },
): ConvolutionCase {
  const [inputSeed, weightSeed, biasSeed] = drawn.seeds;
  const noise = int8Values(biasSeed, 4 * shapes.channels);
  const base = drawn.powerOfTwo ? 2 ** Math.round(Math.log2(drawn.weightScale)) : drawn.weightScale;
  const inputScale = drawn.powerOfTwo ? 2 ** Math.round(Math.log2(drawn.inputScale)) : drawn.inputScale;
  const scales = Array.from({ length: drawn.perChannel ? shapes.channels : 1 }, (_, c) =>
    Math.fround(base * (drawn.perChannel ? 2 ** ((noise[c] ?? 0) / (drawn.powerOfTwo ? 127 : 40)) : 1)),
  );
  const spread = Math.sqrt(shapes.terms) * 5000;
  const wanted = (inputScale * base * spread) / (100 * 10 ** drawn.gain);
  const outputScale = drawn.powerOfTwo ? 2 ** Math.round(Math.log2(wanted)) : wanted;
  const amount = drawn.bias === "huge" ? 2 ** 24 - 1 : Math.ceil(spread / 128);
  return {
    input: {
      shape: shapes.input,
      scale: inputScale,
      zeroPoint: drawn.zeroPoints[0],
      values: int8Values(inputSeed, count(shapes.input)),
    },
    weights: {
      shape: shapes.weights,
      scales,
      values: weightsFor(variant, int8Values(weightSeed, count(shapes.weights))),
    },
    bias:
      drawn.bias === "none"
        ? undefined
        : Int32Array.from({ length: shapes.channels }, (_, c) => (noise[c] ?? 0) * amount),
    output: { shape: shapes.output, scale: Math.fround(outputScale), zeroPoint: drawn.zeroPoints[1] },
    activation: drawn.activation,
  };
}

/** The operator's input tensors. */
export function tensorsOf(c: ConvolutionCase, axis: number): (Tensor | undefined)[] {
  const quantization = {
    scales: Float32Array.from(c.weights.scales),
    zeroPoints: new Int32Array(c.weights.scales.length),
    axis,
  };
  const bias = c.bias && {
    id: 2,
    name: "bias",
    shape: [c.bias.length],
    type: "int32" as const,
    data: new Uint8Array(c.bias.slice().buffer),
  };
  return [
    int8Tensor("input", c.input),
    {
      id: 1,
      name: "weights",
      shape: c.weights.shape,
      type: "int8",
      quantization,
      data: new Uint8Array(c.weights.values),
    },
    bias,
  ];
}

type SpatialRecord = RecordOf<"conv2d"> | RecordOf<"depthwiseConv2d">;

/** The record with fields replaced; its operator stays. */
function withFields(record: PlanRecord, fields: Partial<SpatialRecord>): PlanRecord {
  return { ...record, ...fields } as PlanRecord;
}

/** A node ready to run: packed, operands placed. Tiles of weights begin at any block. */
export class PlacedConvolution {
  readonly #kernels: Kernels;
  readonly #op: OpDefinition;
  readonly #node: BoundNode;
  readonly #packed: NonNullable<ReturnType<NonNullable<OpDefinition["pack"]>>>;
  readonly #weights: number;
  readonly #scratch: number;
  readonly scratchEnd: number;

  constructor(kernels: Kernels, op: OpDefinition, node: BoundNode) {
    const packed = op.pack?.(node, kernels.variant);
    if (packed === undefined) throw new Error(`${op.name} packs nothing`);
    this.#kernels = kernels;
    this.#op = op;
    this.#node = node;
    this.#packed = packed;
    this.#weights = kernels.placeBytes(packed.bytes);
    const scratchBytes = op.scratchBytes?.(node, kernels.variant) ?? 0;
    this.#scratch = kernels.allocate(scratchBytes);
    this.scratchEnd = this.#scratch + scratchBytes;
  }

  get channels(): number {
    return this.#node.outputs[0]?.shape.at(-1) ?? 1;
  }

  get blocks(): number {
    return this.#packed.blocks;
  }

  /** The record of weight blocks [first, first + blocks). */
  record(input: number, output: number, first = 0, blocks = this.#packed.blocks): PlanRecord {
    return this.#lower(input, output, this.#scratch, first, blocks, false);
  }

  /** As `record`, with the output exactly where the input is, and scratch for that. */
  inPlace(input: number, scratch: number, first = 0, blocks = this.#packed.blocks): PlanRecord {
    return this.#lower(input, input, scratch, first, blocks, true);
  }

  #lower(
    input: number,
    output: number,
    scratch: number,
    first: number,
    blocks: number,
    inPlace: boolean,
  ): PlanRecord {
    const { blockBytes, blockChannels } = this.#packed;
    return onlyRecord(
      this.#op,
      this.#node,
      {
        inputs: [{ address: input }, { address: 0 }, { address: 0 }],
        outputs: [{ address: output }],
        packed: this.#weights + first * blockBytes,
        scratch,
        inPlace,
        c0: first * blockChannels,
        c1: Math.min((first + blocks) * blockChannels, this.channels),
      },
      this.#kernels.variant,
      this.#packed,
    );
  }

  /** Runs a record; only scratch and bytes [from, to) may change. */
  execute(record: PlanRecord, from: number, to: number): void {
    const scratch = this.#kernels.bytes.slice(this.#scratch, this.scratchEnd);
    const end = this.#kernels.allocate(0);
    const before = this.#kernels.bytes.slice(1024, end);
    this.#kernels.execute(record);
    const after = this.#kernels.bytes.slice(1024, end);
    after.set(before.subarray(from - 1024, to - 1024), from - 1024);
    after.set(scratch, this.#scratch - 1024);
    expect(Buffer.compare(before, after)).toBe(0);
  }
}

/** Whole, in tiles of weight blocks, and row by row through rings: always `expected`. */
export function checkConvolution(
  kernels: Kernels,
  op: OpDefinition,
  node: BoundNode,
  input: Int8Tensor,
  expected: Int8Array,
  tileBlocks: number,
): void {
  kernels.reset();
  const placed = new PlacedConvolution(kernels, op, node);
  const from = kernels.placeActivations(input.values);

  const whole = kernels.allocate(expected.length);
  placed.execute(placed.record(from, whole), whole, whole + expected.length);
  expect(kernels.readActivations(whole, expected.length)).toEqual(expected);

  const tiled = kernels.allocate(expected.length);
  for (let first = 0; first < placed.blocks; first += tileBlocks) {
    const blocks = Math.min(tileBlocks, placed.blocks - first);
    placed.execute(placed.record(from, tiled, first, blocks), tiled, tiled + expected.length);
  }
  expect(kernels.readActivations(tiled, expected.length)).toEqual(expected);

  if (!("strideY" in (node.attrs as object)) || input.shape[0] !== 1) return;
  for (const rowsAtOnce of [1, 3, 9]) {
    expect(throughRings(kernels, node, placed, input, expected.length, rowsAtOnce)).toEqual(expected);
  }
}

/** With the output over the input, as near as the operator says it may be, or `below` bytes further. */
export function checkOverlap(
  kernels: Kernels,
  op: OpDefinition,
  node: BoundNode,
  input: Int8Tensor,
  expected: Int8Array,
  below: number,
): void {
  const distance = op.overlapDistance?.(node, 0, kernels.variant);
  expect(distance === undefined).toBe((input.shape[0] ?? 1) > 1);
  if (distance === undefined) return;
  kernels.reset();
  kernels.allocate(distance + below + 64);
  const from = kernels.placeActivations(input.values);
  kernels.allocate(expected.length);
  const placed = new PlacedConvolution(kernels, op, node);
  const output = from - distance - below;
  placed.execute(placed.record(from, output), output, output + expected.length);
  expect(kernels.readActivations(output, expected.length)).toEqual(expected);
}

/** `rowsAtOnce` output rows per record; input rows arrive in a ring of just the rows that their windows cover. */
function throughRings(
  kernels: Kernels,
  node: BoundNode,
  placed: PlacedConvolution,
  input: Int8Tensor,
  length: number,
  rowsAtOnce: number,
): Int8Array {
  const window = windowOf(node as BoundNode<ConvolutionAttrs>);
  const [, height = 1, width = 1, depth = 1] = input.shape;
  const [, outHeight = 1, outWidth = 1, channels = 1] = node.outputs[0]?.shape ?? [];
  const ringRows = (rowsAtOnce - 1) * window.strideY + (window.kernelHeight - 1) * window.dilationY + 1;
  const outRingRows = rowsAtOnce + 1;
  const rowBytes = width * depth;
  const outRowBytes = outWidth * channels;
  const ring = kernels.allocate(ringRows * rowBytes);
  const outRing = kernels.allocate(outRingRows * outRowBytes);
  const base = placed.record(ring, outRing) as SpatialRecord;
  const result = new Int8Array(length);
  const flip = kernels.variant === "relaxed" ? 0x80 : 0;
  let arrived = 0;
  for (let y = 0; y < outHeight; y += rowsAtOnce) {
    const end = Math.min(y + rowsAtOnce, outHeight);
    const last = Math.min(height, y * window.strideY - window.padTop + ringRows);
    for (; arrived < last; arrived++) {
      for (let i = 0; i < rowBytes; i++) {
        kernels.bytes[ring + (arrived % ringRows) * rowBytes + i] =
          ((input.values[arrived * rowBytes + i] ?? 0) & 0xff) ^ flip;
      }
    }
    const record = withFields(base, {
      inputView: { ...base.inputView, ringRows },
      outputView: { ...base.outputView, ringRows: outRingRows },
      y0: y,
      y1: end,
    });
    placed.execute(record, outRing, outRing + outRingRows * outRowBytes);
    for (let row = y; row < end; row++) {
      const at = outRing + (row % outRingRows) * outRowBytes;
      result.set(kernels.readActivations(at, outRowBytes), row * outRowBytes);
    }
  }
  return result;
}

/** A node, and what it must answer. */
export interface Prepared {
  readonly node: BoundNode;
  readonly input: Int8Tensor;
  readonly expected: () => Int8Array;
}

/** The methods of one multiplier, for one pixel. */
export function uniformMethods(variant: Variant): readonly number[] {
  if (variant === "mcu") return [];
  return variant === "simd"
    ? [Requantization.uniformRelu, Requantization.uniformGeneral]
    : [Requantization.uniformReluFused, Requantization.uniformGeneralFused];
}

/** The method that a node's blocks are packed for. */
export function packedMethod(op: OpDefinition, node: BoundNode, variant: Variant): number {
  const { requantization = -1 } = op.pack?.(node, variant)?.fields ?? {};
  return methodOf({ requantization });
}

/** Checks a convolution in every way of requantising that its variant has, `most` of the cases each. */
export function checkEveryMethod(
  kernels: Kernels,
  op: OpDefinition,
  cases: Iterable<Prepared | undefined>,
  most: number,
): void {
  const seen = new Map<number, number>();
  for (const prepared of cases) {
    if (prepared === undefined) continue;
    const method = packedMethod(op, prepared.node, kernels.variant);
    const count = (seen.get(method) ?? 0) + 1;
    seen.set(method, count);
    if (count <= most) checkConvolution(kernels, op, prepared.node, prepared.input, prepared.expected(), 1);
  }
  const relaxed = [0, 1, 2, 3, 4, 5, Requantization.reluFusedSingle, Requantization.generalFusedSingle];
  const simd = [0, 1, 2, 3, Requantization.reluSingle];
  const all = { mcu: [0, 6], simd, relaxed, signed: relaxed }[kernels.variant];
  const alone = op.name === "conv2d" ? uniformMethods(kernels.variant) : [];
  expect([...seen.keys()].sort((a, b) => a - b)).toEqual([...all, ...alone].sort((a, b) => a - b));
}
