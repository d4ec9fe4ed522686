import fc from "fast-check";
import { expect } from "vitest";
import type { OpDefinition } from "../../src/ops/op.ts";
import type { PlanRecord } from "../../src/plan/record.ts";
import type { Kernels } from "../kernel-harness.ts";
import { count, type Int8Output, type Int8Tensor } from "../reference/tensor.ts";
import { executeWithin, importNode, int8Tensor, int8Values, lowerNode } from "./node.ts";

/** Two operands that broadcast, which of them are constants, and where the output lies. */
export interface ElementwiseCase {
  readonly lhs: Int8Tensor;
  readonly rhs: Int8Tensor;
  readonly output: Int8Output;
  readonly activation: number;
  readonly lhsConstant: boolean;
  readonly rhsConstant: boolean;
  /** Bytes below an operand that is not broadcast to write to, if there is one. */
  readonly below: number;
}

/** Int8 zero points, extremes often. */
export const zeroPoint = fc.oneof(fc.constantFrom(-128, -1, 0, 127), fc.integer({ min: -128, max: 127 }));

/** Float32 scales over five decades. */
export const scale = fc.double({ min: -4, max: 1, noNaN: true }).map((power) => Math.fround(10 ** power));

/** Every operand keeps, drops or repeats each dimension of a common shape; the output scale comes from `outputScale`. */
export function elementwiseCase(
  outputScale: (lhs: number, rhs: number, spread: number) => number,
): fc.Arbitrary<ElementwiseCase> {
  const keep = fc.constantFrom(true, true, true, false);
  const dimension = fc.tuple(fc.constantFrom<number>(1, 2, 3, 5, 17), keep, keep);
  return fc
    .record({
      dimensions: fc.oneof(
        fc.array(dimension, { maxLength: 4 }),
        fc.array(fc.tuple(fc.constantFrom<number>(1, 2, 3), keep, keep), { minLength: 5, maxLength: 5 }),
      ),
      lhsDropped: fc.nat(4),
      scales: fc.tuple(scale, scale, fc.double({ min: -1, max: 1, noNaN: true })),
      zeroPoints: fc.tuple(zeroPoint, zeroPoint, zeroPoint),
      seeds: fc.tuple(fc.nat(), fc.nat()),
      activation: fc.integer({ min: 0, max: 3 }),
      lhsConstant: fc.boolean(),
      rhsConstant: fc.boolean(),
      below: fc.nat(20),
    })
    .map(({ dimensions, lhsDropped, scales, zeroPoints, seeds, ...rest }) => {
      const rhsShape = dimensions.map(([size, , kept]) => (kept ? size : 1));
      const lhsShape = dimensions.map(([size, kept]) => (kept ? size : 1)).slice(lhsDropped);
      const shape = rhsShape.map((size, i) => {
        const other = lhsShape[i - rhsShape.length + lhsShape.length] ?? 1;
        return size === 1 ? other : size;
      });
      const operand = (own: number[], i: 0 | 1): Int8Tensor => ({
        shape: own,
        scale: scales[i],
        zeroPoint: zeroPoints[i],
        values: int8Values(seeds[i], count(own)),
      });
      const wanted = Math.fround(outputScale(scales[0], scales[1], 10 ** scales[2]));
      const output = { shape, scale: wanted, zeroPoint: zeroPoints[2] };
      return { lhs: operand(lhsShape, 0), rhs: operand(rhsShape, 1), output, ...rest };
    });
}

/** Runs the case in memory of its own and, where the operator allows it, over each operand. Returns the records. */
export function checkElementwise(
  op: OpDefinition,
  kernels: Kernels,
  c: ElementwiseCase,
  expected: Int8Array,
): readonly PlanRecord[] {
  const length = count(c.output.shape);
  const node = importNode(
    op,
    [
      int8Tensor("lhs", c.lhs, c.lhsConstant ? c.lhs.values : undefined),
      int8Tensor("rhs", c.rhs, c.rhsConstant ? c.rhs.values : undefined),
    ],
    int8Tensor("output", c.output),
    { 0: c.activation },
  );
  const records: PlanRecord[] = [];
  for (const over of [undefined, 0, 1]) {
    kernels.reset();
    // Room below the first operand to write to.
    kernels.allocate(32);
    const inputs = [
      c.lhsConstant ? 0 : kernels.placeActivations(c.lhs.values),
      c.rhsConstant ? 0 : kernels.placeActivations(c.rhs.values),
    ];
    let output = kernels.allocate(length);
    if (over !== undefined) {
      const sameSize = (over === 0 ? c.lhs : c.rhs).values.length === length;
      const distance = op.overlapDistance?.(node, over, kernels.variant);
      expect(distance).toBe(sameSize ? 0 : undefined);
      const operand = inputs[over] ?? 0;
      if (distance === undefined || operand === 0) continue;
      output = operand - distance - c.below;
    }
    const record = lowerNode(op, node, kernels, {
      inputs: inputs.map((address) => ({ address })),
      outputs: [{ address: output }],
    });
    records.push(record);
    executeWithin(kernels, record, output, output + length);
    expect(kernels.readActivations(output, length)).toEqual(expected);
  }
  return records;
}
