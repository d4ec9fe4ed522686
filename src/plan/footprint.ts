import { ExecutionError } from "../errors.ts";
import { View } from "./format.ts";
import type { SpatialGeometry } from "./packing.ts";
import {
  blockChannels,
  convBlockBytes,
  convScratchBytes,
  convSegments,
  depthwiseBlockBytes,
  depthwiseRowsAtOnce,
  depthwiseScratchBytes,
  isPointwise,
} from "./packing.ts";
import type { PlanRecord, RecordOf, ViewWords } from "./record.ts";
import type { Variant } from "./variant.ts";

/** Rows [y0, y1) × channels [c0, c1) of a view, in every batch. */
export interface Region {
  readonly view: ViewWords;
  readonly y0: number;
  readonly y1: number;
  readonly c0: number;
  readonly c1: number;
  readonly batches: number;
  readonly batchBytes: number;
}

/** Consecutive bytes. */
export interface Range {
  readonly address: number;
  readonly bytes: number;
}

/** What a phase of a record touches; `operand` names whose bytes they must be. */
export interface Access {
  readonly operand: string;
  readonly region: Region | Range;
}

/**
 * A record as a sequence of phases. In each phase all `writes` count as done before any of the `reads`, unless
 * `readsFirst`; so a phase proves the record for every order that the kernels may take within it.
 */
export interface Phase {
  readonly readsFirst: boolean;
  readonly reads: readonly Access[];
  readonly writes: readonly Access[];
}

/** All that a record does to memory. `weights` are read in every phase. */
export interface Footprint {
  readonly scratch: Range | undefined;
  readonly weights: Range | undefined;
  readonly phases: Iterable<Phase>;
}

/** Marks a field that no kernel can mean. */
export function badField(record: PlanRecord, what: string): ExecutionError {
  return new ExecutionError(
    "plan-field",
    `record ${record.op}: ${what}; the image is damaged: compile the model again`,
  );
}

/** Longest run, largest count: keeps every product below 2^53 and every loop finite. */
const LIMIT = 2 ** 31;

type SpatialRecord =
  RecordOf<"conv2d"> | RecordOf<"depthwiseConv2d"> | RecordOf<"averagePool2d"> | RecordOf<"maxPool2d">;

/** Throws unless every listed field is a whole number in [low, 2^31). */
function atLeast(record: PlanRecord, low: number, fields: readonly string[]): void {
  const values = record as unknown as Readonly<Record<string, number>>;
  for (const name of fields) {
    const value = values[name] ?? NaN;
    if (!(value >= low && value < LIMIT)) throw badField(record, `${name} is ${value}`);
  }
}

function product(record: PlanRecord, ...factors: readonly number[]): number {
  const value = factors.reduce((a, b) => a * b, 1);
  if (!(value >= 0 && value < LIMIT)) throw badField(record, `its operands have ${value} bytes`);
  return value;
}

/** The view's own geometry, for int8 elements. */
function checkView(record: PlanRecord, view: ViewWords): void {
  const { address, pixelBytes, rowBytes, ringRows, height, width, channels } = view;
  const sound =
    address >= 0 &&
    channels >= 1 &&
    width >= 1 &&
    height >= 1 &&
    ringRows >= 1 &&
    pixelBytes >= channels &&
    rowBytes >= (width - 1) * pixelBytes + channels &&
    ringRows * rowBytes < LIMIT;
  if (!sound) {
    const words = Object.keys(View)
      .filter((name) => name in view)
      .map((name) => `${name} ${view[name as keyof ViewWords]}`);
    throw badField(record, `a view has ${words.join(", ")}`);
  }
}

