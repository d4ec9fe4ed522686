import type { Access, Footprint, Range, Region } from "./access.ts";
import { read, write } from "./access.ts";
import type { AnyRecord, Placed } from "./fields.ts";
import { aligned, atLeast, checkClamp, product, refusal, zeroPoints } from "./fields.ts";
import type { RecordOf } from "./record.ts";
import { resizeBilinearFootprint, resizeNearestFootprint } from "./resize-footprint.ts";
import {
  addNFootprint,
  apart,
  argExtremeFootprint,
  batchMatmulFootprint,
  castFootprint,
  cumsumFootprint,
  forwards,
  gatherFootprint,
  reduceExtremeFootprint,
  selectFootprint,
  softmaxFootprint,
  vectorsFootprint,
} from "./whole-footprint.ts";
import {
  conv2dInt16Footprint,
  elementwiseInt16Footprint,
  pool2dInt16Footprint,
  softmaxInt16Footprint,
  unaryInt16Footprint,
} from "./int16-footprint.ts";
import { copyFootprint, padFootprint } from "./move-footprint.ts";
import { lstmFootprint, svdfFootprint } from "./recurrent-footprint.ts";
import { distinctBytes, rowByRow, rowsOf, stridedBytes } from "./rows.ts";
import {
  checkView,
  conv2dFootprint,
  conv2dWinogradFootprint,
  depthwiseFootprint,
  poolFootprint,
} from "./spatial-footprint.ts";
import type { Variant } from "./variant.ts";

/**
 * What a record touches. Reach is checked by the caller; here every field is, as far as memory depends on it.
 * @throws ExecutionError plan-field for values that no kernel can mean
 */
export function footprint(record: AnyRecord, variant: Variant): Footprint {
  switch (record.op) {
    case "end":
    case "stream":
    case "stage":
    case "tiles":
      return { accesses: [] };
    case "input": {
      atLeast(record, 0, ["y0", "input", "output"]);
      atLeast(record, 1, ["rowBytes", "ringRows"]);
      if (record.isInt8 >> 1 !== 0) throw refusal("plan-field", record, `has isInt8 ${record.isInt8}`);
      const row = rowsOf(record, record.output, record.rowBytes, record.rowBytes, record.ringRows, "output");
      return { accesses: [write("output", row)] };
    }
    case "fetch":
      atLeast(record, 0, ["destination", "source"]);
      atLeast(record, 1, ["bytes"]);
      aligned(record, "destination", 16);
      return {
        accesses: [write("output", { address: record.destination, bytes: record.bytes })],
      };
    case "flipSign": {
      atLeast(record, 0, ["address"]);
      atLeast(record, 1, ["bytes"]);
      const region = { address: record.address, bytes: record.bytes };
      return { accesses: [read("input", region), write("input", region)] };
    }
    case "conv2d":
      return conv2dFootprint(record, variant);
    case "conv2dWinograd":
      return conv2dWinogradFootprint(record, variant);
    case "depthwiseConv2d":
      return depthwiseFootprint(record, variant);
    case "averagePool2d":
      return record.accumulators === 0 ? poolFootprint(record) : globalPoolFootprint(record);
    case "maxPool2d":
      return poolFootprint(record);
    case "add":
    case "sub":
    case "squaredDifference":
    case "mul":
    case "div":
      checkClamp(record);
      zeroPoints(record, ["lhsZeroPoint", "rhsZeroPoint", "outputZeroPoint"]);
      return elementwiseFootprint(record);
    case "weightedSum":
      checkClamp(record);
      return elementwiseFootprint(record);
    case "prelu":
      zeroPoints(record, ["lhsZeroPoint", "rhsZeroPoint", "outputZeroPoint"]);
      return elementwiseFootprint(record);
    case "compare":
      zeroPoints(record, ["lhsZeroPoint", "rhsZeroPoint"]);
      return elementwiseFootprint(record);
    case "minimum":
    case "maximum":
      return elementwiseFootprint(record);
    case "reduceExtreme":
      return reduceExtremeFootprint(record);
    case "argExtreme":
      return argExtremeFootprint(record);
    case "addN":
      return addNFootprint(record);
    case "cumsum":
      return cumsumFootprint(record);
    case "l2Normalization":
    case "logSoftmax":
      return vectorsFootprint(record);
    case "cast":
    case "convert":
      return castFootprint(record);
    case "batchMatmul":
      return batchMatmulFootprint(record);
    case "gather":
      return gatherFootprint(record);
    case "select":
      return selectFootprint(record);
    case "elementwiseInt16":
      return elementwiseInt16Footprint(record);
    case "scaleInt16":
    case "sigmoidInt16":
      return unaryInt16Footprint(record);
    case "softmaxInt16":
      return softmaxInt16Footprint(record);
    case "pool2dInt16":
      return pool2dInt16Footprint(record);
    case "conv2dInt16":
      return conv2dInt16Footprint(record);
    case "lookup":
      return lookupFootprint(record);
    case "softmax":
    case "softmaxToInt16":
      return softmaxFootprint(record);
    case "requantize":
      zeroPoints(record, ["inputZeroPoint", "outputZeroPoint"]);
      atLeast(record, 1, ["length"]);
      return forwards(record, record.length, 1, 1);
    case "quantize":
      zeroPoints(record, ["zeroPoint"]);
      atLeast(record, 1, ["length"]);
      aligned(record, "input", 4);
      return forwards(record, record.length, 4, 1);
    case "dequantize":
      zeroPoints(record, ["zeroPoint"]);
      atLeast(record, 1, ["length"]);
      aligned(record, "output", 4);
      return apart(record, record.length, product(record, 4, record.length));
    case "mean":
      return meanFootprint(record, 1);
    case "meanInt16":
      return meanFootprint(record, 2);
    case "pad":
      return padFootprint(record);
    case "resizeBilinear":
      return resizeBilinearFootprint(record);
    case "resizeNearest":
      return resizeNearestFootprint(record);
    case "copy":
      return copyFootprint(record);
    case "unidirectionalSequenceLstm":
      return lstmFootprint(record, variant);
    case "svdf":
      return svdfFootprint(record, variant);
  }
}

