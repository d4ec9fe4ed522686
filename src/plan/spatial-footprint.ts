import type { Access, Footprint, Range, Region } from "./access.ts";
import { read, spanOf, write } from "./access.ts";
import type { AnyRecord, Placed } from "./fields.ts";
import { atLeast, checkClamp, LIMIT, product, refusal, zeroPoints } from "./fields.ts";
import { Requantization } from "./format.ts";
import {
  blockChannels,
  blockHeadBytes,
  convBlockBytes,
  convPixelsAtOnce,
  convScratchBytes,
  convSegments,
  depthwiseBlockBytes,
  depthwiseGeometry,
  depthwiseRowsTogether,
  depthwiseScratchBytes,
  depthwisePlaneBytes,
  isPointwise,
  MAX_LANE_SHIFT,
  methodOf,
  pointwiseRowsAtOnce,
  shiftOf,
  SINGLE_COLUMNS,
  SINGLE_VECTOR,
  WINOGRAD_ROWS,
  winogradScratchBytes,
  winogradWeightBytes,
} from "./packing.ts";
import type { RecordOf, ViewWords } from "./record.ts";
import type { Variant } from "./variant.ts";

type Convolution = (RecordOf<"conv2d"> | RecordOf<"conv2dWinograd"> | RecordOf<"depthwiseConv2d">) & Placed;
type Pool = (RecordOf<"averagePool2d"> | RecordOf<"maxPool2d">) & Placed;
type Spatial = Convolution | Pool;

/** @throws ExecutionError plan-field for a view that is none */
export function checkView(
  record: AnyRecord & { readonly [K in "inputView" | "outputView"]: ViewWords } & {
    readonly batches: number;
  },
  name: "inputView" | "outputView",
  batchBytes: number,
): void {
  const view = record[name];
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
    const words = Object.entries(view).map(([word, value]) => `${word} ${value}`);
    throw refusal("plan-field", record, `has an ${name} of ${words.join(", ")}`);
  }
  const { batches } = record;
  if (batches > 1 && batchBytes < spanOf(view)) {
    throw refusal("plan-field", record, `has ${batches} batches of its ${name} ${batchBytes} bytes apart`);
  }
  product(record, batches, batchBytes);
}

/** Output ranges, window and views. A record reads and writes each row of a ring once: rings turn between records. */
function checkSpatial(record: Spatial, dilationY: number, dilationX: number): void {
  atLeast(record, 1, ["batches", "kernelHeight", "kernelWidth", "strideY", "strideX"]);
  atLeast(record, 0, ["y0", "c0", "padTop", "padLeft", "inputBatchBytes", "outputBatchBytes"]);
  checkView(record, "inputView", record.inputBatchBytes);
  checkView(record, "outputView", record.outputBatchBytes);
  checkClamp(record);
  const { inputView, outputView, y0, y1, c0, c1 } = record;
  if (!(y0 < y1 && y1 <= outputView.height && c0 < c1 && c1 <= outputView.channels)) {
    throw refusal(
      "plan-field",
      record,
      `computes rows ${y0} to ${y1} of ${outputView.height}, channels ${c0} to ${c1} of ${outputView.channels}`,
    );
  }
  const rows = inputRows(record, y0, y1, dilationY);
  if (y1 - y0 > outputView.ringRows || rows.y1 - rows.y0 > inputView.ringRows) {
    throw refusal(
      "plan-field",
      record,
      `reads ${rows.y1 - rows.y0} rows and writes ${y1 - y0}, the rings have ${inputView.ringRows} and ${outputView.ringRows}`,
    );
  }
  product(record, record.kernelHeight, record.kernelWidth);
  const { padTop, padLeft, strideY, strideX, kernelHeight, kernelWidth } = record;
  const reach = [
    padTop + inputView.height + outputView.height * strideY + kernelHeight * dilationY,
    padLeft + inputView.width + outputView.width * strideX + kernelWidth * dilationX,
  ];
  if (Math.max(...reach) >= LIMIT) {
    throw refusal("plan-field", record, `has windows over ${reach.join(" × ")} positions`);
  }
}

