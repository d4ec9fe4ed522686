import { describe, expect, test } from "vitest";
import type { BoundNode } from "../../src/graph/graph.ts";
import { averagePool2d } from "../../src/ops/average-pool2d.ts";
import { maxPool2d } from "../../src/ops/max-pool2d.ts";
import { Padding } from "../../src/ops/padding.ts";
import type { Pool2dAttrs } from "../../src/ops/pool2d.ts";
import { windowOf } from "../../src/ops/pool2d.ts";
import { importNode, int8Tensor } from "./node.ts";

const tensor = (...shape: number[]): ReturnType<typeof int8Tensor> =>
  int8Tensor("x", { shape, scale: 0.5, zeroPoint: 0 });

/** Pool2DOptions by field id: padding, stride and filter as width, height. */
const fields = (
  padding: number,
  stride: readonly [number, number],
  filter: readonly [number, number],
): Record<number, number> => ({ 0: padding, 1: stride[0], 2: stride[1], 3: filter[0], 4: filter[1] });

describe.each([averagePool2d, maxPool2d].map((op) => [op.name, op] as const))("%s", (_, op) => {
  test.each([
    ["bad-window", fields(Padding.same, [0, 1], [2, 2])],
    ["bad-window", fields(Padding.same, [1, -1], [2, 2])],
    ["bad-window", fields(Padding.same, [1, 2 ** 31 - 1], [2, 2])],
    ["bad-window", fields(Padding.same, [1, 1], [0, 2])],
    ["bad-window", fields(Padding.valid, [1, 1], [2, -2])],
    ["bad-window", {}],
    ["bad-padding", fields(2, [1, 1], [2, 2])],
    ["window-exceeds-input", fields(Padding.valid, [1, 1], [2, 6])],
    ["window-exceeds-input", fields(Padding.valid, [1, 1], [5, 2])],
    ["unsupported-activation", { ...fields(Padding.same, [1, 1], [2, 2]), 5: 4 }],
  ])("refuses with %s: %o", (code, options) => {
    expect(() => importNode(op, [tensor(1, 5, 4, 3)], tensor(1, 5, 4, 3), options)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test.each([
    ["unsupported-rank", tensor(5, 4, 3)],
    ["empty-tensor", tensor(1, 0, 4, 3)],
    ["missing-input", undefined],
    ["window-too-large", tensor(1, 4096, 4096, 1)],
  ])("refuses with %s", (code, input) => {
    const options = fields(Padding.same, [1, 1], [4096, 4096]);
    expect(() => importNode(op, [input], tensor(1, 5, 4, 3), options)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test("tells its window and the shape of its output", () => {
    const options = fields(Padding.same, [2, 3], [4, 5]);
    const node = importNode(op, [tensor(1, 7, 9, 3)], tensor(1, 3, 5, 3), options);
    expect(windowOf(node as BoundNode<Pool2dAttrs>)).toEqual({
      kernelHeight: 5,
      kernelWidth: 4,
      strideY: 3,
      strideX: 2,
      dilationY: 1,
      dilationX: 1,
      padTop: 2,
      padLeft: 1,
    });
  });
});
