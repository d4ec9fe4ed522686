import fc from "fast-check";
import { expect, test } from "vitest";
import { conv2d, conv2dColumns, conv2dVector, conv2dWinograd } from "../../src/ops/conv2d.ts";
import { resolvePadding } from "../../src/ops/padding.ts";
import { Requantization } from "../../src/plan/format.ts";
import type { RecordOf } from "../../src/plan/record.ts";
import type { Variant } from "../../src/plan/variant.ts";
import { provedKernels } from "../kernel-harness.ts";
import { conv2dReference } from "../reference/conv2d.ts";
import type { Prepared } from "./convolution.ts";
import {
  buildCase,
  checkConvolution,
  checkEveryMethod,
  checkOverlap,
  operands,
  packedMethod,
  PlacedConvolution,
  tensorsOf,
  uniformMethods,
} from "./convolution.ts";
import { importNode, int8Tensor, int8Values, weightsFor } from "./node.ts";

/** Sizes where SIMD kernels have their edges: tile remainders, one pixel, one channel. */
const geometry = fc.record({
  batches: fc.constantFrom(1, 1, 1, 2),
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 11 }),
  depth: fc.constantFrom(1, 2, 3, 4, 5, 8, 15, 16, 17, 33),
  channels: fc.constantFrom(1, 2, 3, 7, 8, 9, 16, 24, 25, 32, 33, 40),
  kernelHeight: fc.constantFrom(1, 1, 2, 3, 5),
  kernelWidth: fc.constantFrom(1, 1, 2, 3, 4),
  strideY: fc.integer({ min: 1, max: 3 }),
  strideX: fc.integer({ min: 1, max: 3 }),
  dilationY: fc.constantFrom(1, 1, 2, 3),
  dilationX: fc.constantFrom(1, 1, 2, 3),
  padding: fc.constantFrom(0, 1),
});

type Geometry = typeof geometry extends fc.Arbitrary<infer T> ? Record<keyof T, number> : never;
type Operands = typeof operands extends fc.Arbitrary<infer T> ? T : never;

/** The node of a case and its answer; undefined where the window does not fit. */
function prepare(variant: Variant, g: Geometry, drawn: Operands): Prepared | undefined {
  const rows = resolvePadding(g.padding, g.height, g.kernelHeight, g.strideY, g.dilationY);
  const columns = resolvePadding(g.padding, g.width, g.kernelWidth, g.strideX, g.dilationX);
  if (rows.output < 1 || columns.output < 1) return undefined;
  const c = buildCase(variant, drawn, {
    input: [g.batches, g.height, g.width, g.depth],
    weights: [g.channels, g.kernelHeight, g.kernelWidth, g.depth],
    output: [g.batches, rows.output, columns.output, g.channels],
    channels: g.channels,
    terms: g.kernelHeight * g.kernelWidth * g.depth,
  });
  const node = importNode(conv2d, tensorsOf(c, 0), int8Tensor("output", c.output), {
    0: g.padding,
    1: g.strideX,
    2: g.strideY,
    3: c.activation,
    4: g.dilationX,
    5: g.dilationY,
  });
  const window = { ...g, padTop: rows.before, padLeft: columns.before, activation: c.activation };
  const expected = (): Int8Array => conv2dReference(c.input, c.weights, c.bias, c.output, window);
  return { node, input: c.input, expected };
}

