import { Header, MAGIC, PLAN_VERSION, SLACK_BYTES } from "../../src/plan/format.ts";
import type { PlanRecord } from "../../src/plan/record.ts";
import { encodeRecord } from "../../src/plan/record.ts";
import type { Variant } from "../../src/plan/variant.ts";
import { VARIANTS } from "../../src/plan/variant.ts";
import type { InputRows } from "../../src/plan/replay.ts";
import type { PlanToVerify, ValueRange } from "../../src/plan/verify.ts";

/** Sections of every plan in these tests: records, constants, arena. */
export const PLAN_BYTES = 65536;
export const CONSTANTS = PLAN_BYTES;
export const CONSTANT_BYTES = 32768;
export const ARENA = PLAN_BYTES + CONSTANT_BYTES;
export const FLASH_BYTES = 65536;

/** A record, and the value ids of its operands in the order of `operandNames`. */
export interface PlanStep {
  readonly record: PlanRecord;
  readonly ids: readonly number[];
}

export interface PlanParts {
  readonly variant?: Variant;
  readonly steps: readonly PlanStep[];
  /** Bytes that records may write. */
  readonly arenaBytes: number;
  readonly inputRows?: readonly (InputRows | undefined)[];
  readonly initial?: readonly ValueRange[];
  readonly final?: readonly ValueRange[];
  readonly states?: readonly ValueRange[];
}

/** The steps as a plan, with its header and an end record. */
export function writePlan({
  variant = "simd",
  steps,
  arenaBytes,
  inputRows = [],
  initial = [],
  final = [],
  states = [],
}: PlanParts): PlanToVerify {
  const words = new Int32Array(ARENA / 4);
  words[Header.magic] = MAGIC;
  words[Header.version] = PLAN_VERSION;
  words[Header.variant] = VARIANTS.indexOf(variant);
  words[Header.entry] = 4 * Header.words;
  words[Header.planBytes] = PLAN_BYTES;
  words[Header.residentWeightBytes] = CONSTANT_BYTES;
  words[Header.arenaAddress] = ARENA;
  words[Header.ramBytes] = ARENA + arenaBytes + SLACK_BYTES;
  let at: number = Header.words;
  for (const { record } of [...steps, { record: { op: "end" } as const }]) {
    const encoded = encodeRecord(record);
    if (4 * (at + encoded.length) > PLAN_BYTES) throw new RangeError("too many records for this test");
    words.set(encoded, at);
    at += encoded.length;
  }
  return {
    variant,
    sram: new Uint8Array(words.buffer),
    flashBytes: FLASH_BYTES,
    operands: Int32Array.from(steps.flatMap(({ ids }) => ids)),
    inputRows,
    initial,
    final,
    states,
  };
}
