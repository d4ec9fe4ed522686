import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BoundNode, Tensor } from "../../src/graph/graph.ts";
import type { ReshapeAttrs } from "../../src/ops/reshape.ts";
import { reshape } from "../../src/ops/reshape.ts";
import type { Int8Output } from "../reference/tensor.ts";
import { int32Tensor, int8Tensor, int8Values } from "./node.ts";

const plain = (shape: readonly number[], scale = 0.5): Int8Output => ({ shape, scale, zeroPoint: 3 });
const input = int8Tensor("input", plain([2, 3, 4]));

/** The shape that a tensor, the options, or else the output [4, 6] gives to [2, 3, 4]. */
function shapeOf(
  fromTensor?: readonly number[] | Tensor,
  fromOptions: readonly number[] = [],
): readonly number[] {
  const second = Array.isArray(fromTensor)
    ? int32Tensor("shape", fromTensor)
    : (fromTensor as Tensor | undefined);
  const inputs = second === undefined ? [input] : [input, second];
  const output = int8Tensor("output", plain([4, 6]));
  const attrs = reshape.prepare(inputs, [output], fromOptions) as ReshapeAttrs;
  expect(reshape.infer(inputs, attrs, [output])[0]?.shape).toEqual(attrs.shape);
  // What the attributes say does not change when the shape tensor is gone.
  expect(reshape.infer([input], attrs, [output])[0]?.shape).toEqual(attrs.shape);
  return attrs.shape;
}

describe("the new shape", () => {
  test("comes from the tensor, then the options, then the output", () => {
    expect(shapeOf([8, 3], [3, 8])).toEqual([8, 3]);
    expect(shapeOf(undefined, [3, 8])).toEqual([3, 8]);
    expect(shapeOf()).toEqual([4, 6]);
  });

  test("may leave any one dimension open", () => {
    const shape = fc.shuffledSubarray([1, 2, 3, 4], { minLength: 4 });
    fc.assert(
      fc.property(shape, fc.nat(3), (sizes, open) => {
        const written = sizes.map((size, i) => (i === open ? -1 : size));
        expect(shapeOf(written)).toEqual(sizes);
        expect(shapeOf(undefined, written)).toEqual(sizes);
      }),
    );
  });

  test.each([
    ["reshape-shape", [-1, -1, 24]],
    ["reshape-shape", [-2, -12]],
    ["reshape-size", [5, 5]],
    ["reshape-size", [5, -1]],
    ["reshape-size", [0, -1]],
    ["reshape-size", [0]],
    ["reshape-size", [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1]],
  ])("is refused with %s: %j", (code, shape) => {
    const refused: unknown = expect.objectContaining({ name: "ModelError", code });
    expect(() => shapeOf(shape)).toThrow(refused);
    expect(() => shapeOf(undefined, shape)).toThrow(refused);
  });

  test("is refused where the model computes it", () => {
    const computed: Tensor = { id: 0, name: "shape", shape: [2], type: "int32" };
    expect(() => shapeOf(computed)).toThrow(expect.objectContaining({ code: "not-constant" }));
  });

  test("is refused where the output, the last resort, does not hold the input", () => {
    const output = int8Tensor("output", plain([5, 5]));
    expect(() => reshape.prepare([input], [output], [])).toThrow(
      expect.objectContaining({ code: "reshape-size" }),
    );
  });
});

test("is an alias of any element type", () => {
  expect(reshape.alias).toBe(true);
  expect("lower" in reshape).toBe(false);
  const float: Tensor = { id: 0, name: "x", shape: [6], type: "float32" };
  const attrs = reshape.prepare([float], [{ ...float, shape: [2, 3] }], []);
  expect(reshape.infer([float], attrs, [float])).toEqual([{ shape: [2, 3], type: "float32" }]);
});

test("is the identity where neither shape nor quantisation changes", () => {
  const node = (output: Tensor): BoundNode => ({ name: "r", attrs: {}, inputs: [input], outputs: [output] });
  expect(reshape.isIdentity?.(node(int8Tensor("output", plain([2, 3, 4]))))).toBe(true);
  expect(reshape.isIdentity?.(node(int8Tensor("output", plain([4, 6]))))).toBe(false);
  expect(reshape.isIdentity?.(node(int8Tensor("output", plain([2, 3, 4], 1))))).toBe(false);
});

test("folds a constant to its own bytes", () => {
  const constant = int8Tensor("input", plain([6]), int8Values(3, 6));
  const node = { name: "r", attrs: { shape: [2, 3] }, inputs: [constant], outputs: [constant] };
  expect(reshape.fold?.(node)).toEqual(constant.data);
});
