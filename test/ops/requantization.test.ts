import fc from "fast-check";
import { expect, test } from "vitest";
import { firstHit } from "../../src/ops/first-hit.ts";
import type { Channel } from "../../src/ops/requantization.ts";
import { planRequantization, planUniform } from "../../src/ops/requantization.ts";
import { floatBits } from "../../src/ops/scale-bits.ts";
import type { Fused } from "../../src/ops/single-precision.ts";
import { excessOfBits, searchFused, searchTwice } from "../../src/ops/single-precision.ts";
import { Requantization } from "../../src/plan/format.ts";
import { clampTo, multiplyByQuantizedMultiplier } from "../reference/fixed-point.ts";

test("firstHit is the first hit", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3000 }),
      fc.nat(3000),
      fc.nat(3000),
      fc.nat(3000),
      fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(10_000)),
      (modulus, step, a, b, limit) => {
        const low = Math.min(a % modulus, b % modulus);
        const high = Math.max(a % modulus, b % modulus);
        const hits = Array.from({ length: modulus }, (_, k) => (k * (step % modulus)) % modulus);
        const first = hits.findIndex((value) => value >= low && value <= high);
        const wanted = first < 0 || first >= limit ? Infinity : first;
        expect(firstHit(step % modulus, modulus, low, high, limit)).toBe(wanted);
      },
    ),
    { numRuns: 2000 },
  );
});

const multiplier = fc.record({
  multiplier: fc.oneof(
    fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }),
    fc.integer({ min: 2 ** 14, max: 2 ** 15 - 1 }).map((high) => high * 2 ** 16),
  ),
  shift: fc.integer({ min: -24, max: 2 }),
});

/** The arithmetic of assembly/micro/epilogue.ts in JavaScript, for one accumulator; undefined for integer methods. */
function emulate(
  method: Requantization,
  { multiplier: m }: Channel,
  zeroPoint: number,
  a: number,
): number | undefined {
  const scale = m.multiplier * 2 ** (m.shift - 31);
  if (method === Requantization.relu) {
    const offset = 1572864.5 + (m.shift < 0 ? 2 ** (m.shift - 1) : 0) + zeroPoint;
    return Math.floor(a * scale + offset) - 1572864;
  }
  if (method === Requantization.general) {
    const y = a * m.multiplier * 2 ** (Math.max(m.shift, 0) - 31) + 6755399441055744 - 6755399441055744;
    const fine = Math.fround(2 ** Math.min(m.shift, 0) * (1 + 2 ** -23));
    return Math.fround(Math.fround(Math.fround(y) * fine) + 12582912) - 12582912 + zeroPoint;
  }
  return undefined;
}

/** Accumulators around every step of the output, and the ends. */
function interesting({ multiplier: m, low, high }: Channel, zeroPoint: number): number[] {
  const scale = m.multiplier * 2 ** (m.shift - 31);
  const steps = Array.from({ length: 258 }, (_, i) => Math.round((i - 129 - zeroPoint - 0.5) / scale));
  return [low, high, ...steps.flatMap((a) => [a - 2, a - 1, a, a + 1, a + 2])].filter(
    (a) => a >= low && a <= high,
  );
}

test("the chosen method is exact at every step", () => {
  const chosen = new Map<Requantization, number>();
  fc.assert(
    fc.property(
      multiplier,
      fc.integer({ min: -128, max: 127 }),
      fc.boolean(),
      fc.integer({ min: 4, max: 30 }),
      (m, zeroPoint, relu, bits) => {
        const channel = { multiplier: m, low: -(2 ** bits) + 1, high: 2 ** bits - 1 };
        const min = relu ? zeroPoint : -128;
        const { method } = planRequantization([channel], { zeroPoint, min, max: 127 }, 0, false);
        chosen.set(method, (chosen.get(method) ?? 0) + 1);
        for (const a of interesting(channel, zeroPoint)) {
          const value = emulate(method, channel, zeroPoint, a);
          if (value === undefined) return;
          const wanted = multiplyByQuantizedMultiplier(a, m.multiplier, m.shift) + zeroPoint;
          expect(clampTo(value, [min, 127]), `accumulator ${a}`).toBe(clampTo(wanted, [min, 127]));
        }
      },
    ),
    { numRuns: 1500 },
  );
  for (const method of [Requantization.relu, Requantization.general, Requantization.wide]) {
    expect(chosen.get(method) ?? 0).toBeGreaterThan(30);
  }
});

test("one multiplier for all channels takes what is proved for each, and makes its constants of it", () => {
  const planned = new Map<Requantization | undefined, number>();
  const twins = new Map([
    [Requantization.relu, Requantization.uniformRelu],
    [Requantization.reluSingle, Requantization.uniformRelu],
    [Requantization.general, Requantization.uniformGeneral],
  ]);
  fc.assert(
    fc.property(multiplier, fc.boolean(), fc.integer({ min: 4, max: 30 }), (m, relu, bits) => {
      const channel = { multiplier: m, low: -(2 ** bits) + 1, high: 2 ** bits - 1 };
      const output = { zeroPoint: -7, min: relu ? -7 : -128, max: 127 };
      const channels = [channel, { ...channel, low: 0 }];
      const plan = planUniform(channels, output, false);
      planned.set(plan?.method, (planned.get(plan?.method) ?? 0) + 1);
      const alone = planRequantization(channels, output, 0, false).method;
      expect(plan?.method).toBe(m.shift <= 0 ? twins.get(alone) : undefined);
      if (plan !== undefined) expect(plan.shift).toBe(-m.shift);
    }),
    { numRuns: 1000 },
  );
  expect(planned.size).toBe(3);
  for (const count of planned.values()) expect(count).toBeGreaterThan(30);
});

