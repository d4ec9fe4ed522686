import fc from "fast-check";
import { expect, test } from "vitest";
import { clampTo } from "../reference/fixed-point.ts";
import { bounds16, clamp16, multiplyWide, scaled } from "../reference/int16.ts";
import { coordinates, count } from "../reference/tensor.ts";
import { biasOperand, int16Values, operand, result, scale, size } from "./int16.ts";
import { checkOperator } from "./operator.ts";

const f = Math.fround;

test("convolutions equal the reference, with sums of 64 bits and of 32", async () => {
  const cases = fc.record({
    shape: fc.tuple(fc.constantFrom(1, 2), size, size),
    depth: fc.integer({ min: 1, max: 19 }),
    channels: size,
    kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    stride: fc.integer({ min: 1, max: 2 }),
    bias: fc.constantFrom<"int64" | "int32" | undefined>("int64", "int32", undefined),
    activation: fc.integer({ min: 0, max: 3 }),
    isDepthwise: fc.boolean(),
    // Just below a power of two a multiplier has no 16 bits of its own.
    isNearPower: fc.boolean(),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ shape: [n, h, w], kernel: [kh, kw], ...c }) => {
      const { depth, stride, activation, isDepthwise, seed } = c;
      fc.pre(!(isDepthwise && c.bias === "int32"));
      const channels = isDepthwise ? depth : c.channels;
      const taps = isDepthwise ? kh * kw : kh * kw * depth;
      const [inputScale, outputScale] = [Math.fround(2e-4), Math.fround(2e-4 * Math.sqrt(taps))];
      const nearPower = (outputScale / inputScale) * 0.99999 * 2 ** -7;
      const scales = Array.from({ length: channels }, (_, i) =>
        f(c.isNearPower ? nearPower : 0.004 + 0.001 * i),
      );
      const values = int16Values(seed, n * h * w * depth);
      const weights = Int8Array.from({ length: channels * taps }, (_, i) => ((i * 37 + seed) % 255) - 127);
      const weightOf = (o: number, ky: number, kx: number, i: number): number =>
        (isDepthwise
          ? weights[(ky * kw + kx) * channels + o]
          : weights[((o * kh + ky) * kw + kx) * depth + i]) ?? NaN;
      const bias = BigInt64Array.from({ length: channels }, (_, i) =>
        c.bias === undefined ? 0n : BigInt(i * 70_001 - 90_000) * (c.bias === "int64" ? 1_000n : 1n),
      );
      const [outH, outW] = [Math.ceil(h / stride), Math.ceil(w / stride)];
      const pad = (size: number, out: number, k: number): number =>
        Math.floor(Math.max(0, (out - 1) * stride + k - size) / 2);
      const outShape = [n, outH, outW, channels];
      const isWide = isDepthwise || c.bias !== "int32";
      const expected = Array.from({ length: count(outShape) }, (_, index) => {
        const [b = 0, y = 0, x = 0, o = 0] = coordinates(outShape, index);
        let sum = bias[o] ?? 0n;
        for (let ky = 0; ky < kh; ky++) {
          for (let kx = 0; kx < kw; kx++) {
            const row = y * stride - pad(h, outH, kh) + ky;
            const column = x * stride - pad(w, outW, kw) + kx;
            if (row < 0 || row >= h || column < 0 || column >= w) continue;
            for (let i = isDepthwise ? o : 0; i < (isDepthwise ? o + 1 : depth); i++) {
              const value = values[((b * h + row) * w + column) * depth + i] ?? NaN;
              sum += BigInt(value * weightOf(o, ky, kx, i));
            }
          }
        }
        const real = (inputScale * (scales[o] ?? NaN)) / outputScale;
        const value = isWide ? multiplyWide(sum, real) : scaled(Number(BigInt.asIntN(32, sum)), real);
        return clampTo(value, bounds16(activation, outputScale));
      });
      await checkOperator({
        builtin: isDepthwise ? 4 : 3,
        options: isDepthwise
          ? [{ byte: 0 }, { int: stride }, { int: stride }, { int: 1 }, { byte: activation }]
          : [{ byte: 0 }, { int: stride }, { int: stride }, { byte: activation }],
        operands: [
          operand([n, h, w, depth], inputScale, values),
          {
            shape: isDepthwise ? [1, kh, kw, channels] : [channels, kh, kw, depth],
            type: "int8",
            scales,
            zeroPoints: scales.map(() => 0),
            axis: isDepthwise ? 3 : 0,
            values: weights,
            isConstant: true,
          },
          ...biasOperand(c.bias, bias),
        ],
        outputs: [result(outShape, outputScale, expected)],
      });
    }),
    { numRuns: 40 },
  );
});

