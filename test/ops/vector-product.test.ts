import { expect, test } from "vitest";
import type { BoundNode } from "../../src/graph/graph.ts";
import { conv2d } from "../../src/ops/conv2d.ts";
import { isVectorProduct } from "../../src/ops/vector-product.ts";
import { Requantization } from "../../src/plan/format.ts";
import { convStrips, requantizationWord } from "../../src/plan/packing.ts";
import type { Variant } from "../../src/plan/variant.ts";
import { importNode, int8Tensor } from "./node.ts";

function node(shape: readonly number[], type: "int8" | "int16" = "int8"): BoundNode {
  return { attrs: {}, inputs: [], outputs: [{ id: 0, name: "out", shape, type }] } as unknown as BoundNode;
}

const taken = (shape: readonly number[], depth: number, variant: Variant = "mcu", segments = 1): boolean =>
  isVectorProduct(node(shape), variant, { segments, length: depth });

test("one vector times 4,096 weights and more is taken, where filling up rows and columns does not cost more", () => {
  expect(taken([1, 64], 64)).toBe(true);
  expect(taken([1, 1, 1, 64], 64)).toBe(true);
  expect(taken([1, 63], 64)).toBe(false);
  // Four for one, four for two.
  expect(taken([1, 4104], 1)).toBe(false);
  expect(taken([1, 2052], 2)).toBe(true);
  // Twelve for eight, twelve for nine.
  expect(taken([1, 8], 600)).toBe(false);
  expect(taken([1, 9], 600)).toBe(true);
});

test("not so of more pixels, of several segments, of int16, or in variants with vectors", () => {
  expect(taken([2, 64], 64)).toBe(false);
  expect(taken([1, 1, 2, 64], 64)).toBe(false);
  expect(taken([1, 64], 64, "mcu", 2)).toBe(false);
  expect(isVectorProduct(node([1, 64], "int16"), "mcu", { segments: 1, length: 64 })).toBe(false);
  for (const variant of ["simd", "relaxed", "signed"] as const)
    expect(taken([1, 64], 64, variant)).toBe(false);
});

test("nor of channels in groups", () => {
  const int8 = { scale: 0.1, zeroPoint: 0 };
  const faster = (depth: number): unknown => {
    const input = int8Tensor("in", { ...int8, shape: [1, 1, 1, 128] });
    const weights = int8Tensor("w", { ...int8, shape: [64, 1, 1, depth] }, new Int8Array(64 * depth));
    const output = int8Tensor("out", { ...int8, shape: [1, 1, 1, 64] });
    const node = importNode(conv2d, [input, weights, undefined], output, { 0: 1, 1: 1, 2: 1 });
    return conv2d.faster?.(node, "mcu");
  };
  expect(faster(128)).toBeDefined();
  expect(faster(64)).toBeUndefined();
});

test("of convolutions by the scalar method, and of one pixel, only one strip is called", () => {
  const strips = (requantization: Requantization, height: number): readonly string[] =>
    convStrips({ requantization: requantizationWord(requantization, 1), outputView: { height, width: 1 } });
  expect(strips(Requantization.scalar, 4)).toEqual(["onePixel"]);
  expect(strips(Requantization.single, 1)).toEqual(["onePixel"]);
  expect(strips(Requantization.single, 4)).toEqual(["threePixels", "onePixel"]);
  expect(strips(Requantization.singleVector, 1)).toEqual(["vectorRow"]);
});