for (const kernels of provedKernels()) {
  test(`conv2d equals the reference (${kernels.variant})`, () => {
    fc.assert(
      fc.property(geometry, operands, fc.integer({ min: 1, max: 3 }), (g, drawn, tileBlocks) => {
        const prepared = prepare(kernels.variant, g, drawn);
        fc.pre(prepared !== undefined);
        checkConvolution(kernels, conv2d, prepared.node, prepared.input, prepared.expected(), tileBlocks);
      }),
      { numRuns: 300 },
    );
  });

  test(`long rows of few products equal it, with the output over the input too (${kernels.variant})`, () => {
    // What shortRow of assembly/micro/weight-stationary.ts takes, and next to it: along a pixel, or across the kernel's rows.
    const shape = fc.oneof(
      fc.record({
        ...{ kernelHeight: fc.constant(1), kernelWidth: fc.constant(1) },
        depth: fc.integer({ min: 3, max: 18 }),
      }),
      fc.record({
        kernelHeight: fc.constantFrom(2, 3, 4, 4, 4, 5),
        ...{ kernelWidth: fc.integer({ min: 1, max: 2 }), depth: fc.integer({ min: 1, max: 2 }) },
      }),
    );
    const long = fc.record({
      ...{ batches: fc.constant(1), height: fc.integer({ min: 1, max: 5 }), padding: fc.constantFrom(0, 1) },
      width: fc.oneof(fc.integer({ min: 6, max: 12 }), fc.integer({ min: 125, max: 300 })),
      channels: fc.constantFrom(3, 8, 13, 24),
      ...{
        strideY: fc.constant(1),
        strideX: fc.constant(1),
        dilationY: fc.constant(1),
        dilationX: fc.constant(1),
      },
    });
    const below = fc.constantFrom(0, 7, 900);
    fc.assert(
      fc.property(
        long,
        shape,
        operands,
        fc.integer({ min: 1, max: 3 }),
        below,
        (g, part, drawn, tileBlocks, under) => {
          const prepared = prepare(kernels.variant, { ...g, ...part }, drawn);
          fc.pre(prepared !== undefined);
          const { node, input, expected } = prepared;
          const values = expected();
          checkConvolution(kernels, conv2d, node, input, values, tileBlocks);
          checkOverlap(kernels, conv2d, node, input, values, under);
        },
      ),
      { numRuns: 150 },
    );
  });

  test(`three kernel rows of few channels equal it, of pixels side by side and apart (${kernels.variant})`, () => {
    // What is brought together (isGathered), and next to it.
    const rows = fc.record({
      batches: fc.constantFrom(1, 1, 2),
      height: fc.integer({ min: 1, max: 7 }),
      width: fc.integer({ min: 1, max: 20 }),
      depth: fc.integer({ min: 1, max: 6 }),
      channels: fc.constantFrom(1, 3, 8, 14, 16, 25),
      kernelHeight: fc.constantFrom(3, 3, 3, 2),
      kernelWidth: fc.integer({ min: 1, max: 5 }),
      strideY: fc.integer({ min: 1, max: 3 }),
      strideX: fc.integer({ min: 1, max: 3 }),
      dilationY: fc.constantFrom(1, 1, 2),
      dilationX: fc.constantFrom(1, 1, 1, 2),
      padding: fc.constantFrom(0, 1),
    });
    fc.assert(
      fc.property(
        rows,
        operands,
        fc.integer({ min: 1, max: 3 }),
        fc.nat(9),
        (g, drawn, tileBlocks, apart) => {
          const prepared = prepare(kernels.variant, g, drawn);
          fc.pre(prepared !== undefined);
          const { node, input } = prepared;
          const expected = prepared.expected();
          checkConvolution(kernels, conv2d, node, input, expected, tileBlocks);

          const pixelBytes = g.depth + apart;
          const pitched = Int8Array.from({ length: g.batches * g.height * g.width * pixelBytes }, (_, i) => {
            const c = i % pixelBytes;
            return c < g.depth ? (input.values[Math.floor(i / pixelBytes) * g.depth + c] ?? 0) : 99;
          });
          kernels.reset();
          const placed = new PlacedConvolution(kernels, conv2d, node);
          const from = kernels.placeActivations(pitched);
          const to = kernels.allocate(expected.length);
          const record = placed.record(from, to) as RecordOf<"conv2d">;
          const rowBytes = g.width * pixelBytes;
          const inputView = { ...record.inputView, pixelBytes, rowBytes };
          const inputBatchBytes = g.height * rowBytes;
          placed.execute({ ...record, inputView, inputBatchBytes }, to, to + expected.length);
          expect(kernels.readActivations(to, expected.length)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test(`and with its output over its input (${kernels.variant})`, () => {
    // Mostly pixel by pixel, where tiles of pixels decide, also across the ends of short rows.
    const pointwise = fc.record({
      kernelHeight: fc.constant(1),
      kernelWidth: fc.constant(1),
      padding: fc.constant(1),
      batches: fc.constant(1),
      channels: fc.integer({ min: 9, max: 40 }),
    });
    const strided = fc.record({
      strideX: fc.integer({ min: 1, max: 2 }),
      strideY: fc.integer({ min: 1, max: 2 }),
      width: fc.integer({ min: 1, max: 6 }),
      height: fc.integer({ min: 4, max: 9 }),
    });
    const parts = fc.oneof(
      fc.constant({}),
      pointwise,
      fc.tuple(pointwise, strided).map(([a, b]) => ({ ...a, ...b })),
    );
    fc.assert(
      fc.property(geometry, parts, operands, fc.constantFrom(0, 0, 7), (g, part, drawn, below) => {
        const prepared = prepare(kernels.variant, { ...g, ...part }, drawn);
        fc.pre(prepared !== undefined);
        checkOverlap(kernels, conv2d, prepared.node, prepared.input, prepared.expected(), below);
      }),
      { numRuns: 500 },
    );
  });

  test(`and in every way of requantising that there is (${kernels.variant})`, () => {
    const drawn = fc.sample(fc.tuple(geometry, operands), { seed: 5, numRuns: 4000 });
    checkEveryMethod(
      kernels,
      conv2d,
      drawn.map(([g, drawn]) => prepare(kernels.variant, { ...g, padding: 0, channels: 8 }, drawn)),
      20,
    );
  });
}

/**
 * Ten positive weights of sixteen, the rest of `depth` 0, reach every output of scales near 2^-10, and one such scale in some thousand has no constants in
 * float32.
 */
function withScales(
  variant: Variant,
  scales: readonly number[],
  width: number,
  depth: number,
  zeroPoint: number,
): Prepared {
  const channels = scales.length;
  const weights = Int8Array.from({ length: depth * channels }, (_, i) =>
    i % depth < 10 ? 127 : i % depth < 16 ? -127 : 0,
  );
  const c = {
    input: { shape: [1, 1, width, depth], scale: 1, zeroPoint: -128, values: int8Values(3, depth * width) },
    weights: { shape: [channels, 1, 1, depth], scales, values: weightsFor(variant, weights) },
    bias: undefined,
    output: { shape: [1, 1, width, channels], scale: 1, zeroPoint },
  };
  const options = { 0: 0, 1: 1, 2: 1, 3: 0, 4: 1, 5: 1 };
  const node = importNode(
    conv2d,
    tensorsOf({ ...c, activation: 0 }, 0),
    int8Tensor("output", c.output),
    options,
  );
  const window = { strideY: 1, strideX: 1, dilationY: 1, dilationX: 1, padTop: 0, padLeft: 0, activation: 0 };
  const expected = (): Int8Array => conv2dReference(c.input, c.weights, c.bias, c.output, window);
  return { node, input: c.input, expected };
}

for (const kernels of provedKernels().filter(
  ({ variant }) => variant === "relaxed" || variant === "signed",
)) {
  // All pixels of a block, and sixes of one and the last three of two together; of outputs that are clamped at the zero point, and on both sides of it.
  test.each([
    [31, 16, -128, Requantization.reluFused, 96],
    [33, 20, -128, Requantization.reluFused, 96],
    [31, 16, 0, Requantization.generalFused, 128],
    [33, 20, 0, Requantization.generalFused, 128],
  ])(
    `blocks in float32 beside blocks in doubles (${kernels.variant}, %i pixels of %i, zero point %i)`,
    (width, depth, zeroPoint, method, offsets) => {
      let mixed = 0;
      for (let seed = 1; mixed < 2 && seed < 4000; seed++) {
        const scales = Array.from({ length: 24 }, (_, c) =>
          Math.fround(0.00075 + 0.0001 * Math.sin(97 * seed + 5 * c)),
        );
        const { node, input, expected } = withScales(kernels.variant, scales, width, depth, zeroPoint);
        if (packedMethod(conv2d, node, kernels.variant) !== (method as number)) continue;
        const packed = conv2d.pack?.(node, kernels.variant);
        if (packed === undefined) throw new Error("it packs nothing");
        // isInFloat32 of assembly/micro/epilogue.ts.
        const view = new DataView(packed.bytes.buffer);
        const blocks = Array.from(
          { length: packed.blocks },
          (_, i) => view.getBigInt64(i * packed.blockBytes + offsets, true) === 0n,
        );
        // First one of a pair, then the other.
        if (blocks[mixed] !== true || blocks[1 - mixed] !== false) continue;
        checkConvolution(kernels, conv2d, node, input, expected(), 1);
        mixed++;
      }
      expect(mixed).toBe(2);
    },
  );
}

const [simd] = provedKernels().filter(({ variant }) => variant === "simd");
const winograd = geometry.map((g) => ({
  ...g,
  kernelHeight: 3,
  kernelWidth: 3,
  strideY: 1,
  strideX: 1,
  dilationY: 1,
  dilationX: 1,
}));

test("by Winograd's filtering it equals the reference", () => {
  fc.assert(
    fc.property(winograd, operands, fc.integer({ min: 1, max: 3 }), (g, drawn, tileBlocks) => {
      const prepared = prepare("simd", g, drawn);
      fc.pre(prepared !== undefined && simd !== undefined);
      const { node, input, expected } = prepared;
      checkConvolution(simd, conv2dWinograd, node, input, expected(), tileBlocks);
    }),
    { numRuns: 300 },
  );
});

test.each([-128, 127])(
  "so it does of weights and inputs that are all at the ends of their range: %i",
  (zeroPoint) => {
    for (const [weight, value] of [
      [-128, -128],
      [-128, 127],
      [127, -128],
      [127, 127],
    ] as const) {
      const c = {
        input: { shape: [1, 5, 5, 24], scale: 1, zeroPoint, values: new Int8Array(600).fill(value) },
        weights: { shape: [9, 3, 3, 24], scales: [1], values: new Int8Array(1944).fill(weight) },
        bias: undefined,
        output: { shape: [1, 5, 5, 9], scale: 2 ** 17, zeroPoint: 0 },
      };
      const node = importNode(conv2d, tensorsOf({ ...c, activation: 0 }, 0), int8Tensor("output", c.output), {
        0: 0,
        1: 1,
        2: 1,
        3: 0,
        4: 1,
        5: 1,
      });
      const window = {
        strideY: 1,
        strideX: 1,
        dilationY: 1,
        dilationX: 1,
        padTop: 1,
        padLeft: 1,
        activation: 0,
      };
      const expected = conv2dReference(c.input, c.weights, c.bias, c.output, window);
      if (simd !== undefined) checkConvolution(simd, conv2dWinograd, node, c.input, expected, 1);
    }
  },
);

test("it is chosen where it takes less time, and nowhere else", () => {
  const [drawn] = fc.sample(operands, { seed: 1, numRuns: 1 });
  const isChosen = (variant: Variant, changed: Partial<Geometry>): boolean => {
    const window = { kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
    const shape = { batches: 1, height: 8, width: 8, depth: 32, channels: 32, padding: 0 };
    const prepared = drawn && prepare(variant, { ...window, ...shape, ...changed }, drawn);
    if (prepared === undefined) throw new Error("the window does not fit");
    return conv2d.faster?.(prepared.node, variant) === conv2dWinograd;
  };
  expect(isChosen("simd", {})).toBe(true);
  expect(isChosen("simd", { batches: 2, height: 7 })).toBe(true);
  expect(isChosen("mcu", {})).toBe(false);
  for (const changed of [
    { strideX: 2 },
    { strideY: 2 },
    { dilationX: 2 },
    { dilationY: 2 },
    { kernelHeight: 1 },
    { kernelWidth: 5 },
    { depth: 3 },
    { channels: 2 },
    { width: 2 },
  ]) {
    expect(isChosen("simd", changed), JSON.stringify(changed)).toBe(false);
  }
});

/** One pixel, of one segment or of more. */
const onePixel = fc
  .record({
    kernelHeight: fc.constantFrom(1, 2),
    kernelWidth: fc.constantFrom(1, 2, 3),
    depth: fc.integer({ min: 1, max: 160 }),
    channels: fc.integer({ min: 1, max: 70 }),
    padding: fc.constantFrom(0, 1),
    dilationX: fc.constantFrom(1, 2),
    batches: fc.constantFrom(1, 1, 1, 2),
  })
  .map((g): Geometry => {
    const width = g.padding === 0 ? 1 : (g.kernelWidth - 1) * g.dilationX + 1;
    const height = g.padding === 0 ? 1 : g.kernelHeight;
    const fixed = { strideY: 1, strideX: 1, dilationY: 1 };
    return { ...g, ...fixed, height, width };
  });

test("one pixel of mcu equals the reference with its weights in lanes", () => {
  const [mcu] = provedKernels().filter(({ variant }) => variant === "mcu");
  let vectors = 0;
  fc.assert(
    fc.property(onePixel, operands, fc.integer({ min: 1, max: 40 }), (g, drawn, tileBlocks) => {
      const prepared = prepare("mcu", g, drawn);
      fc.pre(prepared !== undefined && mcu !== undefined);
      const { node, input, expected } = prepared;
      const segments = g.dilationX === 1 ? g.kernelHeight : g.kernelHeight * g.kernelWidth;
      const fits = segments === 1 && g.batches === 1;
      const isEnough = g.channels * segments * g.kernelWidth * g.depth > 6000 && g.kernelWidth * g.depth > 45;
      if (!fits || isEnough) expect(conv2d.faster?.(node, "mcu") === conv2dVector).toBe(fits);
      if (!fits) return;
      checkConvolution(mcu, conv2dVector, node, input, expected(), tileBlocks);
      vectors++;
    }),
    { numRuns: 150 },
  );
  expect(vectors).toBeGreaterThan(20);
});

/** Kernels that are higher than they step, or as high. */
const sliding = geometry
  .map((g): Geometry => ({
    ...g,
    kernelHeight: Math.max(g.kernelHeight, g.strideY),
    dilationY: 1,
    dilationX: 1,
  }))
  .chain((g) =>
    fc
      .record({ height: fc.integer({ min: 1, max: 14 }), depth: fc.integer({ min: 1, max: 9 }) })
      .map((more) => ({
        ...g,
        ...more,
      })),
  );

test("columns of mcu equal the reference", () => {
  const [mcu] = provedKernels().filter(({ variant }) => variant === "mcu");
  const methods = new Set<number>();
  fc.assert(
    fc.property(sliding, operands, fc.integer({ min: 1, max: 40 }), (g, drawn, tileBlocks) => {
      const prepared = prepare("mcu", g, drawn);
      fc.pre(prepared !== undefined && mcu !== undefined);
      const { node, input, expected } = prepared;
      const method = packedMethod(conv2d, node, "mcu");
      methods.add(method);
      // Others are never planned so.
      if (method !== (Requantization.single as number)) {
        expect(conv2d.faster?.(node, "mcu")).not.toBe(conv2dColumns);
        return;
      }
      checkConvolution(mcu, conv2dColumns, node, input, expected(), tileBlocks);
    }),
    { numRuns: 400 },
  );
  expect([...methods].sort((a, b) => a - b)).toEqual([Requantization.scalar, Requantization.single]);
});

test("they are chosen where rows serve twice and few channels share a pixel, and nowhere else", () => {
  const [drawn] = fc.sample(operands, { seed: 1, numRuns: 1 });
  const isChosen = (variant: Variant, changed: Partial<Geometry>): boolean => {
    const window = { kernelHeight: 4, kernelWidth: 3, strideY: 2, strideX: 1, dilationY: 1, dilationX: 1 };
    const shape = { batches: 1, height: 8, width: 8, depth: 3, channels: 32, padding: 0 };
    const prepared = drawn && prepare(variant, { ...window, ...shape, ...changed }, drawn);
    if (prepared === undefined) throw new Error("the window does not fit");
    return conv2d.faster?.(prepared.node, variant) === conv2dColumns;
  };
  expect(isChosen("mcu", {})).toBe(true);
  expect(isChosen("mcu", { kernelHeight: 3, strideY: 1, batches: 2 })).toBe(true);
  expect(isChosen("simd", {})).toBe(false);
  for (const changed of [
    { strideY: 3 },
    { kernelHeight: 3 },
    { kernelHeight: 1, strideY: 1 },
    { dilationX: 2 },
    { dilationY: 2 },
    { channels: 33 },
    { width: 1, padding: 0, kernelWidth: 1 },
    { height: 4, padding: 1 },
  ]) {
    expect(isChosen("mcu", changed), JSON.stringify(changed)).toBe(false);
  }
});

test("their work is some of the products', the less the fewer channels share a pixel and the more rows serve again", () => {
  const [drawn] = fc.sample(operands, { seed: 1, numRuns: 1 });
  const share = (channels: number, kernelHeight: number): number => {
    const window = { kernelHeight, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
    const shape = { batches: 1, height: 12, width: 8, depth: 3, channels, padding: 0 };
    const prepared = drawn && prepare("mcu", { ...window, ...shape }, drawn);
    if (prepared === undefined) throw new Error("the window does not fit");
    return (conv2dColumns.work?.(prepared.node) ?? NaN) / conv2d.macs(prepared.node);
  };
  // What micro_speech and ic_resnet8 took of a count of operations, about.
  expect(share(8, 5)).toBeCloseTo(0.86, 1);
  expect(share(16, 3)).toBeCloseTo(0.94, 1);
  for (let kernelHeight = 2; kernelHeight < 12; kernelHeight++) {
    for (let channels = 1; channels <= 32; channels++) {
      expect(share(channels, kernelHeight)).toBeGreaterThan(0);
      expect(share(channels, kernelHeight)).toBeLessThan(share(channels + 1, kernelHeight));
      expect(share(channels, kernelHeight)).toBeGreaterThan(share(channels, kernelHeight + 1));
    }
  }
});

/** A 1×1 kernel, one pixel and one multiplier, where kernels have a way of their own; the pixel may be padding, as a PAD leaves it. */
const oneMultiplier = fc.record({
  size: fc.constantFrom(1, 2),
  depth: fc.integer({ min: 1, max: 20 }),
  channels: fc.integer({ min: 1, max: 40 }),
  padTop: fc.constantFrom(0, 1),
  padLeft: fc.constantFrom(0, 1),
  batches: fc.constantFrom(1, 1, 2),
});

for (const kernels of provedKernels()) {
  test(`one pixel and one multiplier, inside the input or not, in one batch or two (${kernels.variant})`, () => {
    const { variant } = kernels;
    const uniform = { one: 0, two: 0 };
    fc.assert(
      fc.property(operands, oneMultiplier, (drawn, { size, depth, channels, padTop, padLeft, batches }) => {
        const c = buildCase(
          variant,
          { ...drawn, perChannel: false },
          {
            input: [1, size, size, depth],
            weights: [channels, 1, 1, depth],
            output: [1, 1, 1, channels],
            channels,
            terms: depth,
          },
        );
        const options = { 0: 1, 1: 5, 2: 5, 3: c.activation, 4: 1, 5: 1 };
        const node = importNode(conv2d, tensorsOf(c, 0), int8Tensor("output", c.output), options);
        const padded = { ...node, attrs: { ...(node.attrs as object), padTop, padLeft } };
        const window = {
          kernelHeight: 1,
          kernelWidth: 1,
          strideY: 5,
          strideX: 5,
          dilationY: 1,
          dilationX: 1,
        };
        const activation = c.activation;
        const expected = conv2dReference(c.input, c.weights, c.bias, c.output, {
          ...window,
          padTop,
          padLeft,
          activation,
        });
        const isUniform = uniformMethods(variant).includes(packedMethod(conv2d, padded, variant));
        if (batches === 1) {
          if (isUniform) uniform.one++;
          checkConvolution(kernels, conv2d, padded, c.input, expected, 2);
          return;
        }
        // No plan has two batches of one multiplier, but the checker lets them pass.
        if (isUniform) uniform.two++;
        kernels.reset();
        const placed = new PlacedConvolution(kernels, conv2d, padded);
        const from = kernels.placeActivations(Int8Array.from([...c.input.values, ...c.input.values]));
        const out = kernels.allocate(2 * channels);
        const record = placed.record(from, out);
        if (record.op !== "conv2d") throw new Error(record.op);
        const inputBatchBytes = c.input.values.length;
        kernels.execute({ ...record, batches, inputBatchBytes, outputBatchBytes: channels });
        expect([...kernels.readActivations(out, 2 * channels)]).toEqual([...expected, ...expected]);
      }),
      { numRuns: 300 },
    );
    if (variant === "mcu") return;
    expect(uniform.one).toBeGreaterThan(20);
    expect(uniform.two).toBeGreaterThan(10);
  });
}

test("every proved variant is tested", () => {
  expect(provedKernels().length).toBeGreaterThanOrEqual(2);
});