test("fully connected layers equal the reference, with sums of 64 bits and of 32", async () => {
  const cases = fc.record({
    rows: size,
    depth: fc.integer({ min: 1, max: 40 }),
    channels: size,
    bias: fc.constantFrom<"int64" | "int32" | undefined>("int64", "int32", undefined),
    isPerChannel: fc.boolean(),
    activation: fc.integer({ min: 0, max: 3 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ rows, depth, channels, activation, isPerChannel, seed, ...c }) => {
      const [inputScale, outputScale] = [f(2e-4), f(3e-4 * Math.sqrt(depth))];
      const scales = Array.from({ length: isPerChannel ? channels : 1 }, (_, i) => f(0.004 + 0.001 * i));
      const values = int16Values(seed, rows * depth);
      const weights = Int8Array.from({ length: channels * depth }, (_, i) => ((i * 37 + seed) % 255) - 127);
      const bias = BigInt64Array.from({ length: channels }, (_, i) =>
        c.bias === undefined ? 0n : BigInt(i * 70_001 - 90_000) * (c.bias === "int64" ? 1_000n : 1n),
      );
      const expected = Array.from({ length: rows * channels }, (_, index) => {
        const o = index % channels;
        let sum = bias[o] ?? 0n;
        for (let i = 0; i < depth; i++) {
          const value = values[Math.floor(index / channels) * depth + i] ?? NaN;
          sum += BigInt(value * (weights[o * depth + i] ?? NaN));
        }
        // One scale for all: its product with the input's is rounded to float32.
        const product =
          scales.length > 1 ? inputScale * (scales[o] ?? NaN) : f(inputScale * (scales[0] ?? NaN));
        const real = product / outputScale;
        const isWide = c.bias !== "int32";
        const value = isWide ? multiplyWide(sum, real) : scaled(Number(BigInt.asIntN(32, sum)), real);
        return clampTo(value, bounds16(activation, outputScale));
      });
      await checkOperator({
        builtin: 9,
        options: [{ byte: activation }, { byte: 0 }, { bool: false }],
        operands: [
          operand([rows, depth], inputScale, values),
          {
            shape: [channels, depth],
            type: "int8",
            scales,
            zeroPoints: scales.map(() => 0),
            axis: 0,
            values: weights,
            isConstant: true,
          },
          ...biasOperand(c.bias, bias),
        ],
        outputs: [result([rows, channels], outputScale, expected)],
      });
    }),
    { numRuns: 30 },
  );
});

/** The functions of two int16 with scales a, b and o, and their codes. */
const BINARY: Readonly<
  Record<
    string,
    readonly [builtin: number, of: (x: number, y: number, a: number, b: number, o: number) => number]
  >
> = {
  add: [0, (x, y, a, b, o) => sum(x, y, a, b, o, 1, (ratio) => ratio)],
  sub: [41, (x, y, a, b, o) => sum(x, y, a, b, o, -1, f)],
  mul: [18, (x, y, a, b, o) => scaled(x * y, (a * b) / o)],
  minimum: [57, (x, y) => Math.min(x, y)],
  maximum: [55, (x, y) => Math.max(x, y)],
  squaredDifference: [
    99,
    (x, y, a, b, o) => {
      const twice = 2 * Math.max(a, b);
      return scaled((scaled(x, a / twice) - scaled(y, b / twice)) ** 2, (twice * twice) / o);
    },
  ],
};

function sum(
  x: number,
  y: number,
  a: number,
  b: number,
  o: number,
  sign: 1 | -1,
  rounded: (ratio: number) => number,
): number {
  const twice = rounded(2 * Math.max(a, b));
  const left = scaled(x * 2 ** 15, rounded(a / twice));
  const right = scaled(y * 2 ** 15, rounded(b / twice));
  return scaled(left + sign * right, rounded(twice / (2 ** 15 * o)));
}

