import fc from "fast-check";
import { expect, test } from "vitest";
import { fullyConnected, fullyConnectedVector } from "../../src/ops/fully-connected.ts";
import { Requantization } from "../../src/plan/format.ts";
import { excessOfBits, searchFused, searchTwice } from "../../src/ops/single-precision.ts";
import { MAX_LANE_SHIFT, requantizationWord } from "../../src/plan/packing.ts";
import type { ViewWords } from "../../src/plan/record.ts";
import { conv2dFootprint } from "../../src/plan/spatial-footprint.ts";
import type { Variant } from "../../src/plan/variant.ts";
import { provedKernels } from "../kernel-harness.ts";
import { fullyConnectedReference } from "../reference/fully-connected.ts";
import {
  buildCase,
  checkConvolution,
  operands,
  packedMethod,
  tensorsOf,
  uniformMethods,
} from "./convolution.ts";
import { importNode, int8Tensor } from "./node.ts";

const geometry = fc.record({
  batches: fc.integer({ min: 1, max: 6 }),
  depth: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(64, 127, 640)),
  channels: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(64, 65, 128)),
});

for (const kernels of provedKernels()) {
  test(`fullyConnected equals the reference (${kernels.variant})`, () => {
    const methods = new Set<number>();
    fc.assert(
      fc.property(geometry, operands, fc.integer({ min: 1, max: 5 }), (g, drawn, tileBlocks) => {
        const c = buildCase(kernels.variant, drawn, {
          input: [g.batches, g.depth],
          weights: [g.channels, g.depth],
          output: [g.batches, g.channels],
          channels: g.channels,
          terms: g.depth,
        });
        const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", c.output), {
          0: c.activation,
        });
        const expected = fullyConnectedReference(c.input, c.weights, c.bias, c.output, c.activation);
        checkConvolution(kernels, fullyConnected, node, c.input, expected, tileBlocks);
        const method = packedMethod(fullyConnected, node, kernels.variant);
        methods.add(method);
        if (uniformMethods(kernels.variant).includes(method)) expect(g.batches).toBe(1);
      }),
      { numRuns: 200 },
    );
    expect([...methods]).toEqual(expect.arrayContaining([...uniformMethods(kernels.variant)]));
  });

  test(`one vector and one multiplier, any number of channels (${kernels.variant})`, () => {
    const [drawn] = fc.sample(operands, { seed: 3, numRuns: 1 });
    if (drawn === undefined) throw new Error("nothing drawn");
    for (let channels = 1; channels <= 70; channels++) {
      for (const activation of [0, 1]) {
        const plain = {
          ...drawn,
          perChannel: false,
          powerOfTwo: false,
          bias: "small" as const,
          activation,
          gain: 0,
        };
        const c = buildCase(kernels.variant, plain, {
          input: [1, 20],
          weights: [channels, 20],
          output: [1, channels],
          channels,
          terms: 20,
        });
        const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", c.output), {
          0: activation,
        });
        const expected = fullyConnectedReference(c.input, c.weights, c.bias, c.output, activation);
        checkConvolution(kernels, fullyConnected, node, c.input, expected, 3);
        const method = packedMethod(fullyConnected, node, kernels.variant);
        if (kernels.variant !== "mcu") expect(uniformMethods(kernels.variant)).toContain(method);
      }
    }
  });

  test(`one vector and one multiplier at every step of the output (${kernels.variant})`, () => {
    for (const [activation, search] of [
      [0, searchTwice],
      [1, searchFused],
    ] as const) {
      const output = { zeroPoint: -5, min: activation === 0 ? -128 : -5, max: 127 };
      // Multipliers as training leaves them, whose constants in float32, if there are any, have bits everywhere.
      const layers = Array.from({ length: 40 }, (_, i) => {
        const shift = -7 - (i % 4);
        const multiplier = { multiplier: 2 ** 30 + Math.floor((((i + 1) * 0.618034) % 1) * 2 ** 30), shift };
        const scale = multiplier.multiplier * 2 ** (shift - 31);
        const steps = Array.from({ length: 256 }, (_, k) => Math.round((k - 123.5) / scale));
        const bias = Int32Array.from(steps.flatMap((a) => [a - 1, a, a + 1]));
        const found = search({ multiplier, low: Math.min(...bias), high: Math.max(...bias) }, output, true);
        return { scale, bias, found };
      }).filter(({ found }) => found !== undefined && found.excess > excessOfBits(found.scale));
      expect(layers.length).toBeGreaterThan(2);
      for (const { scale, bias } of layers.slice(0, 3)) {
        const channels = bias.length;
        const c = {
          input: { shape: [1, 1], scale: 1, zeroPoint: 0, values: new Int8Array(1) },
          weights: { shape: [channels, 1], scales: [scale], values: new Int8Array(channels) },
          bias,
          output: { shape: [1, channels], scale: 1, zeroPoint: -5 },
          activation,
        };
        const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", c.output), {
          0: activation,
        });
        const expected = fullyConnectedReference(c.input, c.weights, c.bias, c.output, activation);
        checkConvolution(kernels, fullyConnected, node, c.input, expected, 5);
        if (kernels.variant !== "mcu") {
          const method = packedMethod(fullyConnected, node, kernels.variant);
          expect(method).toBe(uniformMethods(kernels.variant)[1 - activation]);
        }
      }
    }
  });

  /** A layer of scale 1 on one value, or two in turns of four, per operand. */
  const check = (
    [batches, depth]: readonly [number, number],
    [x, w]: readonly [x: readonly number[], w: readonly number[]],
    bias: readonly number[],
    wanted: readonly number[],
    weightScale = 1,
  ): void => {
    const filled = (rows: number, values: readonly number[]): Int8Array =>
      Int8Array.from({ length: rows * depth }, (_, i) => values[((i % depth) >> 2) % values.length] ?? NaN);
    const channels = bias.length;
    const c = {
      input: { shape: [batches, depth], scale: 1, zeroPoint: 0, values: filled(batches, x) },
      weights: { shape: [channels, depth], scales: [weightScale], values: filled(channels, w) },
      bias: Int32Array.from(bias),
      output: { shape: [batches, channels], scale: 1, zeroPoint: 0 },
      activation: 0,
    };
    const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", c.output), { 0: 0 });
    const expected = fullyConnectedReference(c.input, c.weights, c.bias, c.output, c.activation);
    expect([...expected.subarray(0, channels)]).toEqual(wanted);
    checkConvolution(kernels, fullyConnected, node, c.input, expected, 2);
    if (kernels.variant === "mcu" && batches === 1) {
      checkConvolution(kernels, fullyConnectedVector, node, c.input, expected, 2);
    }
  };

  test(`sums of more terms than a half of an int64 holds are exact (${kernels.variant})`, () => {
    // Of these products the sum is near 0, of those that a pair leaves below it 2.4 · 10^9.
    const bias = [0, 1, 2, 3, 4].map((i) => i - 127 * 127);
    check([1, 150_001], [[127], [127, -127]], bias, [0, 1, 2, 3, 4]);
  });

  test(`sums of the largest products are exact (${kernels.variant})`, () => {
    for (const depth of [63, 64, 65, 128, 200]) {
      for (const [x, w] of [-128, 127].flatMap((x) => [-128, 127].map((w) => [x, w] as const))) {
        const bias = [0, 1, 2, 3, 4].map((i) => i - depth * x * w);
        const checked = (): void => {
          check([5, depth], [[x], [w]], bias, [0, 1, 2, 3, 4]);
        };
        if (kernels.variant === "signed" && w === -128) expect(checked).toThrow("-128 side by side");
        else checked();
      }
    }
  });

  test(`sums of the largest products of one vector are exact (${kernels.variant})`, () => {
    for (const depth of [820, 824, 825, 826, 1350]) {
      for (const [x, w] of [-128, 127].flatMap((x) => [-127, 127].map((w) => [x, w] as const))) {
        for (const turn of [x, -1 - x]) {
          const terms = Array.from({ length: depth }, (_, i) => ((i >> 2) % 2 === 0 ? x : turn) * w);
          const sum = terms.reduce((a, b) => a + b, 0);
          const bias = [0, 1, 2, 3, 4].map((i) => i - sum);
          check([1, depth], [[x, turn], [w]], bias, [0, 1, 2, 3, 4]);
        }
      }
    }
  });

  test(`sums of as many products as lanes hold of small weights are exact (${kernels.variant})`, () => {
    for (const depth of [127, 128, 129, 256, 1024]) {
      // Just what fits 128, 256 and 1,024 products, and one more.
      for (const w of [64, 65, 32, 33, 8, 9].flatMap((w) => [w, -w])) {
        for (const x of [-128, 127]) {
          const bias = [0, 1, 2, 3, 4].map((i) => i - depth * x * w);
          check([5, depth], [[x], [w]], bias, [0, 1, 2, 3, 4]);
        }
      }
    }
  });

  test(`results at the end of int32 are clamped before the zero point makes them wrap (${kernels.variant})`, () => {
    const c = {
      input: { shape: [1, 2000], scale: 1 - 2 ** -14, zeroPoint: 0, values: new Int8Array(2000).fill(127) },
      weights: {
        shape: [2, 2000],
        scales: [1, 1].map((s) => s + 2 ** -14),
        values: new Int8Array(4000).fill(127),
      },
      bias: Int32Array.of(1296431, -127 * 127 * 4000 - 1296431),
      output: { shape: [1, 2], scale: 2 ** -6, zeroPoint: 127 },
      activation: 0,
    };
    for (const zeroPoint of [127, -128]) {
      const output = { ...c.output, zeroPoint };
      const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", output), { 0: 0 });
      const expected = fullyConnectedReference(c.input, c.weights, c.bias, output, c.activation);
      expect([...expected]).toEqual([127, -128]);
      checkConvolution(kernels, fullyConnected, node, c.input, expected, 1);
    }
  });

  test(`sums of one multiplier wrap as the reference's do (${kernels.variant})`, () => {
    const output = { shape: [1, 1], scale: 1, zeroPoint: -5 };
    const c = {
      input: { shape: [1, 16], scale: 1, zeroPoint: 0, values: new Int8Array(16).fill(-128) },
      // Far below 1, so that a bias that float32 needs brings sums below -2^31 back above it.
      weights: { shape: [1, 16], scales: [1_737_350_778 * 2 ** -43], values: new Int8Array(16).fill(1) },
      bias: Int32Array.of(1000 - 2 ** 31),
      output,
      activation: 1,
    };
    const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", output), { 0: 1 });
    const expected = fullyConnectedReference(c.input, c.weights, c.bias, output, c.activation);
    expect([...expected]).toEqual([127]);
    checkConvolution(kernels, fullyConnected, node, c.input, expected, 1);
  });

  test(`left shifts of sums wrap as the reference's do (${kernels.variant})`, () => {
    // Either side alone, since one sum that wraps decides for its layer; three rows, which mcu takes together.
    for (const side of [2 ** 29, -(2 ** 29)]) {
      check([3, 8], [[0], [1]], [side, side + 5, side - 2, 3], [0, 20, -8, 12], 4);
    }
  });
}

