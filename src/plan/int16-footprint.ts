/** Footprints of records over int16. */
import type { Footprint } from "./access.ts";
import { read, write } from "./access.ts";
import type { AnyRecord, Placed } from "./fields.ts";
import { aligned, atLeast, LIMIT, product, refusal } from "./fields.ts";
import type { RecordOf } from "./record.ts";

const HEAD_BYTES = 16;

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
    record.padTop + inputHeight + outputHeight * record.strideY + kernelHeight * record.dilationY,
    record.padLeft + inputWidth + outputWidth * record.strideX + kernelWidth * record.dilationX,
  ];
  const filter = product(record, kernelHeight, kernelWidth, depth);
  if (
    groups * depth > inputChannels ||
    channelBytes < HEAD_BYTES + filter ||
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
