/** Footprints of records over int16. */
import type { Footprint } from "./access.ts";
import { read, write } from "./access.ts";
import type { AnyRecord, Placed } from "./fields.ts";
import { aligned, atLeast, LIMIT, product, refusal, zeroPoints } from "./fields.ts";
import { INT16_HEAD_BYTES } from "./packing.ts";
import type { RecordOf } from "./record.ts";
import { stridedBytes } from "./rows.ts";
import { forwards } from "./whole-footprint.ts";

/** Two tables of 513 int16. */
const SOFTMAX_TABLE_BYTES = 2052;

function checkRange(
  record: AnyRecord & { readonly activationMin: number; readonly activationMax: number },
): void {
  const { activationMin, activationMax } = record;
  if (activationMin >= -32768 && activationMin <= activationMax && activationMax <= 32767) return;
  throw refusal("plan-field", record, `clamps to ${activationMin} … ${activationMax}`);
}

export function conv2dInt16Footprint(record: RecordOf<"conv2dInt16"> & Placed): Footprint {
  atLeast(record, 1, ["batches", "inputHeight", "inputWidth", "inputChannels"]);
  atLeast(record, 1, ["outputHeight", "outputWidth", "outputChannels", "kernelHeight", "kernelWidth"]);
  atLeast(record, 1, [
    "strideY",
    "strideX",
    "dilationY",
    "dilationX",
    "inputDilationY",
    "inputDilationX",
    "depth",
    "groupChannels",
    "channelBytes",
  ]);
  atLeast(record, 0, ["input", "output", "weights", "padTop", "padLeft"]);
  aligned(record, "input", 2);
  aligned(record, "output", 2);
  checkRange(record);
  const { batches, inputHeight, inputWidth, inputChannels, outputHeight, outputWidth, outputChannels } =
    record;
  const { kernelHeight, kernelWidth, depth, groupChannels, channelBytes } = record;
  const groups = Math.ceil(outputChannels / groupChannels);
  const reach = [
    record.padTop +
      inputHeight * record.inputDilationY +
      outputHeight * record.strideY +
      kernelHeight * record.dilationY,
    record.padLeft +
      inputWidth * record.inputDilationX +
      outputWidth * record.strideX +
      kernelWidth * record.dilationX,
  ];
  const filter = product(record, kernelHeight, kernelWidth, depth);
  if (
    groups * depth > inputChannels ||
    channelBytes < INT16_HEAD_BYTES + filter ||
    channelBytes % 8 !== 0 ||
    Math.max(...reach) >= LIMIT
  ) {
    throw refusal(
      "plan-field",
      record,
      `has ${groups} groups of ${depth} of ${inputChannels} channels, ${channelBytes} bytes a channel, windows over ${reach.join(" × ")}`,
    );
  }
  const inputBytes = product(record, 2, batches, inputHeight, inputWidth, inputChannels);
  const outputBytes = product(record, 2, batches, outputHeight, outputWidth, outputChannels);
  return {
    weights: { address: record.weights, bytes: product(record, outputChannels, channelBytes) },
    accesses: [
      write("output", { address: record.output, bytes: outputBytes }),
      read("input", { address: record.input, bytes: inputBytes }),
    ],
  };
}

const AXES = [0, 1, 2, 3] as const;

/** No operand may meet the output. */
export function elementwiseInt16Footprint(record: RecordOf<"elementwiseInt16"> & Placed): Footprint {
  atLeast(record, 1, ["length"]);
  atLeast(record, 0, ["lhs", "rhs", "output", "operation", "leftShift"]);
  for (const i of AXES) atLeast(record, 1, [`n${i}`]);
  const { length, rhsBytes, operation, leftShift } = record;
  if (operation > 6 || leftShift > 15 || (rhsBytes !== 1 && rhsBytes !== 2)) {
    throw refusal("plan-field", record, `has operation ${operation} by 2^${leftShift} on ${rhsBytes} bytes`);
  }
  zeroPoints(record, ["rhsZeroPoint"]);
  checkRange(record);
  aligned(record, "lhs", 2);
  aligned(record, "rhs", rhsBytes);
  aligned(record, "output", 2);
  const sizes = [...AXES.map((i) => record[`n${i}`]), length];
  const span = (operand: "lhs" | "rhs", bytes: number): number => {
    const strides = [...AXES.map((i) => record[`${operand}Stride${i}`]), record[`${operand}Step`]];
    if (strides.some((stride) => stride % bytes !== 0)) {
      throw refusal("plan-field", record, `has strides ${strides.join(", ")} of ${bytes} bytes an element`);
    }
    return stridedBytes(record, sizes, strides) - 1 + bytes;
  };
  return {
    accesses: [
      write("output", { address: record.output, bytes: product(record, 2, ...sizes) }),
      read("lhs", { address: record.lhs, bytes: span("lhs", 2) }),
      read("rhs", { address: record.rhs, bytes: span("rhs", rhsBytes) }),
    ],
  };
}

/** Element by element, forwards. */
export function unaryInt16Footprint(
  record: (RecordOf<"scaleInt16"> | RecordOf<"sigmoidInt16">) & Placed,
): Footprint {
  atLeast(record, 1, ["length"]);
  aligned(record, "input", 2);
  aligned(record, "output", 2);
  const { accesses } = forwards(record, record.length, 2, 2);
  if (record.op === "scaleInt16") {
    checkRange(record);
    return { accesses };
  }
  atLeast(record, 0, ["weights", "multiplier", "shift"]);
  if (record.shift > 31) throw refusal("plan-field", record, `has shift ${record.shift}`);
  return { weights: { address: record.weights, bytes: 512 }, accesses };
}

/** Vectors one after another; each value is read before the output's is first written. */
export function softmaxInt16Footprint(record: RecordOf<"softmaxInt16"> & Placed): Footprint {
  atLeast(record, 1, ["rows", "depth"]);
  atLeast(record, 0, ["weights"]);
  aligned(record, "input", 2);
  aligned(record, "output", 2);
  const { accesses } = forwards(record, product(record, record.rows, record.depth), 2, 2);
  return { weights: { address: record.weights, bytes: SOFTMAX_TABLE_BYTES }, accesses };
}

export function pool2dInt16Footprint(record: RecordOf<"pool2dInt16"> & Placed): Footprint {
  atLeast(record, 1, ["batches", "inputHeight", "inputWidth", "channels", "outputHeight", "outputWidth"]);
  atLeast(record, 1, ["kernelHeight", "kernelWidth", "strideY", "strideX"]);
  atLeast(record, 0, ["input", "output", "padTop", "padLeft"]);
  aligned(record, "input", 2);
  aligned(record, "output", 2);
  checkRange(record);
  const { batches, inputHeight, inputWidth, channels, outputHeight, outputWidth } = record;
  const reach = [
    record.padTop + inputHeight + outputHeight * record.strideY + record.kernelHeight,
    record.padLeft + inputWidth + outputWidth * record.strideX + record.kernelWidth,
  ];
  if (Math.max(...reach) >= LIMIT) {
    throw refusal("plan-field", record, `has windows over ${reach.join(" × ")} positions`);
  }
  const inputBytes = product(record, 2, batches, inputHeight, inputWidth, channels);
  const outputBytes = product(record, 2, batches, outputHeight, outputWidth, channels);
  return {
    accesses: [
      write("output", { address: record.output, bytes: outputBytes }),
      read("input", { address: record.input, bytes: inputBytes }),
    ],
  };
}
