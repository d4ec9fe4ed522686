import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/graph/graph.ts";
import { pad } from "../../src/ops/pad.ts";
import { provedKernels } from "../kernel-harness.ts";
import { zeroPoint } from "./elementwise.ts";
import {
  executeWithin,
  importNode,
  int32Tensor,
  int8Tensor,
  int8Values,
  lowerNode,
  onlyRecord,
} from "./node.ts";
import { padReference } from "../reference/pad.ts";
import { count, type Int8Output, type Int8Tensor } from "../reference/tensor.ts";

interface PadCase {
  readonly input: Int8Tensor;
  readonly output: Int8Output;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const padding = fc.constantFrom(0, 0, 1, 2, 5);

const padCase: fc.Arbitrary<PadCase> = fc
  .record({
    dimensions: fc.array(fc.tuple(fc.constantFrom(1, 2, 3, 7), padding, padding), {
      minLength: 1,
      maxLength: 5,
    }),
    zeroPoint,
    seed: fc.nat(),
  })
  .map(({ dimensions, zeroPoint, seed }) => {
    const shape = dimensions.map(([size]) => size);
    const padded = dimensions.map(([size, before, after]) => size + before + after);
    return {
      input: { shape, scale: 1, zeroPoint, values: int8Values(seed, count(shape)) },
      output: { shape: padded, scale: 1, zeroPoint },
      before: dimensions.map(([, before]) => before),
      after: dimensions.map(([, , after]) => after),
    };
  });

const interleave = ({ before, after }: Pick<PadCase, "before" | "after">): number[] =>
  before.flatMap((size, axis) => [size, after[axis] ?? 0]);

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "pad (%s)",
  (_, kernels) => {
    test("in rows, through rings of any length", () => {
      const sizes = fc.tuple(fc.integer({ min: 1, max: 5 }), padding, padding);
      const cases = fc.tuple(sizes, sizes, sizes, fc.nat(), zeroPoint, fc.integer({ min: 1, max: 3 }));
      fc.assert(
        fc.property(cases, ([rows, columns, channels, seed, zero, kept]) => {
          const axes = [[1, 0, 0], rows, columns, channels] as const;
          const shape = axes.map(([size]) => size);
          const before = axes.map(([, low]) => low);
          const after = axes.map(([, , high]) => high);
          const padded = axes.map(([size, low, high]) => size + low + high);
          const [, height = 1] = shape;
          const [, tall = 1] = padded;
          const input = { shape, scale: 1, zeroPoint: zero, values: int8Values(seed, count(shape)) };
          const output = { shape: padded, scale: 1, zeroPoint: zero };
          const paddings = int32Tensor("paddings", interleave({ before, after }));
          const node = importNode(pad, [int8Tensor("input", input), paddings], int8Tensor("output", output));
          const access = pad.rows?.(node);
          expect(access?.rows).toBe(tall < 2 ? undefined : tall);
          if (access === undefined) return;
          kernels.reset();
          const rowBytes = count(shape) / height;
          const outputRow = count(padded) / tall;
          const from = kernels.allocate(kept * rowBytes);
          const to = kernels.allocate(kept * outputRow);
          const at = {
            inputs: [{ address: from, ringRows: kept }, { address: 0 }],
            outputs: [{ address: to, ringRows: kept }],
            packed: 0,
            scratch: 0,
            c0: 0,
            c1: 1,
            accumulators: 0,
          };
          const record = onlyRecord(pad, node, at, kernels.variant, undefined);
          if (record.op !== "pad") throw new Error("pad has another record");
          const expected = padReference(input, before, output);
          for (let y = 0; y < tall; y++) {
            // The row that the window names, as the stream would make it.
            const row = y + (access.inputs[0]?.first ?? 0);
            if (row >= 0 && row < height) {
              const values = input.values.subarray(row * rowBytes, (row + 1) * rowBytes);
              kernels.writeActivations(from + (row % kept) * rowBytes, values);
            }
            const here = to + (y % kept) * outputRow;
            executeWithin(kernels, { ...record, y0: y, y1: y + 1 }, here, here + outputRow);
            const made = expected.subarray(y * outputRow, (y + 1) * outputRow);
            expect(kernels.readActivations(here, outputRow)).toEqual(made);
          }
        }),
        { numRuns: 200 },
      );
    });

    test("equals the reference for any rank and paddings", () => {
      fc.assert(
        fc.property(padCase, (c) => {
          const tensors = [int8Tensor("input", c.input), int32Tensor("paddings", interleave(c))];
          const node = importNode(pad, tensors, int8Tensor("output", c.output));
          expect(node.attrs).toEqual({ before: c.before, after: c.after });
          expect(pad.overlapDistance?.(node, 0, kernels.variant)).toBeUndefined();
          kernels.reset();
          const length = count(c.output.shape);
          const from = kernels.placeActivations(c.input.values);
          const to = kernels.allocate(length);
          const record = lowerNode(pad, node, kernels, {
            inputs: [{ address: from }, { address: 0 }],
            outputs: [{ address: to }],
          });
          executeWithin(kernels, record, to, to + length);
          expect(kernels.readActivations(to, length)).toEqual(padReference(c.input, c.before, c.output));
        }),
        { numRuns: 200 },
      );
    });
  },
);