test("with a fused multiply-add one multiplier is a float32 scale, and the record has what it needs", () => {
  const multiplier = { multiplier: 1_415_926_535, shift: -7 };
  const wide = { multiplier, low: -60_000, high: 50_000 };
  const channels = [
    { ...wide, high: 100 },
    { ...wide, low: 0 },
  ];
  const output = { zeroPoint: -7, min: -128, max: 127 };
  const relu = { ...output, min: -7 };
  for (const [range, method, search] of [
    [relu, Requantization.uniformReluFused, searchFused],
    [output, Requantization.uniformGeneralFused, searchTwice],
  ] as const) {
    const { scale, excess, bias } = search(wide, range, true) as Fused;
    const plan = planUniform(channels, range, true);
    const shift = 32 * (excess - excessOfBits(scale)) + 7;
    expect(plan).toMatchObject({ method, shift, multiplier: floatBits(scale) });
    // One function for all channels, and so one bias.
    for (const channel of channels) expect(plan?.accumulatorBias(channel)).toBe(bias);
  }
  // The excess ends where the record's half word does.
  const wider = { low: -2345, high: 2340, multiplier: { multiplier: 1_612_383_978, shift: -3 } };
  expect(planUniform([wider], { zeroPoint: 82, min: -128, max: 127 }, true)?.shift ?? 0).toBeLessThan(
    2 ** 16,
  );
  // What float32 cannot do goes by other methods.
  const fine = { ...wide, multiplier: { ...multiplier, shift: -16 } };
  expect(planUniform([fine], output, true)).toBeUndefined();
});

test("channels of several multipliers, or none, have no uniform one", () => {
  const output = { zeroPoint: 0, min: -128, max: 127 };
  const channel = { multiplier: { multiplier: 2 ** 30 + 3, shift: -3 }, low: -100, high: 100 };
  expect(planUniform([channel, channel], output, false)?.shift).toBe(3);
  expect(planUniform([], output, false)).toBeUndefined();
  for (const other of [
    { multiplier: 2 ** 30 + 3, shift: -4 },
    { multiplier: 2 ** 30 + 5, shift: -3 },
  ]) {
    expect(planUniform([channel, { ...channel, multiplier: other }], output, false)).toBeUndefined();
  }
});

test("a layer may have more channels than a call takes arguments", () => {
  const channel = { multiplier: { multiplier: 1_415_926_535, shift: -7 }, low: -60_000, high: 60_000 };
  const output = { zeroPoint: 0, min: -128, max: 127 };
  const many = Array.from({ length: 300_000 }, () => channel);
  expect(planUniform(many, output, true)?.method).toBe(Requantization.uniformGeneralFused);
  // Twos in the multiplier make halves, which only integers send where the reference does.
  const even = { ...channel, multiplier: { multiplier: 2 ** 30, shift: -7 } };
  expect(planRequantization([...many, even], output, 0, false)).toMatchObject({
    method: Requantization.wide,
    shift: 7,
  });
});

/** The inverse of an odd number modulo 2^bits. */
function inverse(odd: bigint, bits: bigint): bigint {
  let x = 1n;
  for (let i = 0; i < 7; i++) x = (x * (2n - odd * x)) & ((1n << bits) - 1n);
  return x;
}

test("a multiplier whose quotient falls just short of a step is not given to relu", () => {
  // Find m and a with a·m + K ≡ −1 modulo M: the quotient is 2^-(31+e) short of an integer.
  let refused = 0;
  for (let e = 6n; e <= 9n; e++) {
    const bits = 31n + e;
    const modulus = 1n << bits;
    const rounding = (1n << 30n) + (1n << (30n + e));
    for (let a = 1001n; a < 60001n && refused < 40; a += 2n) {
      const m = ((modulus - 1n - (rounding % modulus) + modulus) * inverse(a, bits)) % modulus;
      if (m < 1n << 30n || m >= 1n << 31n || a * m > 120n * modulus) continue;
      const channel = {
        multiplier: { multiplier: Number(m), shift: -Number(e) },
        low: -(2 ** 20),
        high: 2 ** 20,
      };
      const output = { zeroPoint: -128, min: -128, max: 127 };
      const wrong = emulate(Requantization.relu, channel, -128, Number(a));
      const right = multiplyByQuantizedMultiplier(Number(a), Number(m), -Number(e)) - 128;
      expect(wrong).toBe(right + 1);
      expect(planRequantization([channel], output, 0, false).method).not.toBe(Requantization.relu);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(3);
});

test("nor one whose product, rounded to a double, is lifted over a step", () => {
  // As above, but short by more than the sum's rounding alone lifts: by up to what the product's rounding adds.
  const e = 17n;
  const bits = 31n + e;
  const modulus = 1n << bits;
  const rounding = (1n << 30n) + (1n << (30n + e));
  const short = 1n << (e - 2n);
  let refused = 0;
  for (let a = 20_000_001n; refused < 2; a += 2n) {
    const inverted = inverse(a, bits);
    for (let gap = short + 1n; gap <= short + 4n; gap++) {
      const m = ((2n * modulus - gap - (rounding % modulus)) * inverted) % modulus;
      if (m < 1n << 30n || m >= 1n << 31n) continue;
      const channel = {
        multiplier: { multiplier: Number(m), shift: -Number(e) },
        low: 2 ** 24,
        high: 2 ** 25,
      };
      const wrong = emulate(Requantization.relu, channel, -128, Number(a));
      const right = multiplyByQuantizedMultiplier(Number(a), Number(m), -Number(e)) - 128;
      if (wrong === right) continue;
      const output = { zeroPoint: -128, min: -128, max: 127 };
      expect(planRequantization([channel], output, 0, false).method).not.toBe(Requantization.relu);
      refused++;
    }
  }
});
