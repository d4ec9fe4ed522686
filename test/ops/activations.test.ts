import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { opOf } from "../../src/ops/index.ts";
import { storageFlip } from "../../src/plan/variant.ts";
import { provedKernels } from "../kernel-harness.ts";
import type { Activation } from "../reference/activations.ts";
import { ACTIVATIONS } from "../reference/activations.ts";
import { scale, zeroPoint } from "./elementwise.ts";
import { executeWithin, importNode, int8Tensor, int8Values, lowerNode } from "./node.ts";

const drawn: fc.Arbitrary<Activation> = fc
  .record({
    si: scale,
    zi: zeroPoint,
    spread: fc.double({ min: -2, max: 2, noNaN: true }),
    zo: zeroPoint,
    alpha: fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround),
    isSame: fc.boolean(),
  })
  .map(({ si, spread, isSame, ...rest }) => ({
    ...rest,
    si,
    so: isSame ? si : Math.fround(si * 10 ** spread),
  }));

/** What the operator demands of its output. */
function demanded(op: string, a: Activation): Activation {
  if (op === "logistic") return { ...a, so: 1 / 256, zo: -128 };
  if (op === "tanh") return { ...a, so: 1 / 128, zo: 0 };
  // Their ratio must be below 128.
  if (op === "hardSwish") return { ...a, so: Math.max(a.so, Math.fround(a.si / 100)) };
  return a;
}

describe.each(Object.entries(ACTIVATIONS))("%s", (name, reference) => {
  const op = opOf({ op: name });

  test("has the table that the formula gives", () => {
    fc.assert(
      fc.property(drawn, (any) => {
        const a = demanded(name, any);
        const input = int8Tensor("input", { shape: [1, 5], scale: a.si, zeroPoint: a.zi });
        const output = int8Tensor("output", { shape: [1, 5], scale: a.so, zeroPoint: a.zo });
        const node = importNode(op, [input], output, { 0: a.alpha });
        for (const variant of ["simd", "relaxed"] as const) {
          const flip = storageFlip(variant);
          const { bytes } = op.pack?.(node, variant) ?? {};
          const table = Array.from(
            { length: 256 },
            (_, i) => (((bytes?.[((i - 128) & 255) ^ flip] ?? 0) ^ flip) << 24) >> 24,
          );
          expect(table).toEqual(Array.from({ length: 256 }, (_, i) => reference(i - 128, a)));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "looking up (%s)",
  (_, kernels) => {
    test("is the function of each value, also in its own place or below", () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(20), (length, seed, below) => {
          const a = { si: 0.05, zi: -3, so: 0.03, zo: 5, alpha: 0.1 };
          const values = int8Values(seed, length);
          const expected = Int8Array.from(values, (q) => ACTIVATIONS["leakyRelu"]?.(q, a) ?? NaN);
          const op = opOf({ op: "leakyRelu" });
          const input = int8Tensor("input", { shape: [length], scale: a.si, zeroPoint: a.zi });
          const output = int8Tensor("output", { shape: [length], scale: a.so, zeroPoint: a.zo });
          const node = importNode(op, [input], output, { 0: a.alpha });
          expect(op.overlapDistance?.(node, 0, kernels.variant)).toBe(0);
          for (const isApart of [true, false]) {
            kernels.reset();
            kernels.allocate(32);
            const from = kernels.placeActivations(values);
            const to = isApart ? kernels.allocate(length) : from - below;
            const places = { inputs: [{ address: from }], outputs: [{ address: to }] };
            executeWithin(kernels, lowerNode(op, node, kernels, places), to, to + length);
            expect(kernels.readActivations(to, length)).toEqual(expected);
          }
        }),
        { numRuns: 100 },
      );
    });
  },
);

test("the references give the values that the functions have", () => {
  const a = { si: 1 / 16, zi: 0, so: 1 / 16, zo: 0, alpha: 0.5 };
  const at = (name: string, q: number): number => ACTIVATIONS[name]?.(q, a) ?? NaN;
  expect([at("relu", -16), at("relu", 16)]).toEqual([0, 16]);
  expect([at("relu6", -16), at("relu6", 127)]).toEqual([0, 96]);
  expect([at("reluN1To1", -100), at("reluN1To1", 127)]).toEqual([-16, 16]);
  expect([at("leakyRelu", -32), at("leakyRelu", 32)]).toEqual([-16, 32]);
  expect(at("abs", -40)).toBe(40);
  // 1 / (1 + e^-1) = 0.731 of 256, less 128; tanh 1 = 0.762 of 128.
  expect([at("logistic", 16), at("tanh", 16)]).toEqual([59, 97]);
  // e^-1 − 1 = −0.632 of 16; −1 · relu6(2) / 6 = −0.333 of 16; 1 / √4 of 16.
  expect([at("elu", -16), at("hardSwish", -16), at("rsqrt", 64)]).toEqual([-10, -5, 8]);
});