/** Input rows that output rows [y0, y1) need, cut to the input. */
function inputRows(
  { inputView: { height }, strideY, padTop, kernelHeight }: Spatial,
  y0: number,
  y1: number,
  dilationY: number,
): { readonly y0: number; readonly y1: number } {
  const first = Math.min(Math.max(y0 * strideY - padTop, 0), height);
  const end = (y1 - 1) * strideY - padTop + (kernelHeight - 1) * dilationY + 1;
  return { y0: first, y1: Math.max(Math.min(end, height), first) };
}

function inputRegion(record: Spatial, y0: number, y1: number, c0: number, c1: number): Region {
  const { inputView: view, batches, inputBatchBytes: batchBytes } = record;
  return { view, y0, y1, c0, c1, batches, batchBytes };
}

function outputRegion(record: Spatial, y0: number, y1: number): Region {
  const { outputView: view, c0, c1, batches, outputBatchBytes: batchBytes } = record;
  return { view, y0, y1, c0, c1, batches, batchBytes };
}

/** The methods of one multiplier, in simd, and in relaxed and signed. */
const UNIFORM: readonly number[] = [Requantization.uniformRelu, Requantization.uniformGeneral];
const UNIFORM_FUSED: readonly number[] = [
  Requantization.uniformReluFused,
  Requantization.uniformGeneralFused,
];

const RELAXED: readonly number[] = [
  Requantization.scalar,
  Requantization.wide,
  Requantization.general,
  Requantization.relu,
  Requantization.generalFused,
  Requantization.reluFused,
  Requantization.generalFusedSingle,
  Requantization.reluFusedSingle,
  ...UNIFORM_FUSED,
];

/** The methods that a variant's kernels have. */
const METHODS: Readonly<Record<Variant, readonly number[]>> = {
  mcu: [Requantization.scalar, Requantization.single, SINGLE_VECTOR, SINGLE_COLUMNS],
  simd: [
    Requantization.scalar,
    Requantization.wide,
    Requantization.general,
    Requantization.relu,
    Requantization.reluSingle,
    ...UNIFORM,
  ],
  relaxed: RELAXED,
  signed: RELAXED,
};

/** What the kernels take by onePixel of assembly/micro/one-pixel.ts, where they take nothing else. */
function isOnePixel({ op, outputView }: Convolution): boolean {
  return op === "conv2d" && outputView.height * outputView.width === 1;
}

/** One pixel whose operands lie side by side. */
function isVector(record: Convolution): boolean {
  if (record.op !== "conv2d" || !isOnePixel(record)) return false;
  const { kernelHeight, kernelWidth, inputView, dilationX } = record;
  return convSegments("mcu", kernelHeight, kernelWidth, inputView.channels, dilationX).segments === 1;
}

/** Kernels that go down without a gap. */
function isColumns({ op, kernelHeight, strideY, dilationY, dilationX }: Convolution): boolean {
  return op === "conv2d" && kernelHeight >= strideY && dilationY === 1 && dilationX === 1;
}

function checkRequantization(record: Convolution, variant: Variant): void {
  zeroPoints(record, ["inputZeroPoint", "outputZeroPoint"]);
  const [method, shift] = [methodOf(record), shiftOf(record)];
  const isFused = UNIFORM_FUSED.includes(method);
  const maxShift = variant === "mcu" ? MAX_LANE_SHIFT : isFused ? Infinity : 31;
  if (!METHODS[variant].includes(method) || shift > maxShift) {
    throw refusal("plan-field", record, `has requantization ${method} with shift ${shift} in ${variant}`);
  }
  if ((UNIFORM.includes(method) || isFused) && !isOnePixel(record)) {
    throw refusal("plan-field", record, `has requantization ${method}, and not one pixel of a conv2d`);
  }
  if (method === SINGLE_VECTOR && !isVector(record)) {
    throw refusal("plan-field", record, `has requantization ${method}, and not one pixel of one segment`);
  }
  if (method === SINGLE_COLUMNS && !isColumns(record)) {
    throw refusal("plan-field", record, `has requantization ${method}, and no kernel that slides down`);
  }
}

