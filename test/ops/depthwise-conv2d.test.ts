import fc from "fast-check";
import { expect, test } from "vitest";
import type { DepthwiseAttrs } from "../../src/ops/depthwise-conv2d.ts";
import { depthwiseConv2d } from "../../src/ops/depthwise-conv2d.ts";
import { resolvePadding } from "../../src/ops/padding.ts";
import { depthwiseGeometry, depthwisePairs, depthwiseScratchBytes } from "../../src/plan/packing.ts";
import type { Variant } from "../../src/plan/variant.ts";
import { provedKernels } from "../kernel-harness.ts";
import { depthwiseConv2dReference } from "../reference/depthwise-conv2d.ts";
import type { Prepared } from "./convolution.ts";
import {
  buildCase,
  checkConvolution,
  checkEveryMethod,
  checkOverlap,
  operands,
  tensorsOf,
} from "./convolution.ts";
import { importNode, int8Tensor } from "./node.ts";

const anyGeometry = {
  batches: fc.constantFrom(1, 1, 1, 2),
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 11 }),
  depth: fc.constantFrom(1, 2, 3, 7, 8, 9, 16, 17, 33, 40),
  depthMultiplier: fc.constantFrom(1, 1, 1, 2, 3, 8),
  kernelHeight: fc.constantFrom(1, 2, 3, 3, 4, 5, 7, 8, 9, 12),
  kernelWidth: fc.constantFrom(1, 2, 3, 3, 5, 7, 8),
  strideY: fc.integer({ min: 1, max: 3 }),
  strideX: fc.integer({ min: 1, max: 3 }),
  dilationY: fc.constantFrom(1, 1, 2, 3),
  dilationX: fc.constantFrom(1, 1, 2, 3),
  padding: fc.constantFrom(0, 1),
};

/** Any, and as often what most models have, for which there are kernels of their own. */
const geometry = fc.oneof(
  fc.record(anyGeometry),
  fc.record({ ...anyGeometry, kernel: fc.constantFrom(3, 3, 5, 7) }).map(({ kernel, strideX, ...any }) => ({
    ...any,
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideX: 1 + (strideX % 2),
    dilationY: 1,
    dilationX: 1,
  })),
);

type Geometry = typeof geometry extends fc.Arbitrary<infer T> ? T : never;
type Operands = typeof operands extends fc.Arbitrary<infer T> ? T : never;

interface Pads {
  readonly padTop: number;
  readonly padLeft: number;
  readonly padBottom: number;
  readonly padRight: number;
}

const NO_PADS: Pads = { padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 };

/** The node of a case and its answer, with more padding as a PAD leaves it; undefined where the window does not fit. */
function prepare(variant: Variant, g: Geometry, drawn: Operands, pads = NO_PADS): Prepared | undefined {
  const height = g.height + pads.padTop + pads.padBottom;
  const width = g.width + pads.padLeft + pads.padRight;
  const rows = resolvePadding(g.padding, height, g.kernelHeight, g.strideY, g.dilationY);
  const columns = resolvePadding(g.padding, width, g.kernelWidth, g.strideX, g.dilationX);
  if (rows.output < 1 || columns.output < 1) return undefined;
  const channels = g.depth * g.depthMultiplier;
  const c = buildCase(variant, drawn, {
    input: [g.batches, g.height, g.width, g.depth],
    weights: [1, g.kernelHeight, g.kernelWidth, channels],
    output: [g.batches, rows.output, columns.output, channels],
    channels,
    terms: g.kernelHeight * g.kernelWidth,
  });
  const [input, ...constants] = tensorsOf(c, 3);
  if (input === undefined) throw new Error("no input");
  const padded = { ...input, shape: [g.batches, height, width, g.depth] };
  const tensors = [padded, ...constants];
  const { attrs, ...imported } = importNode(depthwiseConv2d, tensors, int8Tensor("output", c.output), {
    0: g.padding,
    1: g.strideX,
    2: g.strideY,
    3: g.depthMultiplier,
    4: c.activation,
    5: g.dilationX,
    6: g.dilationY,
  });
  const before = { padTop: rows.before + pads.padTop, padLeft: columns.before + pads.padLeft };
  const node = {
    ...imported,
    attrs: { ...(attrs as DepthwiseAttrs), ...before },
    inputs: [input, ...constants],
  };
  const window = { ...g, ...before, activation: c.activation };
  const expected = (): Int8Array => depthwiseConv2dReference(c.input, c.weights, c.bias, c.output, window);
  return { node, input: c.input, expected };
}