test("in mcu one vector times a matrix equals the reference with its weights in lanes", () => {
  const [mcu] = provedKernels().filter(({ variant }) => variant === "mcu");
  const depths = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 51, max: 700 }));
  const methods = new Set<number>();
  fc.assert(
    fc.property(
      fc.tuple(depths, fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 40 })),
      operands,
      ([depth, channels, tileBlocks], drawn) => {
        const c = buildCase("mcu", drawn, {
          input: [1, depth],
          weights: [channels, depth],
          output: [1, channels],
          channels,
          terms: depth,
        });
        const node = importNode(fullyConnected, tensorsOf(c, 0), int8Tensor("output", c.output), {
          0: c.activation,
        });
        const expected = fullyConnectedReference(c.input, c.weights, c.bias, c.output, c.activation);
        if (mcu !== undefined)
          checkConvolution(mcu, fullyConnectedVector, node, c.input, expected, tileBlocks);
        methods.add(packedMethod(fullyConnectedVector, node, "mcu"));
      },
    ),
    { numRuns: 200 },
  );
  expect([...methods].sort()).toEqual([Requantization.scalar, Requantization.singleVector]);
});

test("a plan with a method for one pixel is refused where there are more, and one with endless lanes", () => {
  const view = (channels: number, width: number): ViewWords => {
    return {
      address: 0,
      pixelBytes: channels,
      rowBytes: width * channels,
      ringRows: 1,
      height: 1,
      width,
      channels,
    };
  };
  const footprint = (
    width: number,
    variant: Variant,
    requantization: number = Requantization.uniformRelu,
    shift = 4,
    kernelHeight = 1,
  ): unknown => {
    const one = { kernelHeight, kernelWidth: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 };
    const places = { weights: 1024, scratch: 2048, padTop: 0, padLeft: 0 };
    const range = { inputZeroPoint: 0, outputZeroPoint: 0, activationMin: -128, activationMax: 127 };
    return conv2dFootprint(
      {
        op: "conv2d",
        index: 0,
        inputView: view(16, width),
        outputView: view(8, width),
        ...{ y0: 0, y1: 1, c0: 0, c1: 8, batches: 1, inputBatchBytes: 0, outputBatchBytes: 0 },
        ...one,
        ...places,
        ...range,
        requantization: requantizationWord(requantization, shift),
        requantizationMultiplier: 0,
      },
      variant,
    );
  };
  for (const variant of ["simd", "relaxed"] as const) {
    const [method] = uniformMethods(variant);
    expect(() => footprint(1, variant, method)).not.toThrow();
    expect(() => footprint(2, variant, method)).toThrow("not one pixel");
  }
  expect(() => footprint(1, "mcu")).toThrow("has requantization 7");
  // More products than a lane holds of any weights but 0.
  expect(() => footprint(2, "mcu", Requantization.single, MAX_LANE_SHIFT)).not.toThrow();
  expect(() => footprint(2, "mcu", Requantization.single, MAX_LANE_SHIFT + 1)).toThrow(
    "with shift 17 in mcu",
  );
  const vector = Requantization.singleVector;
  // Twelve heads of 12 bytes, 64 bytes to four elements and 4; scratch is 16 bytes of constants, 12 sums, a chunk's begin, and 12 bytes to four elements.
  expect(footprint(1, "mcu", vector)).toMatchObject({
    weights: { bytes: 12 * 12 + 4 * 64 + 4 },
    scratch: { bytes: 16 + 4 * 12 + 8 + 4 * 12 },
  });
  expect(() => footprint(2, "mcu", vector)).toThrow("not one pixel");
  expect(() => footprint(1, "mcu", vector, 0, 2)).toThrow("not one pixel of one segment");
  expect(() => footprint(1, "simd", vector)).toThrow("has requantization 9");
});