export function conv2dFootprint(record: RecordOf<"conv2d"> & Placed, variant: Variant): Footprint {
  atLeast(record, 1, ["dilationY", "dilationX"]);
  atLeast(record, 0, ["weights", "scratch"]);
  checkSpatial(record, record.dilationY, record.dilationX);
  checkRequantization(record, variant);
  const { inputView, outputView, kernelHeight, kernelWidth, strideX, dilationX, c0, c1 } = record;
  const { channels } = inputView;
  product(record, kernelHeight, kernelWidth, channels);
  const patch = convSegments(variant, kernelHeight, kernelWidth, channels, dilationX);
  const blocks = Math.ceil((c1 - c0) / blockChannels(variant, methodOf(record)));
  const pointwise = isPointwise(record, inputView, outputView);
  const isByColumns = methodOf(record) === SINGLE_COLUMNS;
  const scratchBytes = convScratchBytes(variant, {
    kernelHeight,
    kernelWidth,
    channels,
    strideX,
    dilationX,
    outputHeight: outputView.height,
    outputWidth: outputView.width,
    pointwise,
    dense: strideX === 1 && inputView.pixelBytes === channels,
    isColumns: isByColumns,
    isVector: methodOf(record) === SINGLE_VECTOR,
  });
  return {
    scratch: { address: record.scratch, bytes: product(record, scratchBytes) },
    weights: {
      address: record.weights,
      bytes: product(record, blocks, convBlockBytes(variant, methodOf(record), patch)),
    },
    accesses: pointwise
      ? pointwiseAccesses(record, variant)
      : rowAccesses(record, isByColumns ? record.y1 - record.y0 : 1, record.dilationY, 0, channels),
  };
}

export function conv2dWinogradFootprint(
  record: RecordOf<"conv2dWinograd"> & Placed,
  variant: Variant,
): Footprint {
  atLeast(record, 0, ["weights", "scratch"]);
  checkSpatial(record, 1, 1);
  checkRequantization(record, variant);
  const { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX } = record;
  const window = [kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX];
  if (variant !== "simd" || window.join() !== "3,3,1,1,1,1") {
    throw refusal("plan-field", record, `has a window of ${window.join(", ")} in ${variant}`);
  }
  const { inputView, outputView, c0, c1 } = record;
  const blocks = Math.ceil((c1 - c0) / blockChannels(variant));
  const blockBytes = blockHeadBytes(variant, methodOf(record)) + winogradWeightBytes(inputView.channels);
  const scratchBytes = winogradScratchBytes(variant, inputView.channels, outputView.width);
  return {
    scratch: { address: record.scratch, bytes: product(record, scratchBytes) },
    weights: { address: record.weights, bytes: product(record, blocks, blockBytes) },
    accesses: rowAccesses(record, WINOGRAD_ROWS, 1, 0, inputView.channels),
  };
}