for (const kernels of provedKernels()) {
  test(`depthwiseConv2d equals the reference (${kernels.variant})`, () => {
    fc.assert(
      fc.property(
        geometry,
        operands,
        fc.integer({ min: 1, max: 3 }),
        fc.nat(20),
        (g, drawn, tileBlocks, below) => {
          const prepared = prepare(kernels.variant, g, drawn);
          fc.pre(prepared !== undefined);
          const { node } = prepared;
          const expected = prepared.expected();
          checkConvolution(kernels, depthwiseConv2d, node, prepared.input, expected, tileBlocks);
          checkOverlap(kernels, depthwiseConv2d, node, prepared.input, expected, below);
        },
      ),
      { numRuns: 300 },
    );
  });

  test(`and in every way of requantising that there is (${kernels.variant})`, () => {
    const drawn = fc.sample(fc.tuple(geometry, operands), { seed: 5, numRuns: 4000 });
    checkEveryMethod(
      kernels,
      depthwiseConv2d,
      drawn.map(([g, drawn]) => prepare(kernels.variant, g, drawn)),
      80,
    );
  });

  test(`padding may be wider than a window asks for (${kernels.variant})`, () => {
    const pad = fc.integer({ min: 0, max: 4 });
    const pads = fc.record({ padTop: pad, padLeft: pad, padBottom: pad, padRight: pad });
    fc.assert(
      fc.property(geometry, operands, pads, fc.integer({ min: 1, max: 3 }), (g, drawn, wider, tileBlocks) => {
        const prepared = prepare(kernels.variant, { ...g, padding: 1 }, drawn, wider);
        fc.pre(prepared !== undefined);
        checkConvolution(
          kernels,
          depthwiseConv2d,
          prepared.node,
          prepared.input,
          prepared.expected(),
          tileBlocks,
        );
      }),
      { numRuns: 200 },
    );
  });

  // At stride 1 pairs of rows are made one below the other, the more the fewer columns there are.
  test.each([
    ["three taps at stride 1, of kernels of two to four rows", [3], [2, 3, 3, 4], 1],
    ["three taps at stride 2, of kernels of two to four rows", [3], [2, 3, 3, 4], 2],
    ["five and seven taps, of kernels whose groups of rows serve two rows", [5, 7], [5, 7], 1],
  ] as const)(
    `%s, equal it, with padding or without (${kernels.variant})`,
    (_, kernelWidths, kernelHeights, strideX) => {
      const shape = fc.record({
        ...anyGeometry,
        height: fc.integer({ min: 1, max: 19 }),
        // Of 19 and 34 the last five begin before the ones before them have ended.
        width: fc.oneof(
          fc.integer({ min: 1, max: 19 }),
          fc.integer({ min: 20, max: 34 }),
          fc.constantFrom(5, 10, 19, 34),
        ),
        depthMultiplier: fc.constantFrom(1, 1, 1, 2),
        kernelHeight: fc.constantFrom(...kernelHeights),
        kernelWidth: fc.constantFrom(...kernelWidths),
        strideX: fc.constant(strideX),
        strideY: fc.constantFrom(1, 2),
        dilationY: fc.constantFrom(1, 1, 1, 2),
        dilationX: fc.constantFrom(1, 1, 1, 2),
      });
      const pad = fc.constantFrom(0, 0, 1, 2);
      const pads = fc.record({ padTop: pad, padLeft: pad, padBottom: pad, padRight: pad });
      fc.assert(
        fc.property(
          shape,
          operands,
          pads,
          fc.integer({ min: 1, max: 3 }),
          fc.nat(20),
          (g, drawn, wider, tileBlocks, below) => {
            const prepared = prepare(kernels.variant, g, drawn, wider);
            fc.pre(prepared !== undefined);
            const { node, input } = prepared;
            const expected = prepared.expected();
            checkConvolution(kernels, depthwiseConv2d, node, input, expected, tileBlocks);
            checkOverlap(kernels, depthwiseConv2d, node, input, expected, below);
          },
        ),
        { numRuns: 300 },
      );
    },
  );

  test(`sums of the largest products are exact (${kernels.variant})`, () => {
    const extremes = [-128, 127].flatMap((x) => [-128, 127].map((w) => [x, w] as const));
    // As many products as a lane of mcu holds, and more than it takes; and clamped at the zero point, where it has other kernels.
    const kernelsOf = [
      { kernelHeight: 8, kernelWidth: 8, zeroPoint: 0 },
      { kernelHeight: 9, kernelWidth: 8, zeroPoint: 0 },
      ...[3, 5, 7].map((size) => ({ kernelHeight: size, kernelWidth: size, zeroPoint: -128 })),
    ];
    for (const [x, w, { kernelHeight, kernelWidth, zeroPoint }] of extremes.flatMap(([x, w]) =>
      kernelsOf.map((kernel) => [x, w, kernel] as const),
    )) {
      const shape = [1, kernelHeight, kernelWidth, 2];
      const c = {
        input: { shape: [1, 9, 11, 2], scale: 1, zeroPoint: x, values: new Int8Array(9 * 11 * 2).fill(x) },
        weights: { shape, scales: [1], values: new Int8Array(kernelHeight * kernelWidth * 2).fill(w) },
        bias: Int32Array.of(3, 5),
        output: { shape: [1, 9, 11, 2], scale: 1, zeroPoint },
        activation: 0,
      };
      const node = importNode(depthwiseConv2d, tensorsOf(c, 3), int8Tensor("output", c.output), {
        ...{ 0: 0, 1: 1, 2: 1, 3: 1, 4: 0, 5: 1, 6: 1 },
      });
      // Its zero points, and padding, are as large; what they add up to is the bias.
      const expected = Int8Array.from({ length: 9 * 11 * 2 }, (_, i) => zeroPoint + (i % 2 === 0 ? 3 : 5));
      const check = (): void => {
        checkConvolution(kernels, depthwiseConv2d, node, c.input, expected, 1);
      };
      if (kernels.variant === "signed" && w === -128) expect(check).toThrow("-128 side by side");
      else check();
    }
  });
}