/** The footprint of any record but `end`. */
export function footprint(record: PlanRecord, variant: Variant): Footprint {
  switch (record.op) {
    case "end":
      return simple([], []);
    case "fetch":
      atLeast(record, 0, ["destination", "source"]);
      atLeast(record, 1, ["bytes"]);
      return simple(
        [],
        [{ operand: "output", region: { address: record.destination, bytes: record.bytes } }],
      );
    case "flipSign": {
      atLeast(record, 0, ["address"]);
      atLeast(record, 1, ["bytes"]);
      const region = { address: record.address, bytes: record.bytes };
      return simple([{ operand: "input", region }], [{ operand: "input", region }], true);
    }
    case "conv2d":
      return conv2dFootprint(record, variant);
    case "depthwiseConv2d":
      return depthwiseFootprint(record, variant);
    case "averagePool2d":
    case "maxPool2d":
      return poolFootprint(record);
    case "add":
    case "mul":
      return elementwiseFootprint(record);
    case "softmax": {
      atLeast(record, 0, ["input", "output"]);
      atLeast(record, 1, ["rows", "depth"]);
      product(record, record.rows, record.depth);
      return forwards(record.rows, record.depth, record.input, record.depth, record.output, record.depth);
    }
    case "requantize":
      atLeast(record, 0, ["input", "output"]);
      atLeast(record, 1, ["length"]);
      return forwards(record.length, 1, record.input, 1, record.output, 1);
    case "quantize":
      atLeast(record, 0, ["input", "output"]);
      atLeast(record, 1, ["length"]);
      if (record.input % 4 !== 0) throw badField(record, `its float input is at ${record.input}`);
      return forwards(record.length, 1, record.input, 4, record.output, 1);
    case "dequantize": {
      atLeast(record, 0, ["input", "output"]);
      atLeast(record, 1, ["length"]);
      if (record.output % 4 !== 0) throw badField(record, `its float output is at ${record.output}`);
      const { length } = record;
      return apart(
        { address: record.input, bytes: length },
        { address: record.output, bytes: product(record, 4, length) },
      );
    }
    case "mean":
      return meanFootprint(record);
    case "pad":
      return padFootprint(record);
    case "transpose":
      return transposeFootprint(record);
  }
}

function simple(reads: readonly Access[], writes: readonly Access[], readsFirst = false): Footprint {
  return { scratch: undefined, weights: undefined, phases: [{ readsFirst, reads, writes }] };
}

/** One phase that must not overlap. */
function apart(input: Range, output: Range): Footprint {
  return simple([{ operand: "input", region: input }], [{ operand: "output", region: output }]);
}

/**
 * `count` items computed in order, item i written after it is read: safe together where no output is ahead of the input
 * that follows. Checked as a whole where the operands are apart, and by that inequality where they meet.
 */
function forwards(
  count: number,
  item: number,
  input: number,
  inputStep: number,
  output: number,
  outputStep: number,
): Footprint {
  const region = { address: input, bytes: count * inputStep };
  // Writes of items 0…i end at output + (i + 1)·outputStep, reads to come begin at input + (i + 1)·inputStep.
  const behind = output <= input && outputStep <= inputStep && item >= 1;
  return simple(
    [{ operand: "input", region }],
    [{ operand: "output", region: { address: output, bytes: count * outputStep } }],
    behind,
  );
}

function checkSpatial(record: SpatialRecord): void {
  checkView(record, record.inputView);
  checkView(record, record.outputView);
  atLeast(record, 1, ["batches", "kernelHeight", "kernelWidth", "strideY", "strideX"]);
  atLeast(record, 0, ["y0", "c0", "padTop", "padLeft", "inputBatchBytes", "outputBatchBytes"]);
  const { y0, y1, c0, c1, outputView } = record;
  if (!(y0 < y1 && y1 <= outputView.height && c0 < c1 && c1 <= outputView.channels)) {
    throw badField(record, `it computes rows ${y0} to ${y1}, channels ${c0} to ${c1}`);
  }
  if (
    record.activationMin < -128 ||
    record.activationMax > 127 ||
    record.activationMin > record.activationMax
  ) {
    throw badField(record, `it clamps to ${record.activationMin} … ${record.activationMax}`);
  }
  product(record, record.batches, record.inputBatchBytes);
  product(record, record.batches, record.outputBatchBytes);
}

/** Input rows that output rows [y0, y1) need, cut to the input. */
function inputRows(
  record: SpatialRecord,
  y0: number,
  y1: number,
  dilationY: number,
): { y0: number; y1: number } {
  const first = y0 * record.strideY - record.padTop;
  const last = (y1 - 1) * record.strideY - record.padTop + (record.kernelHeight - 1) * dilationY;
  const { height } = record.inputView;
  return { y0: Math.min(Math.max(first, 0), height), y1: Math.max(Math.min(last + 1, height), 0) };
}