test("the reference gives the values that the formula gives by hand", () => {
  const input = { shape: [2, 2], scale: 1, zeroPoint: 5, values: Int8Array.of(1, 2, 3, 4) };
  const output = { shape: [3, 4], scale: 1, zeroPoint: -7 };
  // One row above, a column on each side.
  expect([...padReference(input, [1, 1], output)]).toEqual([-7, -7, -7, -7, -7, 1, 2, -7, -7, 3, 4, -7]);
});

test("copies rows as one run where channels are not padded", () => {
  const input = int8Tensor("input", { shape: [1, 4, 5, 3], scale: 1, zeroPoint: 0 });
  const output = int8Tensor("output", { shape: [1, 6, 6, 3], scale: 1, zeroPoint: 0 });
  const node = importNode(pad, [input, int32Tensor("paddings", [0, 0, 1, 1, 0, 1, 0, 0])], output);
  const at = {
    inputs: [{ address: 0 }, { address: 0 }],
    outputs: [{ address: 0 }],
    packed: 0,
    scratch: 0,
    c0: 0,
    c1: 3,
  };
  expect(onlyRecord(pad, node, at, "mcu", undefined)).toMatchObject({ n3: 4, n4: 15, before4: 0, after4: 3 });
});

test("is the identity where nothing is padded and nothing rescaled", () => {
  const plain = (scale: number): Int8Output => ({ shape: [2, 3], scale, zeroPoint: 1 });
  const identity = (paddings: number[], shape: number[], scale: number): boolean | undefined =>
    pad.isIdentity?.(
      importNode(
        pad,
        [int8Tensor("input", plain(1)), int32Tensor("paddings", paddings)],
        int8Tensor("output", { ...plain(scale), shape }),
      ),
    );
  expect(identity([0, 0, 0, 0], [2, 3], 1)).toBe(true);
  expect(identity([0, 0, 0, 0], [2, 3], 2)).toBe(false);
  expect(identity([0, 0, 0, 1], [2, 4], 1)).toBe(false);
});

describe("prepare", () => {
  const plain = (shape: number[]): Int8Output => ({ shape, scale: 0.5, zeroPoint: 0 });
  const int64 = (values: readonly bigint[]): Tensor => ({
    id: 0,
    name: "paddings",
    shape: [values.length / 2, 2],
    type: "int64",
    data: new Uint8Array(BigInt64Array.from(values).buffer),
  });
  const prepare = (paddings: Tensor, shape = [2, 3]): unknown =>
    pad.prepare(
      [int8Tensor("input", plain(shape)), paddings],
      [int8Tensor("output", plain(shape))],
      undefined,
    );

  test("takes int64 paddings", () => {
    expect(prepare(int64([1n, 2n, 3n, 4n]))).toEqual({ before: [1, 3], after: [2, 4] });
  });

  test.each([
    ["bad-padding", int32Tensor("paddings", [0, -1, 0, 0])],
    ["bad-padding", int32Tensor("paddings", [0, 0, 2 ** 31 - 1, 0])],
    ["bad-padding", int64([0n, 0n, 0n, 2n ** 62n])],
    ["padding-count", int32Tensor("paddings", [1, 1])],
    ["not-constant", { id: 0, name: "paddings", shape: [2, 2], type: "int32" } as const],
    ["unsupported-type", int8Tensor("paddings", plain([4]), Int8Array.of(1, 1, 1, 1))],
  ])("refuses paddings with %s", (code, paddings) => {
    expect(() => prepare(paddings)).toThrow(expect.objectContaining({ code }));
  });

  test("refuses six dimensions, and an output of another type", () => {
    const shape = [1, 1, 1, 1, 1, 1];
    expect(() => prepare(int32Tensor("paddings", Array<number>(12).fill(0)), shape)).toThrow(
      expect.objectContaining({ code: "unsupported-rank" }),
    );
    const float = { id: 0, name: "x", shape: [2], type: "float32" } as const;
    const other = { ...float, type: "int32" } as const;
    expect(() => pad.prepare([float, int32Tensor("paddings", [1, 1])], [other], undefined)).toThrow(
      expect.objectContaining({ code: "type-mismatch" }),
    );
  });
});
