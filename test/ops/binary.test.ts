import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { opOf } from "../../src/ops/index.ts";
import { provedKernels } from "../kernel-harness.ts";
import { binaryReference, compareReference } from "../reference/binary.ts";
import type { Int8Tensor } from "../reference/tensor.ts";
import type { ElementwiseCase } from "./elementwise.ts";
import { checkElementwise, elementwiseCase } from "./elementwise.ts";
import { checkOperator } from "./operator.ts";

/** An output scale that spreads the results, from the operands' scales. */
const SCALES: Readonly<Record<string, (lhs: number, rhs: number, spread: number) => number>> = {
  sub: (lhs, rhs, spread) => Math.max(lhs, rhs) * 1.5 * spread,
  minimum: (lhs) => lhs,
  maximum: (lhs) => lhs,
  squaredDifference: (lhs, rhs, spread) => Math.max(lhs, rhs) ** 2 * 80 * spread,
  div: (lhs, rhs, spread) => (lhs / rhs) * 0.05 * spread,
  prelu: (lhs, rhs, spread) => lhs * Math.max(1, rhs * 80) * spread,
};

/** Which operators have a fused activation. */
const FUSED = ["sub", "div"];

describe.each(Object.entries(SCALES))("%s", (name, scaleOf) => {
  const op = opOf({ op: name });

  test.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
    "equals the reference for any broadcast, constant and overlap (%s)",
    (_, kernels) => {
      fc.assert(
        fc.property(elementwiseCase(scaleOf), (drawn) => {
          const activation = FUSED.includes(name) ? drawn.activation : 0;
          const c: ElementwiseCase = { ...drawn, activation };
          checkElementwise(op, kernels, c, binaryReference(name, c.lhs, c.rhs, c.output, activation));
        }),
        { numRuns: 150 },
      );
    },
  );
});

const RELATIONS = { equal: 71, notEqual: 72, greater: 61, greaterEqual: 62, less: 58, lessEqual: 63 };

test.each(Object.entries(RELATIONS))("%s equals the reference", async (relation, builtin) => {
  const below1 = (tensor: Int8Tensor): Int8Tensor => ({ ...tensor, scale: Math.min(tensor.scale, 0.99) });
  await fc.assert(
    fc.asyncProperty(
      elementwiseCase((lhs) => lhs),
      fc.boolean(),
      async (c, isSame) => {
        fc.pre(!(c.lhsConstant && c.rhsConstant));
        const lhs = below1(c.lhs);
        const rhs = isSame ? { ...below1(c.rhs), scale: lhs.scale, zeroPoint: lhs.zeroPoint } : below1(c.rhs);
        const operand = (tensor: Int8Tensor, isConstant: boolean) => ({
          shape: tensor.shape,
          type: "int8" as const,
          scales: [tensor.scale],
          zeroPoints: [tensor.zeroPoint],
          values: tensor.values,
          isConstant,
        });
        const { shape } = c.output;
        await checkOperator({
          builtin,
          operands: [operand(lhs, c.lhsConstant), operand(rhs, c.rhsConstant)],
          outputs: [{ shape, type: "bool", expected: compareReference(relation, lhs, rhs, shape) }],
        });
      },
    ),
    { numRuns: 15 },
  );
});

test("the references give the values that the functions have", () => {
  const tensor = (values: number[], scale: number, zeroPoint = 0): Int8Tensor => ({
    shape: [values.length],
    scale,
    zeroPoint,
    values: Int8Array.from(values),
  });
  const [a, b] = [tensor([10, -20, 30], 0.5), tensor([4, 8, -16], 0.25, 4)];
  const output = { shape: [3], scale: 0.5, zeroPoint: 1 };
  const of = (name: string): number[] => [...binaryReference(name, a, b, output, 0)];
  // 5, −10, 15 and 0, 1, −5.
  expect(of("sub")).toEqual([11, -21, 41]);
  expect(of("minimum")).toEqual([4, -20, -16]);
  expect(of("squaredDifference")).toEqual([51, 127, 127]);
  expect(of("prelu")).toEqual([11, -19, 31]);
  expect(of("div")).toEqual([127, -19, -5]);
  expect([...compareReference("greater", a, tensor([5, -10, 16], 1), [3])]).toEqual([0, 0, 0]);
  // What is close enough compares equal.
  expect([...compareReference("equal", a, tensor([5, -10, 16], 1 - 2 ** -20), [3])]).toEqual([1, 1, 0]);
});
