import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { softmax } from "../../src/ops/softmax.ts";
import type { Kernels } from "../kernel-harness.ts";
import { provedKernels } from "../kernel-harness.ts";
import { zeroPoint } from "./elementwise.ts";
import { executeWithin, importNode, int8Tensor, int8Values, lowerNode } from "./node.ts";
import { expOfNegative, softmaxReference } from "../reference/softmax.ts";
import { count, type Int8Tensor } from "../reference/tensor.ts";

interface SoftmaxCase {
  readonly input: Int8Tensor;
  readonly beta: number;
  /** Bytes below the input to write to, where both share memory. */
  readonly below: number;
}

const OUTPUT = { scale: 1 / 256, zeroPoint: -128 };

const softmaxCase: fc.Arbitrary<SoftmaxCase> = fc
  .record({
    shape: fc.oneof(
      fc.array(fc.constantFrom(1, 2, 3, 5), { minLength: 1, maxLength: 5 }),
      fc.constantFrom([40], [2, 129]),
    ),
    scale: fc.double({ min: -6.5, max: 2, noNaN: true }).map((power) => Math.fround(10 ** power)),
    beta: fc.constantFrom(1, 1, 0.5, 0.1, 2, 10).map(Math.fround),
    zeroPoint,
    seed: fc.nat(),
    // Small differences exercise the polynomial, large ones the cut-off.
    spread: fc.constantFrom(1, 4, 32),
    below: fc.nat(20),
  })
  .map(({ shape, scale, zeroPoint, seed, spread, ...rest }) => {
    const values = int8Values(seed, count(shape)).map((x) => Math.trunc(x / spread));
    return { input: { shape, scale, zeroPoint, values }, ...rest };
  });

/** Runs the case apart and over its own input. */
function check(kernels: Kernels, { input, beta, below }: SoftmaxCase, expected: Int8Array): void {
  const length = expected.length;
  const output = int8Tensor("output", { shape: input.shape, ...OUTPUT });
  const node = importNode(softmax, [int8Tensor("input", input)], output, { 0: beta });
  const distance = softmax.overlapDistance?.(node, 0, kernels.variant);
  expect(distance).toBe(0);
  for (const shared of [false, true]) {
    kernels.reset();
    kernels.allocate(32);
    const from = kernels.placeActivations(input.values);
    const to = shared ? from - below : kernels.allocate(length);
    const record = lowerNode(softmax, node, kernels, {
      inputs: [{ address: from }],
      outputs: [{ address: to }],
    });
    executeWithin(kernels, record, to, to + length);
    expect(kernels.readActivations(to, length)).toEqual(expected);
  }
}

const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

/** The float32 whose bit pattern is `pattern`; patterns of positive numbers are in their order. */
function fromBits(pattern: number): number {
  bits[0] = pattern;
  return float[0] ?? 0;
}

/**
 * Pairs of values `difference` apart at the two neighbouring scales between which the smaller one's share of 256 falls
 * below `share` − ½. There a rounding error of few 2^-31 anywhere shows in the output.
 */
function* stepsOf(difference: number): Generator<{ input: Int8Tensor; expected: Int8Array }> {
  const at = (pattern: number): { input: Int8Tensor; expected: Int8Array } => {
    const values = Int8Array.of(100 - difference, 100);
    const input = { shape: [2], scale: fromBits(pattern), zeroPoint: 0, values };
    return { input, expected: softmaxReference(input, 1) };
  };
  for (let share = 1; share <= 128; share++) {
    const p = (share - 0.5) / 256;
    float[0] = Math.log((1 - p) / p) / difference;
    let [low, high] = [(bits[0] ?? 0) - 4096, (bits[0] ?? 0) + 4096];
    while (high - low > 1) {
      const middle = low + ((high - low) >> 1);
      if ((at(middle).expected[0] ?? 0) >= share - 128) low = middle;
      else high = middle;
    }
    yield at(low);
    yield at(high);
  }
}

