import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/graph/graph.ts";
import { quantize } from "../../src/ops/quantize.ts";
import { InputQuantizer } from "../../src/runtime/quantize.ts";
import type { Kernels } from "../kernel-harness.ts";
import { provedKernels } from "../kernel-harness.ts";
import { scale, zeroPoint } from "./elementwise.ts";
import { executeWithin, importNode, int8Tensor, int8Values, lowerNode } from "./node.ts";
import { quantizeReference, requantizeReference } from "../reference/quantize.ts";
import type { Int8Output } from "../reference/tensor.ts";
import { resizable } from "../resizable.ts";

const float32Tensor = (shape: readonly number[]): Tensor => ({
  id: 0,
  name: "input",
  shape,
  type: "float32",
});

/** Runs the node apart and over its own input, `below` bytes under it. */
function check(
  kernels: Kernels,
  input: Tensor,
  bytes: Uint8Array,
  to: Int8Output,
  expected: Int8Array,
  below: number,
): void {
  const node = importNode(quantize, [input], int8Tensor("output", to));
  expect(quantize.overlapDistance?.(node, 0, kernels.variant)).toBe(0);
  const { length } = expected;
  for (const shared of [false, true]) {
    kernels.reset();
    kernels.allocate(32);
    const from =
      input.type === "int8"
        ? kernels.placeActivations(new Int8Array(bytes.buffer))
        : kernels.placeBytes(bytes);
    const output = shared ? from - below : kernels.allocate(length);
    const record = lowerNode(quantize, node, kernels, {
      inputs: [{ address: from }],
      outputs: [{ address: output }],
    });
    executeWithin(kernels, record, output, output + length);
    expect(kernels.readActivations(output, length)).toEqual(expected);
  }
}

/** Reals around and between the steps of an output scale, and the ones that floats have besides. */
const quantizeCase = fc
  .record({
    scale,
    zeroPoint,
    steps: fc.array(fc.integer({ min: -300, max: 300 }), { minLength: 1 }),
    below: fc.nat(20),
  })
  .map(({ steps, ...rest }) => {
    const halves = steps.map((step) => Math.fround((step / 2) * rest.scale));
    const special = [0, -0, NaN, Infinity, -Infinity, 3e38, -3e38, 1e-45, -1e-45];
    return { ...rest, values: Float32Array.of(...halves, ...special) };
  });

/** The seven floats around each half between the ends of int8 and some beyond, for any zero point. */
function aroundHalves(own: number): Float32Array {
  const values = new Float32Array(7 * 264);
  const bits = new Int32Array(values.buffer);
  for (let i = 0; i < values.length; i++) {
    values[i] = (Math.floor(i / 7) + 0.5) * own;
    bits[i] = Math.max(0, Math.min((bits[i] ?? 0) + (i % 7) - 3, 0x7f800000));
  }
  return values;
}

/** Scales that reciprocals like least: around powers of two, with few or many bits, of pictures, at either end of the floats and of what is multiplied. */
const scales = [
  ...[1, 2, 0.5, 0.75, 1 + 2 ** -23, 1 + 2 ** -22, 1 - 2 ** -24, 1 - 2 ** -23, 1.5 - 2 ** -23, 1 + 2 ** -15],
  ...[1 / 255, 2 / 255, 1 / 256, 1 / 127.5, 0.1, 3.3],
  ...[
    2 ** -91,
    2 ** -90,
    1.5 * 2 ** -90,
    2 ** 89.5,
    2 ** 90,
    2 ** 91,
    2 ** -126,
    1.7 * 2 ** -126,
    2 ** -127,
    3e-39,
  ],
  ...[2 ** -149, 2 ** 118, 3e38],
].map(Math.fround);

/** Scales of any significand. */
const significand = fc
  .tuple(fc.nat(2 ** 23 - 1), fc.integer({ min: -20, max: 8 }))
  .map(([fraction, exponent]) => (1 + fraction / 2 ** 23) * 2 ** exponent);

/** Short arrays are copied by a loop, longer ones by views that are kept. */
const lengths = fc.oneof(fc.nat(1200), fc.integer({ min: 2040, max: 4000 }));
/** No memory that is free between runs, some, and more than values have. */
const rooms = fc.oneof(fc.constant(0), fc.nat(2000), fc.nat(40_000)).map((bytes) => bytes & ~15);
const NO_ROOM = { address: 0, bytes: 0 };
/** Whole arrays, and rows of them. */
const startsAt = fc.oneof(fc.constant(0), fc.nat(20));

