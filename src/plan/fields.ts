import { ExecutionError } from "../errors.ts";
import type { PlanRecord } from "./record.ts";

/** A record's place in the plan. */
export interface Placed {
  readonly index: number;
}

/** An error about a plan. */
export function planError(code: string, what: string): ExecutionError {
  return new ExecutionError(
    code,
    `${what}; the image is damaged or was made by another version: compile the model again`,
  );
}

/** An error about a record; `what` continues "record 3 (conv2d) …". */
export function refusal(
  code: string,
  { index, op }: Placed & Pick<PlanRecord, "op">,
  what: string,
): ExecutionError {
  return planError(code, `record ${index} (${op}) ${what}`);
}

/** Addresses, sizes and whatever kernels compute from them stay below: no int32 of theirs overflows. */
export const LIMIT = 2 ** 31;

export type AnyRecord = PlanRecord & Placed;

/** Throws unless every listed field is in [low, 2^31). */
export function atLeast(record: AnyRecord, low: number, names: readonly string[]): void {
  const fields = record as unknown as Readonly<Record<string, number>>;
  for (const name of names) {
    const value = fields[name] ?? NaN;
    if (!(value >= low && value < LIMIT)) throw refusal("plan-field", record, `has ${name} ${value}`);
  }
}

/** Throws unless the field is an address of a multiple of `alignment`. */
export function aligned(record: AnyRecord, name: string, alignment: number): void {
  const address = (record as unknown as Readonly<Record<string, number>>)[name] ?? NaN;
  if (address % alignment === 0) return;
  throw refusal("plan-field", record, `has ${name} at ${address}, which is no multiple of ${alignment}`);
}

/** Throws unless every listed field is a number of `elementBytes` bytes. */
export function zeroPoints(record: AnyRecord, names: readonly string[], elementBytes = 1): void {
  const fields = record as unknown as Readonly<Record<string, number>>;
  const half = 2 ** (8 * elementBytes - 1);
  for (const name of names) {
    const value = fields[name] ?? NaN;
    if (!(value >= -half && value < half)) throw refusal("plan-field", record, `has ${name} ${value}`);
  }
}

export function checkClamp(
  record: AnyRecord & { readonly activationMin: number; readonly activationMax: number },
): void {
  const { activationMin, activationMax } = record;
  if (activationMin >= -128 && activationMin <= activationMax && activationMax <= 127) return;
  throw refusal("plan-field", record, `clamps to ${activationMin} … ${activationMax}`);
}

/** The product of counts; throws where it is no size in memory. */
export function product(record: AnyRecord, ...factors: readonly number[]): number {
  const value = factors.reduce((a, b) => a * b, 1);
  if (value >= 0 && value < LIMIT) return value;
  throw refusal("plan-field", record, `has sizes ${factors.join(" × ")}, which no memory holds`);
}
