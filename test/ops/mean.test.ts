import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mean } from "../../src/ops/mean.ts";
import { provedKernels } from "../kernel-harness.ts";
import { meanReference } from "../reference/mean.ts";
import { count, type Int8Output } from "../reference/tensor.ts";
import { scale, zeroPoint } from "./elementwise.ts";
import { executeWithin, importNode, int32Tensor, int8Tensor, int8Values, lowerNode } from "./node.ts";

/** Any shape, any set of axes written either way round, kept or not. */
const meanCase = fc
  .record({
    dimensions: fc.oneof(
      fc.array(fc.tuple(fc.constantFrom<number>(1, 2, 3, 5, 7, 17), fc.boolean(), fc.boolean()), {
        maxLength: 4,
      }),
      fc.array(fc.tuple(fc.constantFrom<number>(1, 2, 3), fc.boolean(), fc.boolean()), {
        minLength: 5,
        maxLength: 8,
      }),
    ),
    backwards: fc.boolean(),
    keepDims: fc.boolean(),
    inputScale: scale,
    spread: fc.double({ min: -1.5, max: 1.5, noNaN: true }),
    zeroPoints: fc.tuple(zeroPoint, zeroPoint),
    seed: fc.nat(),
  })
  .map(({ dimensions, backwards, keepDims, inputScale, spread, zeroPoints, seed }) => {
    const shape = dimensions.map(([size]) => size);
    const axes = dimensions.flatMap(([, reduced], axis) => (reduced ? [axis] : []));
    const written = axes.map((axis) => (dimensions[axis]?.[2] === true ? axis - shape.length : axis));
    if (backwards) written.reverse();
    const result = keepDims
      ? shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
      : shape.filter((_, axis) => !axes.includes(axis));
    const input = {
      shape,
      scale: inputScale,
      zeroPoint: zeroPoints[0],
      values: int8Values(seed, count(shape)),
    };
    const output = { shape: result, scale: Math.fround(inputScale * 10 ** spread), zeroPoint: zeroPoints[1] };
    return { input, output, axes, written, keepDims };
  });

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "mean (%s)",
  (_, kernels) => {
    test("equals the reference for any axes", () => {
      fc.assert(
        fc.property(meanCase, ({ input, output, axes, written, keepDims }) => {
          const tensors = [int8Tensor("input", input), int32Tensor("axes", written)];
          const node = importNode(mean, tensors, int8Tensor("output", output), { 0: keepDims });
          expect(node.attrs).toEqual({ axes, keepDims });
          kernels.reset();
          const length = count(output.shape);
          const inputs = [{ address: kernels.placeActivations(input.values) }, { address: 0 }];
          const to = kernels.allocate(length);
          const record = lowerNode(mean, node, kernels, { inputs, outputs: [{ address: to }] });
          executeWithin(kernels, record, to, to + length);
          expect(kernels.readActivations(to, length)).toEqual(meanReference(input, axes, output));
        }),
        { numRuns: 300 },
      );
    });

    test.each([-128, 127])("sums many extremes exactly: %i", (value) => {
      const input = {
        shape: [300, 301, 14],
        scale: 1,
        zeroPoint: -1 - value,
        values: new Int8Array(300 * 301 * 14).fill(value),
      };
      const output = { shape: [14], scale: 3, zeroPoint: 0 };
      const tensors = [int8Tensor("input", input), int32Tensor("axes", [0, 1])];
      const node = importNode(mean, tensors, int8Tensor("output", output));
      kernels.reset();
      const inputs = [{ address: kernels.placeActivations(input.values) }, { address: 0 }];
      const to = kernels.allocate(14);
      kernels.execute(lowerNode(mean, node, kernels, { inputs, outputs: [{ address: to }] }));
      expect(kernels.readActivations(to, 14)).toEqual(meanReference(input, [0, 1], output));
    });
  },
);

test("the reference gives the values that the formula gives by hand", () => {
  const input = { shape: [2, 3], scale: 1, zeroPoint: 1, values: Int8Array.of(1, 2, 4, -1, 4, 127) };
  const output = { shape: [2], scale: 1, zeroPoint: 10 };
  // Sums less zero points 4 and 127: k = 1, m = 2^31 / 3 = 715827882, shift 1 - 1 = 0; 1.33 and 42.33 round down.
  expect([...meanReference(input, [1], output)]).toEqual([11, 52]);
  // Ratio 1, count 2: halves of 0, 3.5 - 1, …: (-2, 4, 129) / 2 = -1, 2, 64.5, a tie in the high product, up.
  expect([...meanReference(input, [0], { ...output, shape: [3] })]).toEqual([9, 12, 75]);
});

test("gives rows only where its output has them: [1, rows] is a matrix", () => {
  const input = int8Tensor("input", { shape: [1, 6, 5], scale: 1, zeroPoint: 0 });
  const over = (keepDims: boolean, shape: number[]): ReturnType<NonNullable<typeof mean.rows>> => {
    const output = int8Tensor("output", { shape, scale: 1, zeroPoint: 0 });
    return mean.rows?.(importNode(mean, [input, int32Tensor("axes", [2])], output, { 0: keepDims }));
  };
  expect(over(true, [1, 6, 1])?.rows).toBe(6);
  expect(over(false, [1, 6])).toBeUndefined();
});

describe("prepare", () => {
  const plain = (shape: number[]): Int8Output => ({ shape, scale: 0.5, zeroPoint: 0 });
  const input = int8Tensor("input", plain([2, 3, 4]));

  test.each([
    ["bad-axis", int32Tensor("axes", [3])],
    ["bad-axis", int32Tensor("axes", [-4])],
    ["repeated-axis", int32Tensor("axes", [1, -2])],
    ["not-constant", { id: 0, name: "axes", shape: [1], type: "int32" } as const],
    ["unsupported-type", int8Tensor("axes", plain([1]), Int8Array.of(1))],
    ["missing-input", undefined],
  ])("refuses axes with %s", (code, axes) => {
    expect(() => importNode(mean, [input, axes], int8Tensor("output", plain([2, 4])))).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test("refuses more values than int32 can sum", () => {
    const huge = int8Tensor("huge", plain([4096, 4097]));
    expect(() => importNode(mean, [huge, int32Tensor("axes", [0, 1])], int8Tensor("y", plain([])))).toThrow(
      expect.objectContaining({ code: "reduction-too-large" }),
    );
  });

  test("takes the axes from the attributes afterwards", () => {
    const axes = int32Tensor("axes", [1]);
    const output = int8Tensor("output", plain([2, 4]));
    importNode(mean, [input, axes], output);
    expect(mean.infer([input, axes], { axes: [0, 2], keepDims: true }, [output])[0]?.shape).toEqual([
      1, 3, 1,
    ]);
  });
});
