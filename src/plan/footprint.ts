import type { Footprint } from "./access.ts";
import { read, write } from "./access.ts";
import type { AnyRecord, Placed } from "./fields.ts";
import { aligned, atLeast, checkClamp, product, refusal, zeroPoints } from "./fields.ts";
import type { RecordOf } from "./record.ts";
import { conv2dFootprint, depthwiseFootprint, poolFootprint } from "./spatial-footprint.ts";
import type { Variant } from "./variant.ts";

/**
 * What a record touches. Reach is checked by the caller; here every field is, as far as memory depends on it.
 * @throws ExecutionError plan-field for values that no kernel can mean
 */
export function footprint(record: AnyRecord, variant: Variant): Footprint {
  switch (record.op) {
    case "end":
      return { accesses: [] };
    case "fetch":
      atLeast(record, 0, ["destination", "source"]);
      atLeast(record, 1, ["bytes"]);
      aligned(record, "destination", 16);
      return { accesses: [write("output", { address: record.destination, bytes: record.bytes })] };
    case "flipSign": {
      atLeast(record, 0, ["address"]);
      atLeast(record, 1, ["bytes"]);
      const region = { address: record.address, bytes: record.bytes };
      return { accesses: [read("input", region), write("input", region)] };
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
    case "softmax":
      atLeast(record, 1, ["rows", "depth"]);
      return forwards(record, product(record, record.rows, record.depth), 1, 1);
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
      return meanFootprint(record);
    case "pad":
      return padFootprint(record);
    case "transpose":
      return transposeFootprint(record);
  }
}

/** Operands that must not meet: all is written before anything is read. */
function apart(
  record: AnyRecord & { readonly input: number; readonly output: number },
  inputBytes: number,
  outputBytes: number,
): Footprint {
  atLeast(record, 0, ["input", "output"]);
  return {
    accesses: [
      write("output", { address: record.output, bytes: outputBytes }),
      read("input", { address: record.input, bytes: inputBytes }),
    ],
  };
}

/**
 * Elements in order, each read before it is written: where the output begins at the input or below it and takes no longer
 * steps, what is written has been read. Anywhere else the two must not meet.
 */
function forwards(
  record: AnyRecord & { readonly input: number; readonly output: number },
  length: number,
  inputStep: number,
  outputStep: number,
): Footprint {
  const { accesses } = apart(record, product(record, length, inputStep), product(record, length, outputStep));
  return record.output <= record.input && outputStep <= inputStep
    ? { accesses: [...accesses].reverse() }
    : { accesses };
}

function elementwiseFootprint(record: (RecordOf<"add"> | RecordOf<"mul">) & Placed): Footprint {
  atLeast(record, 1, ["length", "n0", "n1", "n2", "n3"]);
  atLeast(record, 0, ["lhs", "rhs", "output", "lhsStep", "rhsStep"]);
  zeroPoints(record, ["lhsZeroPoint", "rhsZeroPoint", "outputZeroPoint"]);
  checkClamp(record);
  if (record.lhsStep > 1 || record.rhsStep > 1) {
    throw refusal("plan-field", record, `has steps ${record.lhsStep} and ${record.rhsStep}`);
  }
  const { length, n0, n1, n2, n3, output } = record;
  const bytes = product(record, length, n0, n1, n2, n3);
  const sizes = [n0, n1, n2, n3, length];
  const operands = [
    {
      operand: "lhs",
      address: record.lhs,
      strides: [record.lhsStride0, record.lhsStride1, record.lhsStride2, record.lhsStride3, record.lhsStep],
    },
    {
      operand: "rhs",
      address: record.rhs,
      strides: [record.rhsStride0, record.rhsStride1, record.rhsStride2, record.rhsStride3, record.rhsStep],
    },
  ].map(({ operand, address, strides }) => ({
    access: read(operand, { address, bytes: stridedBytes(record, sizes, strides) }),
    // Element i of a dense operand is read before output i is written; a repeated one must stay whole to the end.
    ahead: isDense(sizes, strides) && output <= address,
  }));
  return {
    accesses: [
      ...operands.filter(({ ahead }) => ahead).map(({ access }) => access),
      write("output", { address: output, bytes }),
      ...operands.filter(({ ahead }) => !ahead).map(({ access }) => access),
    ],
  };
}

/** Bytes from the first to the last element of nested loops over single bytes. */
function stridedBytes(record: AnyRecord, sizes: readonly number[], strides: readonly number[]): number {
  if (strides.some((stride) => stride < 0)) {
    throw refusal("plan-field", record, `has strides ${strides.join(", ")}`);
  }
  return product(
    record,
    sizes.reduce((sum, size, i) => sum + (size - 1) * (strides[i] ?? 0), 1),
  );
}

/** As stridedBytes, for loops that come to each byte once: memory bounds how long they take. */
function distinctBytes(record: AnyRecord, sizes: readonly number[], strides: readonly number[]): number {
  const bytes = stridedBytes(record, sizes, strides);
  if (product(record, ...sizes) <= bytes) return bytes;
  throw refusal("plan-field", record, `has sizes ${sizes.join(" × ")} and strides ${strides.join(", ")}`);
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

function meanFootprint(record: RecordOf<"mean"> & Placed): Footprint {
  atLeast(record, 1, ["n0", "n1", "n2", "n3", "r0", "r1", "r2", "r3"]);
  zeroPoints(record, ["inputZeroPoint", "outputZeroPoint"]);
  const kept = [record.n0, record.n1, record.n2, record.n3];
  const sizes = [...kept, record.r0, record.r1, record.r2, record.r3];
  const strides = [
    record.stride0,
    record.stride1,
    record.stride2,
    record.stride3,
    record.reducedStride0,
    record.reducedStride1,
    record.reducedStride2,
    record.reducedStride3,
  ];
  return apart(record, distinctBytes(record, sizes, strides), product(record, ...kept));
}

function padFootprint(record: RecordOf<"pad"> & Placed): Footprint {
  const axes = [0, 1, 2, 3, 4] as const;
  for (const i of axes) {
    atLeast(record, 1, [`n${i}`]);
    atLeast(record, 0, [`before${i}`, `after${i}`]);
  }
  zeroPoints(record, ["value"]);
  const sizes = axes.map((i) => record[`n${i}`]);
  const padded = axes.map((i) => record[`before${i}`] + record[`n${i}`] + record[`after${i}`]);
  return apart(record, product(record, ...sizes), product(record, ...padded));
}

function transposeFootprint(record: RecordOf<"transpose"> & Placed): Footprint {
  const axes = [0, 1, 2, 3, 4] as const;
  for (const i of axes) atLeast(record, 1, [`n${i}`]);
  const sizes = axes.map((i) => record[`n${i}`]);
  const strides = axes.map((i) => record[`stride${i}`]);
  return apart(record, distinctBytes(record, sizes, strides), product(record, ...sizes));
}
