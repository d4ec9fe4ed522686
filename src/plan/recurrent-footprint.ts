import type { Access, Footprint } from "./access.ts";
import { read, write } from "./access.ts";
import type { AnyRecord, Placed } from "./fields.ts";
import { aligned, atLeast, product, refusal, zeroPoints } from "./fields.ts";
import type { RecordOf } from "./record.ts";
import { lstmScratchBytes, lstmWeightBytes, svdfScratchBytes, svdfWeightParts } from "./recurrent-packing.ts";
import type { Variant } from "./variant.ts";

/**
 * A stateful operator: output, input and states are used throughout and must not meet. The output is written first of all, so
 * that it shows in whatever it covers; states are there before, and are written over their own bytes.
 */
function apartFromStates(
  { input, output }: AnyRecord & { readonly input: number; readonly output: number },
  inputBytes: number,
  outputBytes: number,
  states: readonly (readonly [operand: string, address: number, bytes: number])[],
): readonly Access[] {
  const regions = states.map(([operand, address, bytes]) => [operand, { address, bytes }] as const);
  return [
    write("output", { address: output, bytes: outputBytes }),
    read("input", { address: input, bytes: inputBytes }),
    ...regions.map(([operand, region]) => read(operand, region)),
    ...regions.map(([operand, region]) => write(operand, region)),
  ];
}

/** An exponent that kernels shift by: MultiplyByQuantizedMultiplier takes [-31, 30]. */
function shifts(record: AnyRecord, names: readonly string[]): void {
  const fields = record as unknown as Readonly<Record<string, number>>;
  for (const name of names) {
    const value = fields[name] ?? NaN;
    if (!(value >= -31 && value <= 30)) throw refusal("plan-field", record, `has ${name} ${value}`);
  }
}

export function lstmFootprint(
  record: RecordOf<"unidirectionalSequenceLstm"> & Placed,
  variant: Variant,
): Footprint {
  atLeast(record, 1, ["batches", "steps", "inputDepth", "cells", "elementBytes"]);
  atLeast(record, 0, ["input", "output", "hidden", "cell", "weights", "scratch", "cellClip"]);
  atLeast(record, 0, ["updateMultiplier", "hiddenMultiplier"]);
  shifts(record, ["updateShift", "hiddenShift", "cellLeftShift"]);
  zeroPoints(record, ["hiddenZeroPoint"]);
  const { batches, steps, inputDepth, cells, elementBytes } = record;
  for (const [part, depth] of [
    ["input", inputDepth],
    ["output", cells],
  ] as const) {
    const bytes = product(record, depth, elementBytes);
    const [batch, step] = [record[`${part}BatchBytes`], record[`${part}StepBytes`]];
    const isDense =
      (step === bytes && batch === bytes * steps) || (batch === bytes && step === bytes * batches);
    if (!isDense) throw refusal("plan-field", record, `has ${part}s ${batch} and ${step} bytes apart`);
  }
  if (elementBytes > 2) throw refusal("plan-field", record, `has elements of ${elementBytes} bytes`);
  aligned(record, "cell", 2);
  for (const operand of ["input", "output", "hidden"]) aligned(record, operand, elementBytes);
  const elements = product(record, batches, steps, elementBytes);
  const values = product(record, batches, cells);
  product(record, cells, cells + inputDepth, 64);
  return {
    scratch: { address: record.scratch, bytes: lstmScratchBytes(variant, record) },
    weights: { address: record.weights, bytes: lstmWeightBytes(variant, record) },
    accesses: apartFromStates(
      record,
      product(record, elements, inputDepth),
      product(record, elements, cells),
      [
        ["hidden", record.hidden, product(record, values, elementBytes)],
        ["cell", record.cell, product(record, values, 2)],
      ],
    ),
  };
}

export function svdfFootprint(record: RecordOf<"svdf"> & Placed, variant: Variant): Footprint {
  atLeast(record, 1, ["batches", "inputDepth", "filters", "rank", "memory", "stateBytes"]);
  atLeast(record, 0, ["input", "output", "state", "weights", "scratch"]);
  atLeast(record, 0, ["featureMultiplier", "outputMultiplier"]);
  shifts(record, ["featureShift", "outputShift"]);
  zeroPoints(record, ["outputZeroPoint"]);
  const { batches, inputDepth, filters, rank, memory, stateBytes, stateZeroPoint } = record;
  if (filters % rank !== 0 || stateBytes > 2 || stateZeroPoint < -32768 || stateZeroPoint > 32767) {
    throw refusal(
      "plan-field",
      record,
      `has ${filters} filters of rank ${rank} with a state of ${stateBytes} bytes, zero point ${stateZeroPoint}`,
    );
  }
  aligned(record, "state", stateBytes);
  product(record, filters, Math.max(inputDepth, memory), 64);
  return {
    scratch: { address: record.scratch, bytes: svdfScratchBytes(variant, record) },
    weights: { address: record.weights, bytes: svdfWeightParts(variant, record).end },
    accesses: apartFromStates(
      record,
      product(record, batches, inputDepth),
      product(record, batches, filters / rank),
      [["state", record.state, product(record, batches, filters, memory, stateBytes)]],
    ),
  };
}