const requantizeCase = fc
  .record({
    scale,
    ratio: fc.double({ min: -3, max: 3, noNaN: true }),
    zeroPoints: fc.tuple(zeroPoint, zeroPoint),
    below: fc.nat(20),
  })
  .map(({ scale, ratio, zeroPoints, below }) => {
    const shape = [256];
    const values = Int8Array.from({ length: 256 }, (_, i) => i - 128);
    const output = { shape, scale: Math.fround(scale * 10 ** ratio), zeroPoint: zeroPoints[1] };
    return { input: { shape, scale, zeroPoint: zeroPoints[0], values }, output, below };
  });

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "quantize (%s)",
  (_, kernels) => {
    test("equals the reference for float32 at and around halves, in place too", () => {
      fc.assert(
        fc.property(quantizeCase, ({ values, below, ...to }) => {
          const output = { shape: [values.length], ...to };
          const bytes = new Uint8Array(values.buffer);
          check(
            kernels,
            float32Tensor(output.shape),
            bytes,
            output,
            quantizeReference(values, output),
            below,
          );
        }),
        { numRuns: 200 },
      );
    });

    test("equals the reference for a model's input, whose values pass through its own bytes", () => {
      fc.assert(
        fc.property(
          quantizeCase,
          lengths,
          fc.nat(3),
          startsAt,
          rooms,
          fc.boolean(),
          (drawn, more, odd, from, free, isRunning) => {
            const values = Float32Array.from(
              { length: from + more },
              (_, i) => drawn.values[i % drawn.values.length] ?? 0,
            );
            // The floats just below and above the halves too, which any sloppier rounding gets wrong.
            const bits = new Int32Array(values.buffer);
            for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] ?? 0) + ((i * 7) % 5) - 2;
            const output = { shape: [more], scale: drawn.scale, zeroPoint: drawn.zeroPoint };
            kernels.reset();
            const at = kernels.allocate(more + 16) + odd;
            const room = { address: kernels.allocate(free), bytes: free };
            const quantizer = new InputQuantizer(kernels.exports, room);
            const beside = kernels.bytes.slice(room.address, room.address + free + 16);
            // The same array with other values the second time.
            for (let round = 0; round < 2; round++) {
              values.reverse();
              const before = kernels.bytes.slice(at - 16, at + more + 48);
              quantizer.write(values, from, at, more, output.scale, output.zeroPoint, isRunning);
              const expected = quantizeReference(values.subarray(from), output);
              before.set(new Uint8Array(expected.buffer), 16);
              expect(kernels.bytes.slice(at - 16, at + more + 48)).toEqual(before);
              // Nothing beside the room is written, and while the model runs nothing in it.
              const now = kernels.bytes.slice(room.address, room.address + free + 16);
              const kept = isRunning ? 0 : free;
              expect(now.slice(kept)).toEqual(beside.slice(kept));
            }
          },
        ),
        { numRuns: 300 },
      );
    });

    test("equals the reference for the floats around every half, whatever the scale", () => {
      const check = (own: number, zero: number): void => {
        const values = aroundHalves(own);
        const output = { shape: [values.length], scale: own, zeroPoint: zero };
        kernels.reset();
        const at = kernels.allocate(values.length + 48);
        const quantizer = new InputQuantizer(kernels.exports, NO_ROOM);
        for (const sign of [1, -1]) {
          const signed = values.map((x) => sign * x);
          quantizer.write(signed, 0, at, signed.length, own, zero, false);
          const written = kernels.bytes.slice(at, at + signed.length);
          expect(Buffer.compare(written, new Uint8Array(quantizeReference(signed, output).buffer))).toBe(0);
        }
      };
      for (const zero of [-128, 0, 127]) for (const own of scales) check(own, zero);
      fc.assert(fc.property(significand, zeroPoint, check), { numRuns: 300 });
    });

    test("equals the reference for what has no quotient in int32, wherever it lies among others", () => {
      const length = 1024;
      const odd = [
        NaN,
        -NaN,
        Infinity,
        -Infinity,
        3.4e38,
        -3.4e38,
        2 ** 29,
        2 ** 30,
        -(2 ** 30),
        -(2 ** 31),
        2 ** 40,
      ];
      const output = { shape: [length], scale: Math.fround(2 / 255), zeroPoint: -1 };
      kernels.reset();
      const at = kernels.allocate(length + 48);
      const quantizer = new InputQuantizer(kernels.exports, NO_ROOM);
      const plain = Float32Array.from({ length }, (_, i) => (((i * 89) % 256) / 127.5 - 1) * 1.01);
      odd.forEach((x, i) => {
        for (let lane = 0; lane < 16; lane++) {
          const values = plain.slice();
          values[16 * (i + lane) + lane] = Math.abs(x) < 1e30 ? x * output.scale : x;
          quantizer.write(values, 0, at, length, output.scale, output.zeroPoint, false);
          const expected = new Uint8Array(quantizeReference(values, output).buffer);
          expect(Buffer.compare(kernels.bytes.slice(at, at + length), expected)).toBe(0);
        }
      });
    });

    test("takes an array whose buffer has grown or shrunk since", () => {
      const buffer = resizable(4 * 3000, 3);
      const values = new Float32Array(buffer);
      kernels.reset();
      const at = kernels.allocate(9016);
      const quantizer = new InputQuantizer(kernels.exports, NO_ROOM);
      for (const length of [3000, 9000, 2500, 3000]) {
        buffer.resize(4 * length);
        for (let i = 0; i < length; i++) values[i] = ((i * 7919) % 400) / 2 - 100;
        const before = kernels.bytes.slice(at, at + 9016);
        quantizer.write(values, 0, at, length, 1, 3, false);
        before.set(
          new Uint8Array(quantizeReference(values, { shape: [length], scale: 1, zeroPoint: 3 }).buffer),
        );
        expect(Buffer.compare(kernels.bytes.slice(at, at + 9016), before)).toBe(0);
      }
    });

    test("equals the reference for every int8 and any pair of scales, in place too", () => {
      fc.assert(
        fc.property(requantizeCase, ({ input, output, below }) => {
          const bytes = new Uint8Array(input.values.buffer);
          check(
            kernels,
            int8Tensor("input", input),
            bytes,
            output,
            requantizeReference(input, output),
            below,
          );
        }),
        { numRuns: 200 },
      );
    });
  },
);