/** A record that begins with the loops of an elementwise operator. */
type Elementwise = Omit<RecordOf<"minimum">, "op"> & AnyRecord;

function elementwiseFootprint(record: Elementwise): Footprint {
  atLeast(record, 1, ["length", "n0", "n1", "n2", "n3"]);
  atLeast(record, 0, ["y0", "lhsRowBytes", "rhsRowBytes", "outputRowBytes"]);
  atLeast(record, 0, ["lhs", "rhs", "output", "lhsStep", "rhsStep"]);
  if (record.lhsStep > 1 || record.rhsStep > 1) {
    throw refusal("plan-field", record, `has steps ${record.lhsStep} and ${record.rhsStep}`);
  }
  const { length, n0, n1, n2, n3 } = record;
  const bytes = product(record, length, n0, n1, n2, n3);
  const sizes = [n0, n1, n2, n3, length];
  const region = (operand: "lhs" | "rhs" | "output", rowBytes: number): Region | Range =>
    rowsOf(
      record,
      record[operand],
      rowBytes,
      record[`${operand}RowBytes`],
      record[`${operand}RingRows`],
      operand,
    );
  const operands = [
    {
      operand: "lhs" as const,
      strides: [record.lhsStride0, record.lhsStride1, record.lhsStride2, record.lhsStride3, record.lhsStep],
    },
    {
      operand: "rhs" as const,
      strides: [record.rhsStride0, record.rhsStride1, record.rhsStride2, record.rhsStride3, record.rhsStep],
    },
  ].map(({ operand, strides }) => ({
    operand,
    access: read(operand, region(operand, stridedBytes(record, sizes, strides))),
    isDense: isDense(sizes, strides),
  }));
  const output = write("output", region("output", bytes));
  const orderOf = (y: number): readonly Access[] => {
    // Element i of a dense operand is read before output i is written; a repeated one must stay whole to the end.
    const keepsAhead = operands.map(
      ({ operand, isDense }) => isDense && rowAddress(record, "output", y) <= rowAddress(record, operand, y),
    );
    return [
      ...operands.filter((_, i) => keepsAhead[i] === true).map(({ access }) => access),
      output,
      ...operands.filter((_, i) => keepsAhead[i] !== true).map(({ access }) => access),
    ];
  };
  return { accesses: rowByRow(orderOf, record.y0, record.y1) };
}

/** Where row `y` of an operand begins: the kernels' ringRow. */
function rowAddress(record: Elementwise, operand: "lhs" | "rhs" | "output", y: number): number {
  return record[operand] + (y % record[`${operand}RingRows`]) * record[`${operand}RowBytes`];
}

/**
 * An operator that keeps sums from row to row: they are cleared with the first, and the output is made with the last. Where it
 * `readsFirst`, what it stores in the place of the row has been read.
 */
function accumulating(
  { y0, y1 }: Readonly<Record<"y0" | "y1", number>>,
  rows: number,
  sums: Range,
  input: Region | Range,
  output: Range,
  readsFirst: boolean,
): Footprint {
  return {
    accesses: [
      ...(y0 > 0 ? [read("accumulators", sums)] : []),
      write("accumulators", sums),
      ...(readsFirst ? [read("input", input)] : []),
      ...(y1 === rows ? [write("output", output)] : []),
      ...(readsFirst ? [] : [read("input", input)]),
      read("accumulators", sums),
    ],
  };
}

/** Whether nested loops walk byte by byte. */
function isDense(sizes: readonly number[], strides: readonly number[]): boolean {
  let dense = 1;
  for (let i = sizes.length - 1; i >= 0; i--) {
    const size = sizes[i] ?? 1;
    if (size > 1 && strides[i] !== dense) return false;
    dense *= size;
  }
  return true;
}

