import fc from "fast-check";
import { expect, test } from "vitest";
import type { Channel, OutputRange } from "../../src/ops/requantization.ts";
import { planRequantization } from "../../src/ops/requantization.ts";
import type { Fused, SinglePrecision } from "../../src/ops/single-precision.ts";
import {
  doublyRounded,
  excessOfBits,
  searchFused,
  searchTwice,
  singlePrecision,
} from "../../src/ops/single-precision.ts";
import { Requantization } from "../../src/plan/format.ts";
import { clampTo, multiplyByQuantizedMultiplier } from "../reference/fixed-point.ts";

const multiplier = fc.oneof(
  fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }),
  fc.constantFrom(2 ** 30, 2 ** 31 - 1, 3 * 2 ** 29),
  fc.integer({ min: 2 ** 14, max: 2 ** 15 - 1 }).map((high) => high * 2 ** 16),
);

/** Eight channels whose output is 0 or more above the zero point, as after ReLU. */
const block = fc.record({
  channels: fc.array(
    fc.record({
      multiplier: fc.record({ multiplier, shift: fc.integer({ min: -16, max: 0 }) }),
      ends: fc.tuple(fc.integer({ min: -(2 ** 22), max: 2 ** 22 }), fc.integer({ min: 0, max: 2 ** 23 })),
      isEmpty: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  zeroPoint: fc.integer({ min: -128, max: 126 }),
  above: fc.nat(20),
  below: fc.nat(20),
});

function range(zeroPoint: number, above: number, below: number): OutputRange {
  const min = Math.min(zeroPoint + above, 126);
  return { zeroPoint, min, max: Math.max(127 - below, min + 1) };
}

/** How a form computes one accumulator, clamped. */
type Form = (constants: SinglePrecision, output: OutputRange, a: number) => number;

/** reluSingle4 of assembly/micro/epilogue.ts. */
function unfused({ scale, offset, bias }: SinglePrecision, { min, max }: OutputRange, a: number): number {
  const sum = (a + bias) | 0;
  const scaled = Math.fround(Math.fround(Math.fround(sum) * scale) + offset);
  const middle = (min + max + 1) >> 1;
  return clampTo(Math.fround(scaled + 12582912) - 12582912 + middle, [min, max]);
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** A float32 as a whole number of powers of two. */
function parts(value: number): readonly [mantissa: bigint, exponent: number] {
  float[0] = value;
  const word = bits[0] ?? 0;
  const exponent = (word >>> 23) & 255;
  const mantissa = (word & 0x7fffff) | (exponent > 0 ? 0x800000 : 0);
  return [BigInt(word < 0 ? -mantissa : mantissa), Math.max(exponent, 1) - 150];
}

/** float32(a · b + c) of float32 operands: rounded once, halves to even. */
function multiplyAdd(a: number, b: number, c: number): number {
  const [[am, ae], [bm, be], [cm, ce]] = [parts(a), parts(b), parts(c)];
  const unit = Math.min(ae + be, ce);
  const exact = ((am * bm) << BigInt(ae + be - unit)) + (cm << BigInt(ce - unit));
  const size = exact < 0n ? -exact : exact;
  // As many as leave 24 bits.
  let dropped = BigInt(Math.max(Math.floor(Math.log2(Number(size) + 1)) - 23, 0));
  while (size >> dropped >= 1n << 24n) dropped++;
  while (dropped > 0n && size >> dropped < 1n << 23n) dropped--;
  const [below, rest] = [size >> dropped, size & ((1n << dropped) - 1n)];
  const half = dropped === 0n ? 1n : 1n << (dropped - 1n);
  const nearest = rest > half || (rest === half && below % 2n === 1n) ? below + 1n : below;
  return Number(nearest) * 2 ** (Number(dropped) + unit) * (exact < 0n ? -1 : 1);
}

/** The float32 whose bits an accumulator is with its bias. */
function ofBits(sum: number): number {
  bits[0] = sum;
  return float[0] ?? NaN;
}

/** reluFusedSingle4 of assembly/micro/epilogue.ts. */
function fused({ scale, offset, bias }: SinglePrecision, output: OutputRange, a: number): number {
  return rounded(ofBits(a + bias), scale, offset, output);
}

/** By the bits of the sum: further out than its outputs are, they are not a whole number's. */
function rounded(a: number, scale: number, offset: number, output: OutputRange): number {
  float[0] = multiplyAdd(a, scale, offset);
  const difference = (bits[0] ?? NaN) - (0x4b400000 - output.zeroPoint);
  if (difference !== (difference | 0)) throw new RangeError(`${difference} wraps`);
  return clampTo(difference, [output.min, output.max]);
}

/** generalFusedSingle4, of a multiplier that shifts by `shift`, and the float32 that it makes of the accumulator. */
function fusedTwice(a: number, scale: number, offset: number, shift: number, output: OutputRange): number {
  const sum = multiplyAdd(a, scale, offset);
  return rounded(Math.fround(sum - 12582912), Math.fround(2 ** shift * (1 + 2 ** -23)), 12582912, output);
}

/** Searches for a channel's two roundings: what a form makes of an accumulator, or undefined. */
type Search = (channel: Channel, output: OutputRange) => ((a: number) => number) | undefined;

const TWICE: readonly [string, Search][] = [
  [
    "of a block",
    (channel, output) => {
      const found = doublyRounded([channel], output).get(channel);
      if (found === undefined) return undefined;
      const { scale, offset, bias } = found;
      return (a) => fusedTwice(ofBits(a + bias), scale, offset, channel.multiplier.shift, output);
    },
  ],
  [
    "of one multiplier",
    (channel, output) => {
      const found = searchTwice(channel, output, true);
      if (found === undefined) return undefined;
      const { scale, offset, bias } = ofUniform(found);
      return (a) => fusedTwice(ofBits(a + bias), scale, offset, channel.multiplier.shift, output);
    },
  ],
];

/** As prepareUniform of assembly/micro/epilogue.ts has it, of what the record holds. */
function ofUniform({ scale, excess, bias }: Fused): SinglePrecision {
  const held = excess - excessOfBits(scale);
  expect(held).toBeGreaterThanOrEqual(0);
  expect(held).toBeLessThan(2048);
  return { scale, bias, offset: Math.fround(12582912 - (Math.floor(12582912 * scale) + held)) };
}

const FORMS: readonly [string, boolean, Form][] = [
  ["two roundings and more", false, unfused],
  ["fused", true, fused],
];

function reference({ multiplier: m }: Channel, { zeroPoint, min, max }: OutputRange, a: number): number {
  return clampTo(multiplyByQuantizedMultiplier(a, m.multiplier, m.shift) + zeroPoint, [min, max]);
}

/** Accumulators around every step of the output that the channel reaches, its ends, and some between. */
function interesting({ multiplier: m, low, high }: Channel, { zeroPoint, min, max }: OutputRange): number[] {
  const scale = m.multiplier * 2 ** (m.shift - 31);
  const steps = Array.from({ length: max - min + 2 }, (_, i) =>
    Math.round((min + i - zeroPoint - 0.5) / scale),
  );
  const between = Array.from({ length: 50 }, (_, i) => Math.round(low + ((high - low) * i) / 50));
  return [low, high, ...between, ...steps.flatMap((a) => [a - 2, a - 1, a, a + 1, a + 2])].filter(
    (a) => a >= low && a <= high,
  );
}

test.each(FORMS)(
  "channels that get float32 constants step where the reference does: %s",
  (_, isFused, form) => {
    let given = 0;
    fc.assert(
      fc.property(block, ({ channels: drawn, zeroPoint, above, below }) => {
        const output = range(zeroPoint, above, below);
        const channels = drawn.map(({ multiplier, ends: [low, length], isEmpty }) => ({
          multiplier,
          low,
          high: low + (isEmpty ? length % 50 : length),
        }));
        const found = singlePrecision(channels, output, isFused);
        // All of a block, or none.
        expect([0, channels.length]).toContain(found.size);
        for (const [channel, constants] of found) {
          given++;
          for (const a of interesting(channel, output)) {
            expect(form(constants, output, a), `accumulator ${a}`).toBe(reference(channel, output, a));
          }
        }
      }),
      { numRuns: 1500 },
    );
    expect(given).toBeGreaterThan(500);
  },
);

test.each(FORMS)("every accumulator of a channel, one by one: %s", (_, isFused, form) => {
  const output = { zeroPoint: -128, min: -128, max: 127 };
  for (const [multiplier, shift] of [
    [1_415_926_535, -7],
    [1_073_741_824, -8],
    [2_000_000_011, -6],
    [1_718_281_828, 0],
  ] as const) {
    const channel = { multiplier: { multiplier, shift }, low: -70_000, high: 70_000 };
    const constants = singlePrecision([channel], output, isFused).get(channel);
    if (constants === undefined) throw new Error(`none for ${multiplier} · 2^${shift}`);
    for (let a = channel.low; a <= channel.high; a++) {
      if (form(constants, output, a) !== reference(channel, output, a)) {
        expect.fail(`accumulator ${a} of ${multiplier} · 2^${shift}`);
      }
    }
  }
});

test.each(TWICE)(
  "the fused form of two roundings steps where the reference does, on both sides of the zero point: %s",
  (_, search) => {
    const given = { all: 0, far: 0 };
    fc.assert(
      fc.property(
        fc.record({ multiplier, shift: fc.integer({ min: -14, max: 1 }) }),
        fc.tuple(fc.integer({ min: -(2 ** 24), max: 2 ** 20 }), fc.integer({ min: 0, max: 2 ** 25 })),
        fc.integer({ min: -128, max: 127 }),
        fc.tuple(fc.nat(40), fc.nat(40)),
        (m, [low, length], zeroPoint, [above, below]) => {
          const output = { zeroPoint, min: -128 + above, max: 127 - below };
          const channel = { multiplier: m, low, high: low + length };
          const form = search(channel, output);
          if (form === undefined) return;
          given.all++;
          // Numbers that are no whole ones any more, and those of two; of bits, sums further from 0 than they may be without a bias.
          if (low < -(2 ** 22) || channel.high > 2 ** 22) given.far++;
          for (const a of interesting(channel, output)) {
            expect(form(a), `accumulator ${a}`).toBe(reference(channel, output, a));
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(given.all).toBeGreaterThan(250);
    expect(given.far).toBeGreaterThan(80);
  },
);

test.each(TWICE)("two roundings, every accumulator one by one: %s", (_, search) => {
  const output = { zeroPoint: -5, min: -128, max: 127 };
  for (const [multiplier, shift] of [
    [1_415_926_535, -7],
    [1_200_000_000, -8],
    [1_618_033_989, -3],
    [2 ** 31 - 1, -9],
    [1_718_281_828, 0],
  ] as const) {
    const channel = { multiplier: { multiplier, shift }, low: -50_000, high: 50_000 };
    const form = search(channel, output);
    if (form === undefined) throw new Error(`none for ${multiplier} · 2^${shift}`);
    for (let a = channel.low; a <= channel.high; a++) {
      if (form(a) !== reference(channel, output, a)) {
        expect.fail(`accumulator ${a} of ${multiplier} · 2^${shift}`);
      }
    }
  }
});

test("the fused form of one multiplier steps where the reference does", () => {
  let given = 0;
  fc.assert(
    fc.property(
      fc.record({ multiplier, shift: fc.integer({ min: -16, max: 0 }) }),
      fc.tuple(fc.integer({ min: -(2 ** 22), max: 2 ** 22 }), fc.integer({ min: 0, max: 2 ** 23 })),
      fc.integer({ min: -128, max: 126 }),
      (m, [low, length], zeroPoint) => {
        const output = range(zeroPoint, 0, 0);
        const channel = { multiplier: m, low, high: low + length };
        const found = searchFused(channel, output, true);
        if (found === undefined) return;
        given++;
        for (const a of interesting(channel, output)) {
          expect(fused(ofUniform(found), output, a), `accumulator ${a}`).toBe(reference(channel, output, a));
        }
      },
    ),
    { numRuns: 500 },
  );
  expect(given).toBeGreaterThan(100);
});

/** Every fused form of a channel: what it makes of an accumulator, and the bias that makes bits of it. */
function fusedForms(
  channel: Channel,
  output: OutputRange,
): { readonly bias: number; readonly form: (a: number) => number }[] {
  const forms = [];
  const { shift } = channel.multiplier;
  const isRelu = output.min >= output.zeroPoint;
  const uniform = (isRelu ? searchFused : searchTwice)(channel, output, true);
  const block = (isRelu ? singlePrecision : doublyRounded)([channel], output, true).get(channel);
  for (const found of [block, uniform && ofUniform(uniform)]) {
    if (found === undefined) continue;
    const { scale, offset, bias } = found;
    const form = (a: number): number =>
      isRelu ? fused(found, output, a) : fusedTwice(ofBits(a + bias), scale, offset, shift, output);
    forms.push({ bias, form });
  }
  return forms;
}

/** Channels that the fused searches are wrong about without one of their bounds, and an accumulator for which they would be. */
test.each([
  [
    "sums of more than 24 bits",
    1_614_424_820,
    -16,
    [3_334_450, 7_851_854],
    { zeroPoint: 0, min: 0, max: 58 },
    3_356_236,
  ],
  ["a half below a step", 1_698_693_114, -1, [-1294, 1294], { zeroPoint: -1, min: -1, max: 127 }, 256],
  [
    "products of more than 53 bits",
    2 ** 31 - 1,
    -16,
    [8_268_567, 8_522_331],
    { zeroPoint: -1, min: -1, max: 127 },
    8_355_839,
  ],
  [
    "bits of numbers below 0",
    2_034_488_417,
    -28,
    [-1_017_780_494, -1_017_779_898],
    { zeroPoint: 32, min: 104, max: 127 },
    -1_017_780_494,
  ],
  [
    "bits of numbers below 0, of one multiplier",
    1_634_205_696,
    -24,
    [-1_973_177_145, -1_933_405_709],
    { zeroPoint: 52, min: 52, max: 77 },
    -1_973_177_145,
  ],
  [
    "bits of no numbers, rounded twice",
    1_320_940_663,
    -11,
    [-13_547_553, 1_276_535_331],
    { zeroPoint: 0, min: -128, max: 77 },
    1_276_535_331,
  ],
  [
    "bits of no numbers",
    1_300_301_385,
    -12,
    [-1_056_601_890, 1_056_601_890],
    { zeroPoint: -80, min: -61, max: 75 },
    1_056_601_890,
  ],
  [
    "sums below 0",
    2_147_483_583,
    0,
    [-218_544_147, 218_544_147],
    { zeroPoint: -49, min: -49, max: 127 },
    -218_544_147,
  ],
  [
    "sums below 0, rounded twice",
    2_147_483_584,
    0,
    [-533_098_605, 391_104],
    { zeroPoint: 77, min: -128, max: 125 },
    -533_098_605,
  ],
  [
    "a second rounding of 16 bits",
    2_147_483_520,
    -16,
    [-11_043_539, 11_043_537],
    { zeroPoint: -1, min: -128, max: 127 },
    6_455_295,
  ],
] as const)(
  "fused forms are right, or there are none: %s",
  (_, multiplier, shift, [low, high], output, a) => {
    const channel = { multiplier: { multiplier, shift }, low, high };
    for (const { bias, form } of fusedForms(channel, output)) {
      expect(low + bias).toBeGreaterThanOrEqual(0);
      // Those of infinity.
      expect(high + bias).toBeLessThan(0x7f800000);
      for (const near of [a - 1, a, a + 1, ...interesting(channel, output)]) {
        if (near < low || near > high) continue;
        expect(form(near), `accumulator ${near}`).toBe(reference(channel, output, near));
      }
    }
  },
);

test.each([
  ["two roundings and more", false, 600],
  ["fused", true, 760],
] as const)(
  "most blocks of usual channels get them, blocks of 8 with one channel that has none do not: %s",
  (_, isFused, many) => {
    const output = { zeroPoint: -128, min: -128, max: 127 };
    // A multiplier per channel, as training leaves them; the golden ratio spreads them.
    const usual = Array.from({ length: 800 }, (_, i) => ({
      multiplier: { multiplier: 2 ** 30 + Math.floor(((i * 0.618034) % 1) * 2 ** 30), shift: -7 },
      low: -60_000,
      high: 60_000,
    }));
    const size = singlePrecision(usual, output, isFused).size;
    expect(size).toBeGreaterThan(many);
    expect(size % 8).toBe(0);
    // Steps of a fine multiplier are closer together than float32 tells apart.
    const fine = { multiplier: { multiplier: 1_234_567_891, shift: -16 }, low: -(2 ** 27), high: 2 ** 27 };
    const mixed = [...usual.slice(0, 3), fine, ...usual.slice(3, 7)];
    expect(singlePrecision(mixed, output, isFused).size).toBe(0);
    expect(singlePrecision(usual.slice(0, 8), output, isFused).size).toBe(8);
  },
);

test.each([false, true])(
  "a block's head has float32 or doubles, told by its first offset, and no room for these where no block has them; fused: %s",
  (isFused) => {
    const output = { zeroPoint: -128, min: -128, max: 127 };
    const single = { multiplier: { multiplier: 1_415_926_535, shift: -7 }, low: -60_000, high: 60_000 };
    const fine = { multiplier: { multiplier: 1_234_567_891, shift: -16 }, low: -(2 ** 27), high: 2 ** 27 };
    const block = Array.from({ length: 8 }, () => ({ ...single }));
    const [first = single] = block;
    const mixed = planRequantization([...block, fine], output, 0, isFused);
    expect(mixed.method).toBe(isFused ? Requantization.reluFused : Requantization.relu);
    const write = (channel: Channel): { head: DataView; bias: number } => {
      const head = new DataView(new ArrayBuffer(160));
      mixed.write(head, 0, 0, channel);
      return { head, bias: mixed.accumulatorBias(channel) };
    };
    const constants = singlePrecision([single], output, isFused).get(single);
    const { head, bias } = write(first);
    const alone = planRequantization(block, output, 0, isFused);
    expect(alone.method).toBe(isFused ? Requantization.reluFusedSingle : Requantization.reluSingle);
    const short = new DataView(new ArrayBuffer(96));
    for (const [lane, channel] of block.entries()) alone.write(short, 0, lane, channel);
    for (const at of [32, 60, 64, 92])
      expect(short.getFloat32(at, true)).toBe(at < 64 ? constants?.scale : constants?.offset);
    expect(alone.accumulatorBias(first)).toBe(bias);
    expect(head.getFloat32(32, true)).toBe(constants?.scale);
    expect(head.getFloat32(64, true)).toBe(constants?.offset);
    expect(head.getBigInt64(96, true)).toBe(0n);
    expect(bias).toBe(constants?.bias);
    const doubles = write(fine);
    expect(doubles.head.getBigInt64(96, true)).not.toBe(0n);
    expect(doubles.bias).toBe(isFused ? 2 ** 31 : 0);
  },
);

test("of any output range most blocks have constants, and their heads float32, or doubles and a bias", () => {
  const output = { zeroPoint: 3, min: -128, max: 127 };
  const channels = (shift: number): Channel[] =>
    Array.from({ length: 800 }, (_, i) => ({
      multiplier: { multiplier: 2 ** 30 + Math.floor((((i + 1) * 0.618034) % 1) * 2 ** 30), shift },
      low: -60_000,
      high: 2 ** 20,
    }));
  const usual = channels(-7);
  const { size } = doublyRounded(usual, output);
  expect(size).toBeGreaterThan(790);
  expect(size % 8).toBe(0);
  const without = channels(-13).find((channel) => doublyRounded([channel], output).size === 0);
  if (without === undefined) throw new Error("all have constants");
  expect(doublyRounded([...usual.slice(0, 7), without], output).size).toBe(0);
  const block = usual.slice(0, 8);
  expect(planRequantization(block, output, 0, true).method).toBe(Requantization.generalFusedSingle);
  const plan = planRequantization([...block, without], output, 0, true);
  expect(plan.method).toBe(Requantization.generalFused);
  for (const channel of [...usual.slice(0, 1), without]) {
    const found = doublyRounded([channel], output).get(channel);
    const head = new DataView(new ArrayBuffer(192));
    plan.write(head, 0, 0, channel);
    const { multiplier, shift } = channel.multiplier;
    expect(head.getFloat32(96, true)).toBe(Math.fround(2 ** shift * (1 + 2 ** -23)));
    expect(head.getBigInt64(128, true) === 0n).toBe(channel !== without);
    expect(plan.accumulatorBias(channel)).toBe(found?.bias ?? 2 ** 31);
    if (found === undefined) expect(head.getFloat64(32, true)).toBe(multiplier * 2 ** -31);
    else expect(head.getFloat32(32, true)).toBe(found.scale);
    if (found !== undefined) expect(head.getFloat32(64, true)).toBe(found.offset);
  }
});

test.each(TWICE)("a channel of one sum has constants, though its multiplier is a half: %s", (_, search) => {
  for (const value of [-90, 0, 77]) {
    const channel = { multiplier: { multiplier: 2 ** 30, shift: 0 }, low: 2 * value, high: 2 * value };
    const form = search(channel, { zeroPoint: 0, min: -128, max: 127 });
    expect(form?.(2 * value)).toBe(value);
  }
});

test("outputs that begin further apart than 2^23 have no float32 constants, sums further out may", () => {
  const output = { zeroPoint: -128, min: -128, max: 127 };
  const channel = { multiplier: { multiplier: 1_415_926_535, shift: -7 }, low: -(2 ** 27), high: 2 ** 27 };
  expect(singlePrecision([channel], output, true).size).toBe(1);
  for (const [shift, isGiven] of [
    [-12, true],
    [-15, false],
  ] as const) {
    const fine = { ...channel, multiplier: { ...channel.multiplier, shift } };
    expect(singlePrecision([fine], output, true).size === 1, `shifted by ${shift}`).toBe(isGiven);
  }
});