test("the reference gives the values that the formula gives by hand", () => {
  const output = { shape: [7], scale: 0.5, zeroPoint: 10 };
  const values = Float32Array.of(0.25, -0.25, 0.24, 1, -100, 100, NaN);
  // Quotients 0.5, -0.5, 0.48, 2, -200, 200: halves away from zero.
  expect([...quantizeReference(values, output)]).toEqual([11, 9, 10, 12, -128, 127, 10]);
  const input = { shape: [3], scale: 0.25, zeroPoint: 1, values: Int8Array.of(2, 4, -2) };
  // 1/2, 3/2 and -3/2 · 0.5 / 0.25: a multiplier of 1/2 rounds in the high product alone, halves up.
  expect([...requantizeReference(input, { shape: [3], scale: 0.5, zeroPoint: 0 })]).toEqual([1, 2, -1]);
});

test("int8 of equal scale and zero point is left as it is, and nothing else", () => {
  const plain = (own: number, zero: number): Int8Output => ({ shape: [256], scale: own, zeroPoint: zero });
  const identity = (from: Tensor, to: Int8Output): boolean | undefined =>
    quantize.isIdentity?.(importNode(quantize, [from], int8Tensor("output", to)));
  for (const own of [1, 0.1, 1e-9].map(Math.fround)) {
    for (const zero of [-128, 0, 127]) {
      expect(identity(int8Tensor("input", plain(own, zero)), plain(own, zero))).toBe(true);
      const values = Int8Array.from({ length: 256 }, (_, i) => i - 128);
      expect(requantizeReference({ ...plain(own, zero), values }, plain(own, zero))).toEqual(values);
    }
  }
  expect(identity(int8Tensor("input", plain(1, 0)), plain(1, 1))).toBe(false);
  expect(identity(int8Tensor("input", plain(1, 0)), plain(0.5, 0))).toBe(false);
  const quantized = int8Tensor("input", plain(1, 0));
  expect(identity({ ...quantized, type: "float32" }, plain(1, 0))).toBe(false);
});

test.each(["int64", "bool"] as const)("refuses %s", (type) => {
  const output = int8Tensor("output", { shape: [2], scale: 1, zeroPoint: 0 }, int8Values(1, 2));
  const { quantization } = output;
  const input = { id: 0, name: "input", shape: [2], type, ...(quantization && { quantization }) };
  expect(() => quantize.prepare([input], [output], undefined)).toThrow(
    expect.objectContaining({ name: "UnsupportedError", code: "unsupported-type" }),
  );
  expect(() => quantize.prepare([output], [input], undefined)).toThrow(
    expect.objectContaining({ name: "UnsupportedError", code: "unsupported-type" }),
  );
});