function meanFootprint(
  record: (RecordOf<"mean"> | RecordOf<"meanInt16">) & Placed,
  elementBytes: number,
): Footprint {
  atLeast(record, 1, ["n0", "n1", "n2", "n3", "r0", "r1", "r2", "r3"]);
  zeroPoints(record, ["inputZeroPoint", "outputZeroPoint"], elementBytes);
  const kept = [record.n0, record.n1, record.n2, record.n3];
  const sizes = [...kept, record.r0, record.r1, record.r2, record.r3, elementBytes];
  const strides = [
    record.stride0,
    record.stride1,
    record.stride2,
    record.stride3,
    record.reducedStride0,
    record.reducedStride1,
    record.reducedStride2,
    record.reducedStride3,
    1,
  ];
  if (strides.slice(0, -1).some((stride) => stride % elementBytes !== 0)) {
    throw refusal("plan-field", record, `has strides ${strides.join(", ")}`);
  }
  atLeast(record, 0, ["input", "output", "accumulators", "y0", "inputRowBytes", "outputRowBytes"]);
  for (const name of ["input", "output", "inputRowBytes", "outputRowBytes"])
    aligned(record, name, elementBytes);
  atLeast(record, 1, ["rows"]);
  const { y1, rows, accumulators } = record;
  const inputBytes = distinctBytes(record, sizes, strides);
  const outputBytes = product(record, ...kept, elementBytes);
  const input = rowsOf(record, record.input, inputBytes, record.inputRowBytes, record.inputRingRows, "input");
  if (accumulators === 0) {
    if (rows !== 1) throw refusal("plan-field", record, `takes in ${rows} rows without accumulators`);
    const output = rowsOf(
      record,
      record.output,
      outputBytes,
      record.outputRowBytes,
      record.outputRingRows,
      "output",
    );
    return { accesses: [write("output", output), read("input", input)] };
  }
  if (y1 > rows || record.outputRowBytes !== 0 || record.outputRingRows !== 1) {
    throw refusal("plan-field", record, `accumulates rows to ${y1} of ${rows}`);
  }
  aligned(record, "accumulators", 4);
  const sums = {
    address: accumulators,
    bytes: product(record, 4, ...kept),
  };
  // With a value of the row per output, each is read before its output is stored.
  const last = record.input + ((rows - 1) % record.inputRingRows) * record.inputRowBytes;
  const inOrder = isDense(sizes, strides) && inputBytes === outputBytes && record.output <= last;
  return accumulating(record, rows, sums, input, { address: record.output, bytes: outputBytes }, inOrder);
}

/** An average over the whole input, row by row. */
function globalPoolFootprint(record: RecordOf<"averagePool2d"> & Placed): Footprint {
  atLeast(record, 0, ["accumulators", "y0"]);
  aligned(record, "accumulators", 4);
  checkView(record, "inputView", 0);
  checkView(record, "outputView", 0);
  checkClamp(record);
  const { inputView: view, outputView, y0, y1, c0, c1, accumulators } = record;
  const sound =
    record.batches === 1 &&
    c0 === 0 &&
    c1 === view.channels &&
    c1 === outputView.channels &&
    outputView.height * outputView.width === 1 &&
    y0 < y1 &&
    y1 <= view.height &&
    y1 - y0 <= view.ringRows;
  if (!sound) throw refusal("plan-field", record, `averages rows ${y0} to ${y1} of ${view.height}`);
  product(record, view.height, view.width, 256);
  const sums = { address: accumulators, bytes: product(record, 4, c1) };
  const input = { view, y0, y1, c0, c1, batches: 1, batchBytes: 0 };
  return accumulating(record, view.height, sums, input, { address: outputView.address, bytes: c1 }, true);
}

function lookupFootprint(record: RecordOf<"lookup"> & Placed): Footprint {
  atLeast(record, 1, ["length"]);
  atLeast(record, 0, ["y0", "input", "output", "weights", "inputRowBytes", "outputRowBytes"]);
  const { input, output, length, y0, y1 } = record;
  const from = read(
    "input",
    rowsOf(record, input, length, record.inputRowBytes, record.inputRingRows, "input"),
  );
  const to = write(
    "output",
    rowsOf(record, output, length, record.outputRowBytes, record.outputRingRows, "output"),
  );
  const orderOf = (y: number): readonly Access[] => {
    const source = input + (y % record.inputRingRows) * record.inputRowBytes;
    const target = output + (y % record.outputRingRows) * record.outputRowBytes;
    // Element by element: where the output begins at the input or below it, what is written has been read.
    return target <= source ? [from, to] : [to, from];
  };
  return { weights: { address: record.weights, bytes: 256 }, accesses: rowByRow(orderOf, y0, y1) };
}
