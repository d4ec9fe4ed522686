import { expect } from "vitest";
import { Header, SLACK_BYTES } from "../../src/plan/format.ts";
import type { PlanToVerify } from "../../src/plan/verify.ts";
import type { Kernels } from "../kernel-harness.ts";

/** Runs the plan on the kernels: it ends, and only the arena changes. */
export function expectHarmless(kernels: Kernels, { sram, flashBytes }: PlanToVerify): void {
  const header = new Int32Array(sram.slice(0, 4 * Header.words).buffer);
  const limit = (header[Header.ramBytes] ?? 0) - SLACK_BYTES;
  const behind = limit + 4096;
  kernels.flash = new Uint8Array(flashBytes);
  kernels.bytes.fill(0x5a, 0, behind);
  kernels.bytes.set(sram);
  expect(kernels.exports.run(4 * Header.words)).toBe(0);
  expect(Buffer.compare(kernels.bytes.subarray(0, sram.length), sram)).toBe(0);
  const outside = [
    kernels.bytes.subarray(sram.length, header[Header.arenaAddress]),
    kernels.bytes.subarray(limit, behind),
  ];
  for (const bytes of outside) expect(bytes.every((byte) => byte === 0x5a)).toBe(true);
}
