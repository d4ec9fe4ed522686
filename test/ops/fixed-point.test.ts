import fc from "fast-check";
import { expect, test } from "vitest";
import {
  activationRange,
  doublingHighMul,
  FusedActivation,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
  roundHalfAway,
  roundingShift,
} from "../../src/ops/fixed-point.ts";
import * as reference from "../reference/fixed-point.ts";

const int32 = fc.oneof(
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, -1, 0, 1),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -600, max: 600 }),
);
const multiplier = fc.oneof(
  fc.constantFrom(0, 2 ** 30, 2 ** 31 - 1),
  fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }),
);

test("doublingHighMul and roundingShift equal the reference", () => {
  fc.assert(
    fc.property(int32, multiplier, fc.nat(31), (x, m, exponent) => {
      // Adding 0 turns -0, which doubles have, into 0.
      expect(doublingHighMul(x, m) + 0).toBe(reference.srdhm(x, m));
      expect(roundingShift(x, exponent) + 0).toBe(reference.rdbp(x, exponent));
    }),
    { numRuns: 5000 },
  );
});

test("multiplyByQuantizedMultiplier equals the reference, wrapping included", () => {
  fc.assert(
    fc.property(int32, multiplier, fc.integer({ min: -31, max: 30 }), (x, m, shift) => {
      const result = multiplyByQuantizedMultiplier(x, { multiplier: m, shift });
      expect(result + 0).toBe(reference.multiplyByQuantizedMultiplier(x, m, shift));
    }),
    { numRuns: 5000 },
  );
});

test("quantizeMultiplier equals the reference, next to powers of two too", () => {
  const near = fc
    .tuple(fc.integer({ min: -40, max: 30 }), fc.integer({ min: -3, max: 3 }), fc.constantFrom(-52, -40, -31))
    .map(([power, steps, ulp]) => 2 ** power * (1 + steps * 2 ** ulp));
  const wide = fc.double({ min: -12, max: 9, noNaN: true }).map((power) => 10 ** power);
  const tiny = fc.constantFrom(0, Number.MIN_VALUE, 2 ** -1030, 2 ** -33, 2 ** -32);
  fc.assert(
    fc.property(fc.oneof(near, wide, tiny), (value) => {
      expect(quantizeMultiplier(value)).toEqual(reference.quantizeMultiplier(value));
    }),
    { numRuns: 5000 },
  );
});

test("activationRange equals the reference", () => {
  const cases = fc.record({
    activation: fc.constantFrom(
      FusedActivation.none,
      FusedActivation.relu,
      FusedActivation.reluN1To1,
      FusedActivation.relu6,
    ),
    scale: fc.double({ min: -45, max: 38, noNaN: true }).map((power) => Math.fround(10 ** power)),
    zeroPoint: fc.integer({ min: -128, max: 127 }),
  });
  fc.assert(
    fc.property(cases, ({ activation, scale, zeroPoint }) => {
      fc.pre(scale > 0);
      const { min, max } = activationRange(activation, scale, zeroPoint);
      expect([min, max]).toEqual(reference.activationBounds(activation, scale, zeroPoint));
    }),
  );
});

test("halves go away from zero, and the reference's numbers are those written down", () => {
  expect([-2.5, -0.5, 0.5, 2.5].map(roundHalfAway)).toEqual([-3, -1, 1, 3]);
  expect(reference.quantizeMultiplier(0.5)).toEqual({ multiplier: 2 ** 30, shift: 0 });
  expect(reference.quantizeMultiplier(1 - 2 ** -40)).toEqual({ multiplier: 2 ** 30, shift: 1 });
  expect(reference.quantizeMultiplier(3)).toEqual({ multiplier: 3 * 2 ** 29, shift: 2 });
  expect(reference.srdhm(-(2 ** 31), -(2 ** 31))).toBe(2 ** 31 - 1);
  expect([reference.srdhm(3, 2 ** 30), reference.srdhm(-3, 2 ** 30)]).toEqual([2, -1]);
  expect([reference.rdbp(3, 1), reference.rdbp(-3, 1), reference.rdbp(-5, 2)]).toEqual([2, -2, -1]);
});