function conv2dFootprint(record: RecordOf<"conv2d">, variant: Variant): Footprint {
  checkSpatial(record);
  atLeast(record, 1, ["dilationY", "dilationX"]);
  atLeast(record, 0, ["weights", "scratch"]);
  const { inputView, outputView, kernelHeight, kernelWidth, strideX, dilationX } = record;
  const { channels } = inputView;
  const window = { ...record, channels };
  const geometry: SpatialGeometry = {
    kernelHeight,
    kernelWidth,
    channels,
    strideX,
    dilationX,
    outputHeight: outputView.height,
    outputWidth: outputView.width,
    pointwise: isPointwise(window, inputView, outputView),
  };
  product(record, kernelHeight, kernelWidth, channels);
  const patch = convSegments(kernelHeight, kernelWidth, channels, dilationX);
  const blocks = Math.ceil((record.c1 - record.c0) / blockChannels(variant));
  const rows = inputRows(record, record.y0, record.y1, record.dilationY);
  const region = { batches: record.batches, c0: 0, c1: channels };
  return {
    scratch: { address: record.scratch, bytes: convScratchBytes(variant, geometry) },
    weights: {
      address: record.weights,
      bytes: product(record, blocks, convBlockBytes(variant, record.requantization, patch)),
    },
    phases: [
      {
        readsFirst: false,
        reads: [
          {
            operand: "input",
            region: { view: inputView, ...rows, ...region, batchBytes: record.inputBatchBytes },
          },
        ],
        writes: [outputAccess(record, record.y0, record.y1)],
      },
    ],
  };
}

function outputAccess(record: SpatialRecord, y0: number, y1: number): Access {
  const { outputView: view, c0, c1, batches, outputBatchBytes: batchBytes } = record;
  return { operand: "output", region: { view, y0, y1, c0, c1, batches, batchBytes } };
}

/** Phases of `rowsAtOnce` output rows, each written before its window is read. */
function* rowPhases(
  record: Exclude<SpatialRecord, RecordOf<"conv2d">>,
  rowsAtOnce: number,
  dilationY: number,
  c0: number,
  c1: number,
): Generator<Phase> {
  // Batches are an outer loop of the kernel: rows of different batches must not meet at all.
  const step = record.batches > 1 ? record.y1 - record.y0 : rowsAtOnce;
  for (let y = record.y0; y < record.y1; y += step) {
    const end = Math.min(y + step, record.y1);
    const rows = inputRows(record, y, end, dilationY);
    const { inputView: view, batches, inputBatchBytes: batchBytes } = record;
    yield {
      readsFirst: false,
      reads: [{ operand: "input", region: { view, ...rows, c0, c1, batches, batchBytes } }],
      writes: [outputAccess(record, y, end)],
    };
  }
}

function depthwiseFootprint(record: RecordOf<"depthwiseConv2d">, variant: Variant): Footprint {
  checkSpatial(record);
  atLeast(record, 1, ["dilationY", "dilationX", "depthMultiplier"]);
  atLeast(record, 0, ["weights", "scratch"]);
  const { inputView, outputView, kernelHeight, kernelWidth, depthMultiplier, c0, c1 } = record;
  if (outputView.channels !== inputView.channels * depthMultiplier) {
    throw badField(
      record,
      `${inputView.channels} channels × ${depthMultiplier} are not ${outputView.channels}`,
    );
  }
  product(record, kernelHeight, kernelWidth);
  const blocks = Math.ceil((c1 - c0) / blockChannels(variant));
  return {
    scratch: {
      address: record.scratch,
      bytes: product(
        record,
        depthwiseScratchBytes(
          variant,
          kernelHeight,
          kernelWidth,
          outputView.width,
          record.strideX,
          record.dilationX,
        ),
      ),
    },
    weights: {
      address: record.weights,
      bytes: product(
        record,
        blocks,
        depthwiseBlockBytes(variant, record.requantization, record, kernelWidth),
      ),
    },
    phases: rowPhases(
      record,
      depthwiseRowsAtOnce(variant, record),
      record.dilationY,
      Math.floor(c0 / depthMultiplier),
      Math.ceil(c1 / depthMultiplier),
    ),
  };
}

function poolFootprint(record: RecordOf<"averagePool2d"> | RecordOf<"maxPool2d">): Footprint {
  checkSpatial(record);
  const { inputView, outputView } = record;
  for (const [size, output, kernel, stride, padding] of [
    [inputView.height, outputView.height, record.kernelHeight, record.strideY, record.padTop],
    [inputView.width, outputView.width, record.kernelWidth, record.strideX, record.padLeft],
  ] as const) {
    // The first and the last window each meet the input.
    if (padding >= kernel || (output - 1) * stride - padding >= size) {
      throw badField(record, "a window lies wholly in the padding");
    }
  }
  return {
    scratch: undefined,
    weights: undefined,
    phases: rowPhases(record, 1, 1, record.c0, record.c1),
  };
}

