import { UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import type { PlanRecord } from "../plan/record.ts";
import { perTensor } from "./check.ts";
import type { Sides, UnaryPlace } from "./lookup.ts";
import { sigmoidTable } from "./sigmoid-table.ts";

/** 3 · 2^12 times an argument walks the table in steps of 1/24. */
const STEPS = 3;

/** The table's bytes, little-endian. */
export function packSigmoidTable(): Uint8Array {
  return new Uint8Array(sigmoidTable().buffer);
}

/** Products of an int16 with more leave int32. */
const MAX_MULTIPLIER = 65535;

/** LOGISTIC or TANH of int16. Reference: TFLite Micro kernels/logistic_common.cc, tanh.cc. */
export function sigmoidInt16(
  { inputScale }: Sides,
  { input, output, weights, length }: UnaryPlace,
  isTanh: boolean,
): PlanRecord {
  return {
    op: "sigmoidInt16",
    input,
    output,
    weights,
    length,
    ...scalingOf(inputScale, isTanh),
    isTanh: isTanh ? 1 : 0,
  };
}

/** @throws UnsupportedError multiplier-too-large, for an int16 input whose scale the table's step cannot take */
export function requireSigmoidScale(input: Tensor, isTanh: boolean): void {
  const { scale } = perTensor(input, "input");
  if (input.type !== "int16" || scalingOf(scale, isTanh).multiplier <= MAX_MULTIPLIER) return;
  throw new UnsupportedError(
    "multiplier-too-large",
    `input "${input.name}" is int16 of scale ${scale}; ${isTanh ? "TANH" : "LOGISTIC"} of int16 takes scales up to ` +
      `${MAX_MULTIPLIER / 4096 / STEPS}: quantise the model again, with samples of its real inputs`,
  );
}

function scalingOf(scale: number, isTanh: boolean): { readonly multiplier: number; readonly shift: number } {
  const power = Math.round(Math.log2(scale));
  const isPower = Math.abs(Math.log2(scale) - power) < 1e-3;
  const left = 12 + power;
  if (isPower && (left === 0 || (isTanh && left === 1))) return { multiplier: STEPS << left, shift: 0 };
  let multiplier = scale * 4096 * STEPS;
  let shift = 0;
  while (multiplier <= 32767 / 2 && shift <= 30) {
    shift++;
    multiplier *= 2;
  }
  return { multiplier: Math.trunc(multiplier), shift };
}
