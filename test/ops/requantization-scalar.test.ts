import fc from "fast-check";
import { expect, test } from "vitest";
import type { Channel, OutputRange } from "../../src/ops/requantization.ts";
import { planScalarRequantization } from "../../src/ops/requantization-scalar.ts";
import { Requantization } from "../../src/plan/format.ts";
import { clampTo, multiplyByQuantizedMultiplier } from "../reference/fixed-point.ts";

const NO_WEIGHTS = (): Int8Array => new Int8Array(0);

/** What the plan writes for its only channel. */
function headOf(
  channel: Channel,
  bias: number,
  output: OutputRange,
): { method: Requantization; offset: bigint } {
  const plan = planScalarRequantization([channel], Int32Array.of(bias), NO_WEIGHTS, output);
  const blocks = new DataView(new ArrayBuffer(12));
  plan.write(blocks, 0, 0, channel);
  if (plan.method === Requantization.single) {
    expect(blocks.getInt32(8, true)).toBe(channel.multiplier.multiplier);
  }
  return { method: plan.method, offset: blocks.getBigInt64(0, true) };
}

/** An int64, which nothing may leave. */
function int64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} is no int64`);
  return value;
}

/** storeScalar of assembly/micro/epilogue-scalar.ts, method `single`. */
function emulate(sum: number, offset: bigint, multiplier: number, output: OutputRange): number {
  const right = BigInt.asUintN(6, offset);
  let product = int64(BigInt(sum) * BigInt(multiplier) + offset);
  if (output.min < output.zeroPoint && right > 31n) {
    const second = BigInt(2 * output.zeroPoint + 1) << (right - 1n);
    product = int64((product >> 31n) * (2n ** 31n + 1n) + second);
  }
  // The kernels clamp an int32.
  return clampTo(Number(BigInt.asIntN(32, product >> right)), [output.min, output.max]);
}

function wanted(accumulator: number, { multiplier: m }: Channel, output: OutputRange): number {
  const value = multiplyByQuantizedMultiplier(accumulator, m.multiplier, m.shift) + output.zeroPoint;
  return clampTo(value, [output.min, output.max]);
}

/** Accumulators around every step of the output, around zero, and the ends. */
function interesting({ multiplier: m, low, high }: Channel, { zeroPoint }: OutputRange): number[] {
  const scale = m.multiplier * 2 ** (m.shift - 31);
  const steps = Array.from({ length: 258 }, (_, i) => Math.round((i - 129 - zeroPoint - 0.5) / scale));
  return [low, high, ...[0, ...steps].flatMap((a) => [a - 2, a - 1, a, a + 1, a + 2])].filter(
    (a) => a >= low && a <= high,
  );
}

test("the offset has the right shift, and is exact at every step", () => {
  let singles = 0;
  fc.assert(
    fc.property(
      fc.record({
        multiplier: fc.oneof(
          fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }),
          fc.integer({ min: 2 ** 14, max: 2 ** 15 - 1 }).map((high) => high * 2 ** 16),
        ),
        shift: fc.integer({ min: -25, max: 6 }),
      }),
      fc.integer({ min: -128, max: 127 }),
      fc.boolean(),
      fc.integer({ min: 4, max: 31 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.nat(31),
      (multiplier, zeroPoint, relu, bits, bias, less) => {
        const channel = { multiplier, low: -(2 ** bits), high: 2 ** bits - 1 };
        const output = { zeroPoint, min: relu ? zeroPoint : -128, max: 127 };
        const folded = bias >> less;
        const { method, offset } = headOf(channel, folded, output);
        const wraps = bits + Math.max(multiplier.shift, 0) >= 31 || Math.abs(folded) > 2 ** 31 - 2 ** bits;
        if (method === Requantization.scalar) {
          // Without relu a step below zero may forbid what a step above it asks for.
          expect(wraps || multiplier.shift < -23 || output.min < zeroPoint).toBe(true);
          return;
        }
        singles++;
        expect(BigInt.asUintN(6, offset)).toBe(BigInt(31 - multiplier.shift));
        const wrong = interesting(channel, output).filter(
          (a) => emulate(a - folded, offset, multiplier.multiplier, output) !== wanted(a, channel, output),
        );
        expect(wrong).toEqual([]);
      },
    ),
    { numRuns: 800 },
  );
  expect(singles).toBeGreaterThan(200);
});

test("an offset that the shift would lift over a step is lowered", () => {
  let lowered = 0;
  for (const relu of [true, false]) {
    for (let shift = -4; shift <= 0; shift++) {
      for (let q = -20; q <= 20; q++) {
        // Of a threshold the last product below falls short by what is left of it: less than its few factors.
        const threshold = (2 * q - 1) * 2 ** (30 - shift) + (shift === 0 ? 0 : q <= 0 ? 2 ** 30 : -(2 ** 30));
        for (let a = -60; a <= 60; a++) {
          const m = a === 0 ? 0 : Math.floor((threshold - 1) / a) + (a < 0 ? 1 : 0);
          const short = threshold - m * a;
          if (m < 2 ** 30 || m >= 2 ** 31 || short < 1 || short > 40) continue;
          const channel = { multiplier: { multiplier: m, shift }, low: -300, high: 300 };
          const output = { zeroPoint: relu ? -64 : 3, min: relu ? -64 : -128, max: 127 };
          for (let bias = 0; bias < 4; bias++) {
            const { method, offset } = headOf(channel, bias, output);
            if (method === Requantization.scalar && !relu) continue;
            expect(method).toBe(Requantization.single);
            const above = emulate(a - bias, offset + 64n, m, output);
            const value = emulate(a - bias, offset, m, output);
            expect(value).toBe(wanted(a, channel, output));
            if (above !== value) lowered++;
          }
        }
      }
    }
  }
  expect(lowered).toBeGreaterThan(30);
});

test("a lane holds as many products as fit it at worst", () => {
  const channel = { multiplier: { multiplier: 2 ** 30, shift: 0 }, low: -1, high: 1 };
  const output = { zeroPoint: 0, min: -128, max: 127 };
  const shifts = new Set<number>();
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 127 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: -128, max: 127 })), {
        minLength: 1,
        maxLength: 6,
      }),
      (most, runs) => {
        const weights = Int8Array.from(
          runs.flatMap(([length, weight]) => new Array<number>(length).fill(weight % (most + 1))),
        );
        const { shift } = planScalarRequantization([channel], Int32Array.of(0), () => weights, output);
        shifts.add(shift);
        const fits = (terms: number): boolean => {
          for (let first = 0; first < weights.length; first += terms) {
            const some = [...weights.subarray(first, first + terms)];
            const high = some.reduce((sum, w) => sum + Math.max(-128 * w, 127 * w), 0);
            const low = some.reduce((sum, w) => sum + Math.min(-128 * w, 127 * w), 0);
            if (high + 2 ** 20 - 1 >= 2 ** 21 || low + 2 ** 20 - 1 < 0) return false;
          }
          return true;
        };
        expect(fits(64 * 2 ** shift)).toBe(true);
        if (shift < 16) expect(fits(64 * 2 ** (shift + 1))).toBe(false);
      },
    ),
    { numRuns: 400 },
  );
  expect([...shifts]).toEqual(expect.arrayContaining([0, 1, 2, 16]));
});