test("a stride far beyond the kernel makes no weights of it", () => {
  const type = { shape: [1, 1, 4096, 1], scale: 1, zeroPoint: 0 };
  const c = {
    input: { ...type, values: new Int8Array(4096) },
    weights: { shape: [1, 1, 64, 1], scales: [1], values: new Int8Array(64).fill(1) },
    bias: Int32Array.of(0),
    output: { ...type, shape: [1, 1, 1, 1] },
    activation: 0,
  };
  const node = importNode(depthwiseConv2d, tensorsOf(c, 3), int8Tensor("output", c.output), {
    ...{ 0: 0, 1: 30_000, 2: 1, 3: 1, 4: 0, 5: 1, 6: 1 },
  });
  expect(depthwiseConv2d.pack?.(node, "mcu")?.blockBytes).toBe(76);
});

test("part of a row never needs more scratch than the row, by whose width it is reserved", () => {
  const width = fc.integer({ min: 1, max: 60 });
  const variants = fc.constantFrom<Variant>("mcu", "simd", "relaxed");
  fc.assert(
    fc.property(
      fc.record(anyGeometry),
      variants,
      width,
      fc.nat(20),
      fc.boolean(),
      (g, variant, part, more, isRelu) => {
        const bytes = (outputWidth: number): number =>
          depthwiseScratchBytes(variant, { ...g, channels: g.depth, outputWidth, padLeft: 1, isRelu });
        expect(bytes(part)).toBeLessThanOrEqual(bytes(part + more));
      },
    ),
    { numRuns: 1000 },
  );
});

test("relaxed has two pairs of short rows, and of each a second strip for more than 8 channels that it reads side by side", () => {
  const kernel = { kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
  const geometry = { ...kernel, outputWidth: 10, padLeft: 1, depthMultiplier: 1, isRelu: true };
  const bytes = (variant: Variant, channels: number, depthMultiplier = 1): number =>
    depthwiseScratchBytes(variant, { ...geometry, channels, depthMultiplier });
  const strips = 32 * 32;
  expect(bytes("relaxed", 9) - bytes("relaxed", 8)).toBe(strips);
  const pairs = [3, 6, 8, 14, 15, 40].map((outputWidth) =>
    depthwisePairs("relaxed", { ...geometry, channels: 9, outputWidth }),
  );
  expect(pairs).toEqual([4, 4, 3, 2, 1, 1]);
  expect(depthwisePairs("simd", { ...geometry, channels: 9 })).toBe(1);
  for (const other of [
    { isRelu: false },
    { kernelWidth: 5 },
    { strideX: 2 },
    { dilationX: 2 },
    { strideY: 2 },
  ])
    expect(depthwisePairs("relaxed", { ...geometry, channels: 9, outputWidth: 3, ...other })).toBe(1);
  expect(bytes("relaxed", 16, 2)).toBe(bytes("relaxed", 8, 2));
  expect(bytes("simd", 16)).toBe(bytes("simd", 8));
  // In place a block has its plane to itself.
  const record = { ...kernel, outputView: { width: 10 }, padLeft: 1, depthMultiplier: 1, plane: 0 };
  const channelsOf = (c0: number, c1: number, plane: number): number =>
    depthwiseGeometry({ ...record, c0, c1, plane, outputZeroPoint: 0, activationMin: 0 }).channels;
  expect(channelsOf(8, 24, 0)).toBe(16);
  expect(channelsOf(0, 16, 512)).toBeLessThanOrEqual(8);
  const inPlace = (depth: number): number => {
    const shape = [1, 4, 4, depth];
    const type = { shape, scale: 1, zeroPoint: 0 };
    const weights = { shape: [1, 3, 3, depth], scales: [1], values: new Int8Array(9 * depth) };
    const values = new Int8Array(16 * depth);
    const c = {
      input: { ...type, values },
      weights,
      bias: new Int32Array(depth),
      output: type,
      activation: 0,
    };
    const node = importNode(depthwiseConv2d, tensorsOf(c, 3), int8Tensor("output", c.output), {
      ...{ 0: 0, 1: 1, 2: 1, 3: 1, 4: 0, 5: 1, 6: 1 },
    });
    return depthwiseConv2d.inPlaceScratchBytes?.(node, "relaxed") ?? NaN;
  };
  expect(inPlace(16)).toBe(inPlace(8));
});