/** A 1×1 convolution over whole tensors goes pixel by pixel, or by tiles of pixels: each is a row of its own. */
function pointwiseAccesses(record: RecordOf<"conv2d"> & Placed, variant: Variant): Iterable<Access> {
  const { inputView, outputView, strideY, strideX, y0, y1 } = record;
  const { width } = outputView;
  const isWhole = ({ rowBytes, pixelBytes, ringRows, height, width }: ViewWords): boolean =>
    rowBytes === width * pixelBytes && ringRows >= height;
  const depth = inputView.channels;
  if (strideY * strideX !== 1 || !isWhole(inputView) || !isWhole(outputView) || inputView.width !== width) {
    return tiledAccesses(record, pointwiseRowsAtOnce(variant, width), depth);
  }
  const pixels = (view: ViewWords): ViewWords => ({
    ...view,
    rowBytes: view.pixelBytes,
    ringRows: view.height * view.width,
    height: view.height * view.width,
    width: 1,
  });
  const range = { y0: y0 * width, y1: y1 * width };
  const asPixels = { ...record, inputView: pixels(inputView), outputView: pixels(outputView), ...range };
  const pixelsAtOnce = convPixelsAtOnce(variant);
  if (!staysBelow(asPixels, pixelsAtOnce)) return tiledAccesses(asPixels, pixelsAtOnce, depth);
  return [
    read("input", inputRegion(asPixels, range.y0, range.y1, 0, depth)),
    write("output", outputRegion(asPixels, range.y0, range.y1)),
  ];
}

/**
 * Whether all that has been written lies below a pixel when that is read, wherever tiles of up to `pixelsAtOnce` begin: then it is as if all
 * were read first, which takes two steps to check, not two for each pixel. What is written grows as the pixel does up to where tiles are cut off
 * at y1, and from there on only the pixel moves: so two pixels decide.
 */
function staysBelow({ inputView, outputView, batches, y0, y1, c1 }: Spatial, pixelsAtOnce: number): boolean {
  const isBelow = (y: number): boolean => {
    const last = Math.min(y + pixelsAtOnce, y1) - 1;
    const end = outputView.address + last * outputView.pixelBytes + c1;
    return end <= inputView.address + y * inputView.pixelBytes;
  };
  return batches === 1 && isBelow(y0) && isBelow(Math.max(y1 - pixelsAtOnce, y0));
}

/**
 * As rowAccesses of a 1×1 kernel, where a group of up to `rowsAtOnce` rows may begin at any row: what it writes is written before the first
 * one's input has been read.
 */
function* tiledAccesses(record: Spatial, rowsAtOnce: number, depth: number): Generator<Access> {
  if (rowsAtOnce === 1 || record.batches > 1 || !meets(record)) {
    yield* rowAccesses(record, rowsAtOnce, 1, 0, depth);
    return;
  }
  const { inputView, y0, y1 } = record;
  let written = y0;
  for (let y = y0; y < y1; y++) {
    const end = Math.min(y + rowsAtOnce, y1);
    if (written < end) yield write("output", outputRegion(record, written, end));
    written = end;
    const rows = inputRows(record, y, y + 1, 1);
    const needed = y + 1 < y1 ? inputRows(record, y + 1, y + 2, 1).y0 : inputView.height;
    const retired = Math.min(rows.y1, needed);
    if (rows.y0 < retired) yield read("input", inputRegion(record, rows.y0, retired, 0, depth));
  }
}

/** Whether input and output have bytes in common. */
function meets({ inputView, outputView, batches, inputBatchBytes, outputBatchBytes }: Spatial): boolean {
  return (
    inputView.address < outputView.address + (batches - 1) * outputBatchBytes + spanOf(outputView) &&
    outputView.address < inputView.address + (batches - 1) * inputBatchBytes + spanOf(inputView)
  );
}

/**
 * Output rows are written `rowsAtOnce` at a time, each group before its window is read. An input row is checked with the
 * last group whose window has it: bytes that a group overwrites do not come back.
 */
function* rowAccesses(
  record: Spatial,
  rowsAtOnce: number,
  dilationY: number,
  c0: number,
  c1: number,
): Generator<Access> {
  const { inputView, batches, y0, y1 } = record;
  // Batches are an outer loop of the kernel: where there are several, nothing may meet.
  const step = meets(record) && batches === 1 ? rowsAtOnce : y1 - y0;
  for (let y = y0; y < y1; y += step) {
    const end = Math.min(y + step, y1);
    yield write("output", outputRegion(record, y, end));
    const rows = inputRows(record, y, end, dilationY);
    const needed = end < y1 ? inputRows(record, end, end + 1, dilationY).y0 : inputView.height;
    const retired = Math.min(rows.y1, needed);
    if (rows.y0 < retired) yield read("input", inputRegion(record, rows.y0, retired, c0, c1));
  }
}