function elementwiseFootprint(record: RecordOf<"add"> | RecordOf<"mul">): Footprint {
  const { length, n0, n1, n2, n3 } = record;
  atLeast(record, 1, ["length", "n0", "n1", "n2", "n3"]);
  atLeast(record, 0, ["lhs", "rhs", "output", "lhsStep", "rhsStep"]);
  if (record.lhsStep > 1 || record.rhsStep > 1) throw badField(record, "an operand's step is above 1");
  const bytes = product(record, length, n0, n1, n2, n3);
  const sides = (["lhs", "rhs"] as const).map((side) => {
    const strides = [0, 1, 2, 3].map((i) => record[`${side}Stride${i as 0 | 1 | 2 | 3}`]);
    if (strides.some((stride) => stride < 0)) throw badField(record, `${side} has a negative stride`);
    const step = record[`${side}Step`];
    const sizes = [n0, n1, n2, n3];
    const last = strides.reduce(
      (sum, stride, i) => sum + stride * ((sizes[i] ?? 1) - 1),
      step * (length - 1),
    );
    product(record, last);
    const dense = step === 1 && last === bytes - 1;
    return { operand: side, region: { address: record[side], bytes: last + 1 }, dense };
  });
  // An operand as large as the output is read element by element, ahead of the writes; a repeated one must stay whole.
  const ahead = sides.filter(({ dense, region }) => dense && record.output <= region.address);
  const whole = sides.filter((side) => !ahead.includes(side));
  const output = { operand: "output", region: { address: record.output, bytes } };
  return {
    scratch: undefined,
    weights: undefined,
    phases: [
      { readsFirst: true, reads: ahead, writes: [] },
      { readsFirst: false, reads: whole, writes: [output] },
    ],
  };
}

function meanFootprint(record: RecordOf<"mean">): Footprint {
  const kept = [record.n0, record.n1, record.n2, record.n3];
  const reduced = [record.r0, record.r1, record.r2, record.r3];
  atLeast(record, 1, ["n0", "n1", "n2", "n3", "r0", "r1", "r2", "r3"]);
  atLeast(record, 0, ["input", "output"]);
  const strides = [record.stride0, record.stride1, record.stride2, record.stride3];
  const inner = [record.reducedStride0, record.reducedStride1, record.reducedStride2, record.reducedStride3];
  if ([...strides, ...inner].some((stride) => stride < 0)) throw badField(record, "a stride is negative");
  product(record, ...kept, ...reduced);
  const last = [...kept, ...reduced].reduce(
    (sum, size, i) => sum + (size - 1) * ([...strides, ...inner][i] ?? 0),
    0,
  );
  return apart(
    { address: record.input, bytes: product(record, last + 1) },
    { address: record.output, bytes: product(record, ...kept) },
  );
}

function padFootprint(record: RecordOf<"pad">): Footprint {
  const names = [0, 1, 2, 3, 4] as const;
  atLeast(
    record,
    1,
    names.map((i) => `n${i}`),
  );
  atLeast(record, 0, ["input", "output", ...names.flatMap((i) => [`before${i}`, `after${i}`])]);
  const sizes = names.map((i) => record[`n${i}`]);
  const padded = names.map((i) => record[`n${i}`] + record[`before${i}`] + record[`after${i}`]);
  return apart(
    { address: record.input, bytes: product(record, ...sizes) },
    { address: record.output, bytes: product(record, ...padded) },
  );
}

function transposeFootprint(record: RecordOf<"transpose">): Footprint {
  const names = [0, 1, 2, 3, 4] as const;
  atLeast(
    record,
    1,
    names.map((i) => `n${i}`),
  );
  atLeast(record, 0, ["input", "output", ...names.map((i) => `stride${i}`)]);
  const sizes = names.map((i) => record[`n${i}`]);
  const last = names.reduce<number>((sum, i) => sum + (record[`n${i}`] - 1) * record[`stride${i}`], 0);
  return apart(
    { address: record.input, bytes: product(record, last + 1) },
    { address: record.output, bytes: product(record, ...sizes) },
  );
}