test.each(Object.entries(BINARY))("%s equals the reference", async (name, [builtin, of]) => {
  const axis = fc.tuple(size, fc.boolean(), fc.boolean());
  const cases = fc.record({
    axes: fc.array(axis, { minLength: 1, maxLength: 4 }),
    scales: fc.tuple(scale, scale),
    spread: fc.double({ min: 0, max: 1, noNaN: true }),
    seeds: fc.tuple(fc.nat(), fc.nat()),
    isConstant: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ axes, scales: [a, b], spread, seeds, isConstant }) => {
      const lhs = axes.map(([n, repeats]) => (repeats ? 1 : n));
      const rhs = axes.map(([n, , repeats]) => (repeats ? 1 : n));
      const shape = lhs.map((n, i) => Math.max(n, rhs[i] ?? 1));
      // Products of scales for products, so that values spread.
      const isProduct = name === "mul" || name === "squaredDifference";
      const o = f((isProduct ? a * b * 9000 : (a + b) * 1.2) * 10 ** spread);
      const [x, y] = [int16Values(seeds[0], count(lhs)), int16Values(seeds[1], count(rhs))];
      // A square of the widest difference stays within int32.
      const narrow = name === "squaredDifference" ? 1 : 0;
      const [left, right] = [x.map((v) => v >> narrow), y.map((v) => v >> narrow)];
      const index = (of: readonly number[], at: readonly number[]): number =>
        of.reduce((sum, n, i) => sum * n + (n === 1 ? 0 : (at[i] ?? 0)), 0);
      const expected = Array.from({ length: count(shape) }, (_, i) => {
        const at = coordinates(shape, i);
        return clamp16(of(left[index(lhs, at)] ?? NaN, right[index(rhs, at)] ?? NaN, a, b, o));
      });
      await checkOperator({
        builtin,
        operands: [operand(lhs, a, left), operand(rhs, b, right, isConstant)],
        outputs: [result(shape, o, expected)],
      });
    }),
    { numRuns: 20 },
  );
});

test.each([
  ["average", 1],
  ["maximum", 17],
])("%s pools equal the reference", async (name, builtin) => {
  const cases = fc.tuple(
    size,
    size,
    size,
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 2 }),
    fc.nat(),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([h, w, channels, kernel, stride, seed]) => {
      const values = int16Values(seed, h * w * channels);
      const [outH, outW] = [Math.ceil(h / stride), Math.ceil(w / stride)];
      const before = (size: number, out: number): number =>
        Math.floor(Math.max(0, (out - 1) * stride + kernel - size) / 2);
      const shape = [1, outH, outW, channels];
      const expected = Array.from({ length: count(shape) }, (_, index) => {
        const [, y = 0, x = 0, c = 0] = coordinates(shape, index);
        const cells: number[] = [];
        for (let row = y * stride - before(h, outH), i = 0; i < kernel; i++, row++) {
          for (let column = x * stride - before(w, outW), j = 0; j < kernel; j++, column++) {
            if (row >= 0 && row < h && column >= 0 && column < w)
              cells.push(values[(row * w + column) * channels + c] ?? NaN);
          }
        }
        if (name === "maximum") return Math.max(...cells);
        const total = cells.reduce((a, b) => a + b, 0);
        const half = Math.trunc(cells.length / 2);
        return Math.trunc((total > 0 ? total + half : total - half) / cells.length);
      });
      await checkOperator({
        builtin,
        options: [
          { byte: 0 },
          { int: stride },
          { int: stride },
          { int: kernel },
          { int: kernel },
          { byte: 0 },
        ],
        operands: [operand([1, h, w, channels], 0.01, values)],
        outputs: [result(shape, 0.01, expected)],
      });
    }),
    { numRuns: 20 },
  );
});

test("the references give the values that the functions have", () => {
  expect(sum(1000, 500, 0.5, 1, 1, 1, (ratio) => ratio)).toBe(1000);
  expect(BINARY["mul"]?.[1](300, -200, 0.5, 0.5, 10)).toBe(-1500);
  expect(multiplyWide(6_000_000_000n, 2 ** -20)).toBe(5722);
  expect(bounds16(3, 0.001)).toEqual([0, 6000]);
});