export function depthwiseFootprint(
  record: RecordOf<"depthwiseConv2d"> & Placed,
  variant: Variant,
): Footprint {
  atLeast(record, 1, ["dilationY", "dilationX", "depthMultiplier"]);
  atLeast(record, 0, ["weights", "scratch"]);
  checkSpatial(record, record.dilationY, record.dilationX);
  checkRequantization(record, variant);
  const { inputView, outputView, depthMultiplier, c0, c1 } = record;
  const { channels } = inputView;
  if (outputView.channels !== channels * depthMultiplier) {
    const made = `${outputView.channels} channels of ${channels} × ${depthMultiplier}`;
    throw refusal("plan-field", record, `makes ${made}`);
  }
  const blocks = Math.ceil((c1 - c0) / blockChannels(variant));
  const scratchBytes = depthwiseScratchBytes(variant, depthwiseGeometry(record));
  const blockBytes = depthwiseBlockBytes(variant, methodOf(record), record);
  const scratch = { address: record.scratch, bytes: product(record, scratchBytes) };
  const weights = { address: record.weights, bytes: product(record, blocks, blockBytes) };
  if (record.plane !== 0) return planeFootprint(record, variant, scratch, weights);
  return {
    scratch,
    weights,
    accesses: rowAccesses(
      record,
      depthwiseRowsTogether(variant, depthwiseGeometry(record)),
      record.dilationY,
      Math.floor(c0 / depthMultiplier),
      Math.ceil(c1 / depthMultiplier),
    ),
  };
}

/** A block's channels at a time: all rows of the input are copied to the plane before any of the output is written. */
function planeFootprint(
  record: RecordOf<"depthwiseConv2d"> & Placed,
  variant: Variant,
  scratch: Range,
  weights: Range,
): Footprint {
  const { inputView, outputView, batches, depthMultiplier, plane, y0, y1, c0, c1 } = record;
  const planeBytes = depthwisePlaneBytes(variant, inputView.height, inputView.width);
  const sound =
    batches === 1 &&
    depthMultiplier === 1 &&
    plane >= scratch.address + scratch.bytes &&
    inputView.ringRows >= inputView.height &&
    y0 === 0 &&
    y1 === outputView.height;
  if (!sound) throw refusal("plan-field", record, `works in place with a plane at ${plane}`);
  const bytes = product(record, plane + planeBytes - scratch.address);
  function* accesses(): Generator<Access> {
    const channels = blockChannels(variant);
    for (let c = c0; c < c1; c += channels) {
      const end = Math.min(c + channels, c1);
      yield read("input", inputRegion(record, 0, inputView.height, c, end));
      yield write("output", { ...outputRegion(record, 0, y1), c0: c, c1: end });
    }
  }
  return { scratch: { address: scratch.address, bytes }, weights, accesses: accesses() };
}

export function poolFootprint(record: Pool): Footprint {
  checkSpatial(record, 1, 1);
  const { inputView, outputView } = record;
  if (inputView.channels !== outputView.channels) {
    throw refusal("plan-field", record, `makes ${outputView.channels} channels of ${inputView.channels}`);
  }
  for (const [size, output, kernel, stride, padding] of [
    [inputView.height, outputView.height, record.kernelHeight, record.strideY, record.padTop],
    [inputView.width, outputView.width, record.kernelWidth, record.strideX, record.padLeft],
  ] as const) {
    // Where the first and the last window meet the input, all do.
    if (padding >= kernel || (output - 1) * stride - padding >= size) {
      throw refusal("plan-field", record, "has a window that lies wholly in the padding");
    }
  }
  return { accesses: rowAccesses(record, 1, 1, record.c0, record.c1) };
}