const steps = [1, 7, 100].flatMap((difference) => [...stepsOf(difference)]);

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "softmax (%s)",
  (_, kernels) => {
    test("equals the reference for any rank, scale and beta, in place too", () => {
      fc.assert(
        fc.property(softmaxCase, (c) => {
          check(kernels, c, softmaxReference(c.input, c.beta));
        }),
        { numRuns: 200 },
      );
    });

    test.each([0.00002, 0.001, 0.0204, 0.11, 0.97, 31, 33, 1e6])(
      "equals the reference for every difference at scale %f",
      (scale) => {
        const values = Int8Array.from({ length: 256 }, (_, i) => i - 128);
        const input = { shape: [256], scale: Math.fround(scale), zeroPoint: 0, values };
        check(kernels, { input, beta: 1, below: 0 }, softmaxReference(input, 1));
      },
    );

    test("equals the reference for every pair, which shows the least error of the exponential", () => {
      const values = Int8Array.from({ length: 512 }, (_, i) => (i % 2 === 0 ? 127 : 127 - (i >> 1)));
      for (let step = 1; step <= 60; step++) {
        const input = { shape: [256, 2], scale: Math.fround(0.0007 * step), zeroPoint: 0, values };
        check(kernels, { input, beta: 1, below: 0 }, softmaxReference(input, 1));
      }
    });

    test("equals the reference on both sides of where an output steps", () => {
      for (const { input, expected } of steps) check(kernels, { input, beta: 1, below: 0 }, expected);
    });

    test("equals the reference for sums of many small exponentials", () => {
      const values = new Int8Array(12 * 1000);
      for (let row = 0; row < 12; row++) values.fill(-row - 1, row * 1000 + 1, (row + 1) * 1000);
      const input = { shape: [12, 1000], scale: 1, zeroPoint: 0, values };
      check(kernels, { input, beta: 1, below: 0 }, softmaxReference(input, 1));
    });

    // From 512 equal values on, the last shift is by 32 and more.
    test.each([255, 256, 257, 511, 512, 513, 1000, 4096, 4097, 8191])("divides one by %i", (depth) => {
      const values = new Int8Array(depth).fill(7);
      const input = { shape: [depth], scale: 0.5, zeroPoint: 0, values };
      const expected = new Int8Array(depth).fill(depth < 512 ? -127 : -128);
      expect(softmaxReference(input, 1)).toEqual(expected);
      check(kernels, { input, beta: 1, below: 0 }, expected);
    });
  },
);

test("the scales of the steps are where an output steps", () => {
  const outputs = steps.map(({ expected }) => expected[0]);
  const wanted = [1, 7, 100].flatMap(() => Array.from({ length: 256 }, (_, i) => (i >> 1) - 127 - (i % 2)));
  expect(outputs).toEqual(wanted);
});

test("the reference is a softmax", () => {
  const values = Int8Array.of(10, 10, -20, 30, 127, -128);
  const input = { shape: [2, 3], scale: Math.fround(0.05), zeroPoint: 3, values };
  const real = [0, 3].flatMap((start) => {
    const e = [...values.subarray(start, start + 3)].map((x) => Math.exp(0.05 * (x - 3)));
    const sum = e.reduce((a, b) => a + b);
    return e.map((x) => Math.round((256 * x) / sum) - 128);
  });
  expect([...softmaxReference(input, 1)]).toEqual(real.map((x) => Math.min(x, 127)));
});

test("the reference's exponential is near exp", () => {
  for (let a = -(31 * 2 ** 26); a <= 0; a += 1234567) {
    expect(Math.abs(expOfNegative(a) / 2 ** 31 - Math.exp(a / 2 ** 26))).toBeLessThan(1e-6);
  }
});

describe("prepare", () => {
  const prepare = (input: Partial<Int8Tensor>, output: Partial<Int8Tensor> = {}, beta = 1): unknown => {
    const from = { shape: [1, 4], scale: 0.1, zeroPoint: 0, ...input };
    const to = int8Tensor("output", { shape: from.shape, ...OUTPUT, ...output });
    return importNode(softmax, [int8Tensor("input", from)], to, { 0: beta });
  };
  const refuses = (code: string): unknown => expect.objectContaining({ code });

  test("takes what the kernel computes", () => {
    expect(() => prepare({})).not.toThrow();
    expect(() => prepare({ shape: [2, 8191] })).not.toThrow();
  });

  test("refuses an output that is not 1/256 from -128", () => {
    expect(() => prepare({}, { scale: 1 / 128 })).toThrow(refuses("softmax-output"));
    expect(() => prepare({}, { zeroPoint: 0 })).toThrow(refuses("softmax-output"));
  });

  test("refuses beta and scales that give no fixed-point exponent", () => {
    for (const beta of [0, -1, NaN, Infinity])
      expect(() => prepare({}, {}, beta)).toThrow(refuses("softmax-beta"));
    expect(() => prepare({ scale: 2 ** -26 })).toThrow(refuses("softmax-scale"));
    expect(() => prepare({ scale: Math.fround(1.01 * 2 ** -26) })).not.toThrow();
  });

  test("refuses a sum that may leave 32 bits, and scalars", () => {
    expect(() => prepare({ shape: [8192] })).toThrow(refuses("softmax-depth"));
    expect(() => prepare({ shape: [] })).toThrow(refuses("unsupported-rank"));
  });
});
