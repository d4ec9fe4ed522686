import type { Access, Footprint } from "./access.ts";
import { read, write } from "./access.ts";
import type { AnyRecord, Placed } from "./fields.ts";
import { aligned, atLeast, product, refusal, zeroPoints } from "./fields.ts";
import type { RecordOf } from "./record.ts";
import { lstmScratchBytes, lstmWeightBytes, svdfScratchBytes, svdfWeightParts } from "./recurrent-packing.ts";
import type { Variant } from "./variant.ts";

/**
 * A stateful operator whose input is `count` vectors, each read before its result is written; where they are `inOrder` of memory
 * a result may cover what has been read. States are there before, are written over their own bytes, and stay whole while results
 * are written.
 */
function* statefulAccesses(
  { input, output }: AnyRecord & { readonly input: number; readonly output: number },
  count: number,
  inputBytes: number,
  outputBytes: number,
  inOrder: boolean,
  states: readonly (readonly [operand: string, address: number, bytes: number])[],
): Generator<Access> {
  const regions = states.map(([operand, address, bytes]) => [operand, { address, bytes }] as const);
  for (const [operand, region] of regions) yield read(operand, region);
  for (const [operand, region] of regions) yield write(operand, region);
  if (inOrder) {
    for (let i = 0; i < count; i++) {
      yield read("input", { address: input + i * inputBytes, bytes: inputBytes });
      yield write("output", { address: output + i * outputBytes, bytes: outputBytes });
    }
  } else {
    yield write("output", { address: output, bytes: count * outputBytes });
    yield read("input", { address: input, bytes: count * inputBytes });
  }
  for (const [operand, region] of regions) yield read(operand, region);
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
  const isInOrder = [["input", inputDepth] as const, ["output", cells] as const].map(([part, depth]) => {
    const bytes = product(record, depth, elementBytes);
    const [batch, step] = [record[`${part}BatchBytes`], record[`${part}StepBytes`]];
    const byBatch = step === bytes && batch === bytes * steps;
    if (byBatch || (batch === bytes && step === bytes * batches))
      return byBatch || batches === 1 || steps === 1;
    throw refusal("plan-field", record, `has ${part}s ${batch} and ${step} bytes apart`);
  });
  if (elementBytes > 2) throw refusal("plan-field", record, `has elements of ${elementBytes} bytes`);
  aligned(record, "cell", 2);
  for (const operand of ["input", "output", "hidden"]) aligned(record, operand, elementBytes);
  const vectors = product(record, batches, steps);
  const [inputBytes, outputBytes] = [inputDepth * elementBytes, cells * elementBytes];
  product(record, vectors, Math.max(inputBytes, outputBytes));
  const values = product(record, batches, cells);
  product(record, cells, cells + inputDepth, 64);
  return {
    scratch: { address: record.scratch, bytes: lstmScratchBytes(variant, record) },
    weights: { address: record.weights, bytes: lstmWeightBytes(variant, record) },
    accesses: statefulAccesses(record, vectors, inputBytes, outputBytes, !isInOrder.includes(false), [
      ["hidden", record.hidden, product(record, values, elementBytes)],
      ["cell", record.cell, product(record, values, 2)],
    ]),
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
  product(record, batches, Math.max(inputDepth, filters));
  return {
    scratch: { address: record.scratch, bytes: svdfScratchBytes(variant, record) },
    weights: { address: record.weights, bytes: svdfWeightParts(variant, record).end },
    accesses: statefulAccesses(record, batches, inputDepth, filters / rank, true, [
      ["state", record.state, product(record, batches, filters, memory, stateBytes)],
    ]),
  };
}
