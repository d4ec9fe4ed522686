/** Footprints of records that run for whole tensors alone. */
import type { Access, Footprint } from "./access.ts";
import { read, write } from "./access.ts";
import type { AnyRecord, Placed } from "./fields.ts";
import { aligned, atLeast, product, refusal, zeroPoints } from "./fields.ts";
import { ADD_N_INPUTS } from "./format.ts";
import type { RecordOf } from "./record.ts";
import { distinctBytes, stridedBytes } from "./rows.ts";
import { ADD_N_OPERANDS } from "./steps.ts";

const AXES = [0, 1, 2, 3] as const;
const FIVE_AXES = [0, 1, 2, 3, 4] as const;

/** Operands that must not meet: all is written before anything is read. */
export function apart(
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
export function forwards(
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

/** Vectors one after another, each read before it is written, or element by element. */
export function vectorsFootprint(
  record: AnyRecord & Readonly<Record<"input" | "output" | "rows" | "depth", number>>,
): Footprint {
  atLeast(record, 1, ["rows", "depth"]);
  return forwards(record, product(record, record.rows, record.depth), 1, 1);
}

/** As vectorsFootprint, unless the output's elements are wider. */
export function softmaxFootprint(
  record: (RecordOf<"softmax"> | RecordOf<"softmaxToInt16">) & Placed,
): Footprint {
  if (record.op === "softmax") return vectorsFootprint(record);
  atLeast(record, 1, ["rows", "depth"]);
  aligned(record, "output", 2);
  return forwards(record, product(record, record.rows, record.depth), 1, 2);
}

export function reduceExtremeFootprint(record: RecordOf<"reduceExtreme"> & Placed): Footprint {
  for (const i of AXES) atLeast(record, 1, [`n${i}`, `r${i}`]);
  const kept = AXES.map((i) => record[`n${i}`]);
  const sizes = [...kept, ...AXES.map((i) => record[`r${i}`])];
  const strides = [...AXES.map((i) => record[`stride${i}`]), ...AXES.map((i) => record[`reducedStride${i}`])];
  return apart(record, distinctBytes(record, sizes, strides), product(record, ...kept));
}

export function argExtremeFootprint(record: RecordOf<"argExtreme"> & Placed): Footprint {
  atLeast(record, 1, ["outer", "size", "inner"]);
  aligned(record, "output", 4);
  const { outer, size, inner } = record;
  return apart(record, product(record, outer, size, inner), product(record, 4, outer, inner));
}

/** Element by element: an input that the output begins at or below has been read where that is written. */
export function addNFootprint(record: RecordOf<"addN"> & Placed): Footprint {
  const { count, length, output } = record;
  atLeast(record, 1, ["length"]);
  if (!(count >= 2 && count <= ADD_N_INPUTS)) throw refusal("plan-field", record, `has ${count} inputs`);
  const operands = ADD_N_OPERANDS.slice(0, count);
  atLeast(record, 0, [...operands, "output"]);
  zeroPoints(record, ["inputZeroPoint", "outputZeroPoint"]);
  const accessesOf = (names: typeof operands): Access[] =>
    names.map((name) => read(name, { address: record[name], bytes: length }));
  return {
    accesses: [
      ...accessesOf(operands.filter((name) => output <= record[name])),
      write("output", { address: output, bytes: length }),
      ...accessesOf(operands.filter((name) => output > record[name])),
    ],
  };
}

export function cumsumFootprint(record: RecordOf<"cumsum"> & Placed): Footprint {
  atLeast(record, 1, ["outer", "size", "inner"]);
  zeroPoints(record, ["inputZeroPoint", "outputZeroPoint"]);
  const bytes = product(record, record.outer, record.size, record.inner);
  return apart(record, bytes, bytes);
}

/** By CastType. */
const CAST_BYTES = [1, 1, 2, 4, 4, 1];

/** Of a cast, or a conversion that heeds scales. */
export function castFootprint(record: (RecordOf<"cast"> | RecordOf<"convert">) & Placed): Footprint {
  atLeast(record, 1, ["length"]);
  const [from, to] = [record.from, record.to].map((type) => CAST_BYTES[type]);
  if (from === undefined || to === undefined) {
    throw refusal("plan-field", record, `casts type ${record.from} to ${record.to}`);
  }
  aligned(record, "input", from);
  aligned(record, "output", to);
  return apart(record, product(record, from, record.length), product(record, to, record.length));
}

export function gatherFootprint(record: RecordOf<"gather"> & Placed): Footprint {
  atLeast(record, 1, ["batches", "outer", "count", "depth", "sliceBytes"]);
  atLeast(record, 0, ["input", "indices", "output", "batchBytes", "batchIndices", "outerBytes"]);
  aligned(record, "indices", 4);
  const { batches, batchBytes, batchIndices, outer, outerBytes, count, depth, sliceBytes } = record;
  if (depth > FIVE_AXES.length) throw refusal("plan-field", record, `names slices by ${depth} indices`);
  for (const i of FIVE_AXES) {
    atLeast(record, 1, [`size${i}`]);
    atLeast(record, 0, [`stride${i}`]);
  }
  const span = stridedBytes(
    record,
    [batches, outer, ...FIVE_AXES.map((i) => (i < depth ? record[`size${i}`] : 1))],
    [batchBytes, outerBytes, ...FIVE_AXES.map((i) => record[`stride${i}`])],
  );
  const { accesses } = apart(
    record,
    product(record, span - 1 + sliceBytes),
    product(record, batches, outer, count, sliceBytes),
  );
  const words = product(record, 4, (batches - 1) * batchIndices + count * depth);
  return { accesses: [...accesses, read("indices", { address: record.indices, bytes: words })] };
}

export function selectFootprint(record: RecordOf<"select"> & Placed): Footprint {
  atLeast(record, 1, ["elementBytes"]);
  atLeast(record, 0, ["condition", "chosen", "other", "output"]);
  for (const i of FIVE_AXES) atLeast(record, 1, [`n${i}`]);
  const { elementBytes, output } = record;
  const sizes = FIVE_AXES.map((i) => record[`n${i}`]);
  const elements = (operand: "condition" | "chosen" | "other"): number =>
    stridedBytes(
      record,
      sizes,
      FIVE_AXES.map((i) => record[`${operand}Stride${i}`]),
    );
  const bytes = (operand: "chosen" | "other"): number => product(record, elementBytes, elements(operand));
  return {
    accesses: [
      write("output", { address: output, bytes: product(record, elementBytes, ...sizes) }),
      read("condition", { address: record.condition, bytes: elements("condition") }),
      read("chosen", { address: record.chosen, bytes: bytes("chosen") }),
      read("other", { address: record.other, bytes: bytes("other") }),
    ],
  };
}

export function batchMatmulFootprint(record: RecordOf<"batchMatmul"> & Placed): Footprint {
  // With steps along the depth, memory bounds how long that is.
  atLeast(record, 1, ["n0", "n1", "n2", "rows", "columns", "depth", "lhsStep", "rhsStep"]);
  atLeast(record, 0, ["lhs", "rhs", "output"]);
  zeroPoints(record, ["lhsZeroPoint", "rhsZeroPoint", "outputZeroPoint"]);
  const { n0, n1, n2, rows, columns, depth, elementBytes } = record;
  if (elementBytes !== 1 && elementBytes !== 2) {
    throw refusal("plan-field", record, `has elements of ${elementBytes} bytes`);
  }
  for (const operand of ["lhs", "rhs", "output"]) aligned(record, operand, elementBytes);
  const span = (sizes: readonly number[], strides: readonly number[]): number => {
    if (strides.some((stride) => stride % elementBytes !== 0)) {
      throw refusal(
        "plan-field",
        record,
        `has strides ${strides.join(", ")} of ${elementBytes} bytes an element`,
      );
    }
    return stridedBytes(record, [...sizes, elementBytes], [...strides, 1]);
  };
  const lhs = span(
    [n0, n1, n2, rows, depth],
    [record.lhsStride0, record.lhsStride1, record.lhsStride2, record.lhsRowStep, record.lhsStep],
  );
  const rhs = span(
    [n0, n1, n2, columns, depth],
    [record.rhsStride0, record.rhsStride1, record.rhsStride2, record.rhsColumnStep, record.rhsStep],
  );
  const outputBytes = product(record, n0, n1, n2, rows, columns, elementBytes);
  return {
    accesses: [
      write("output", { address: record.output, bytes: outputBytes }),
      read("lhs", { address: record.lhs, bytes: lhs }),
      read("rhs", { address: record.rhs, bytes: rhs }),
    ],
  };
}
