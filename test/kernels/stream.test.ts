import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BoundNode } from "../../src/graph/graph.ts";
import { add } from "../../src/ops/add.ts";
import { conv2d } from "../../src/ops/conv2d.ts";
import { depthwiseConv2d } from "../../src/ops/depthwise-conv2d.ts";
import type { OpDefinition, Place } from "../../src/ops/op.ts";
import { Padding, resolvePadding } from "../../src/ops/padding.ts";
import type { PlanRecord } from "../../src/plan/record.ts";
import { encodeRecord, recordBytes } from "../../src/plan/record.ts";
import type { Kernels } from "../kernel-harness.ts";
import { provedKernels } from "../kernel-harness.ts";
import { buildCase, operands, tensorsOf } from "../ops/convolution.ts";
import { importNode, int8Tensor, int8Values, onlyRecord } from "../ops/node.ts";
import { addReference } from "../reference/add.ts";
import { conv2dReference } from "../reference/conv2d.ts";
import { depthwiseConv2dReference } from "../reference/depthwise-conv2d.ts";
import { count } from "../reference/tensor.ts";

const window = fc.record({
  kernel: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 3 }),
  padding: fc.constantFrom(Padding.same, Padding.valid),
});

const streamCase = fc.record({
  height: fc.integer({ min: 5, max: 19 }),
  width: fc.integer({ min: 5, max: 9 }),
  depth: fc.constantFrom(1, 3, 8),
  channels: fc.constantFrom(1, 5, 8, 17),
  conv: window,
  depthwise: window,
  rowsPerPull: fc.tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
  ),
  keepsSum: fc.boolean(),
});

/** Rows of a ring between a stage that makes `made` at a time and one that takes a window for `taken` at a time. */
function ringRows(rows: number, made: number, taken: number, kernel: number, stride: number): number {
  return Math.min(rows, (taken - 1) * stride + kernel + made - 1);
}

/** Writes records behind one another and answers where the end record is. */
function writeRecords({ bytes }: Kernels, at: number, records: readonly PlanRecord[]): number {
  let address = at;
  for (const record of [...records, { op: "end" } as const]) {
    const words = encodeRecord(record);
    new Int32Array(bytes.buffer, address, words.length).set(words);
    address += 4 * words.length;
  }
  return address - recordBytes("end");
}

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "a stream written by hand (%s)",
  (variant, kernels) => {
    const lower = (
      op: OpDefinition,
      node: BoundNode,
      inputs: readonly Place[],
      output: Place,
    ): PlanRecord => {
      const packed = op.pack?.(node, variant);
      return onlyRecord(
        op,
        node,
        {
          inputs,
          outputs: [output],
          packed: packed === undefined ? 0 : kernels.placeBytes(packed.bytes),
          scratch: kernels.allocate(op.scratchBytes?.(node, variant) ?? 0),
          accumulators: 0,
          c0: 0,
          c1: node.outputs[0]?.shape.at(-1) ?? 1,
        },
        variant,
        packed,
      );
    };

    test("gives what the references give, from rows of input through rings with strides", () => {
      const seen = { rings: 0, unread: 0 };
      fc.assert(
        fc.property(streamCase, operands, operands, (c, first, second) => {
          const geometry = (size: number, { padding, kernel, stride }: typeof c.conv) =>
            resolvePadding(padding, size, kernel, stride, 1);
          const [rows, columns] = [geometry(c.height, c.conv), geometry(c.width, c.conv)];
          fc.pre(rows.output > 0 && columns.output > 0);
          const [outRows, outColumns] = [
            geometry(rows.output, c.depthwise),
            geometry(columns.output, c.depthwise),
          ];
          fc.pre(outRows.output > 0 && outColumns.output > 0);
          const inner = [1, rows.output, columns.output, c.channels];

          const a = buildCase(variant, first, {
            input: [1, c.height, c.width, c.depth],
            weights: [c.channels, c.conv.kernel, c.conv.kernel, c.depth],
            output: inner,
            channels: c.channels,
            terms: c.conv.kernel ** 2 * c.depth,
          });
          const convolved = {
            ...a.output,
            values: conv2dReference(a.input, a.weights, a.bias, a.output, {
              padTop: rows.before,
              padLeft: columns.before,
              strideY: c.conv.stride,
              strideX: c.conv.stride,
              dilationY: 1,
              dilationX: 1,
              activation: a.activation,
            }),
          };
          const shift = {
            shape: [1, 1, 1, c.channels],
            scale: a.output.scale,
            zeroPoint: 3,
            values: int8Values(first.seeds[0], c.channels),
          };
          const b = buildCase(variant, second, {
            input: inner,
            weights: [1, c.depthwise.kernel, c.depthwise.kernel, c.channels],
            output: [1, outRows.output, outColumns.output, c.channels],
            channels: c.channels,
            terms: c.depthwise.kernel ** 2,
          });
          // The sum in the quantisation that the second convolution was drawn with.
          const scale = Math.fround(2 * a.output.scale);
          const ratio = scale / b.input.scale;
          const summed = { shape: inner, scale, zeroPoint: b.input.zeroPoint };
          const sum = { ...summed, values: addReference(convolved, shift, summed, 0) };
          const output = { ...b.output, scale: Math.fround(b.output.scale * ratio) };
          const expected = depthwiseConv2dReference(sum, b.weights, b.bias, output, {
            padTop: outRows.before,
            padLeft: outColumns.before,
            strideY: c.depthwise.stride,
            strideX: c.depthwise.stride,
            dilationY: 1,
            dilationX: 1,
            activation: b.activation,
          });

          kernels.reset();
          const plan = kernels.allocate(2048);
          const [p0, p1, p2, p3] = c.rowsPerPull;
          const ring = (shape: readonly number[], wanted: number): Place => {
            const [, height = 1] = shape;
            if (wanted < height) seen.rings++;
            return { address: kernels.allocate((count(shape) / height) * wanted), ringRows: wanted };
          };
          const inputRing = ring(a.input.shape, ringRows(c.height, p0, p1, c.conv.kernel, c.conv.stride));
          const convRing = ring(inner, ringRows(rows.output, p1, p2, 1, 1));
          const sumRing = c.keepsSum
            ? ring(inner, rows.output)
            : ring(inner, ringRows(rows.output, p2, p3, c.depthwise.kernel, c.depthwise.stride));
          const whole = { address: kernels.allocate(expected.length) };
          const nodes = [
            importNode(conv2d, tensorsOf(a, 0), int8Tensor("a", a.output), {
              0: c.conv.padding,
              1: c.conv.stride,
              2: c.conv.stride,
              3: a.activation,
              4: 1,
              5: 1,
            }),
            importNode(
              add,
              [int8Tensor("a", convolved), int8Tensor("shift", shift, shift.values)],
              int8Tensor("sum", sum),
            ),
            importNode(depthwiseConv2d, tensorsOf({ ...b, input: sum }, 3), int8Tensor("b", output), {
              0: c.depthwise.padding,
              1: c.depthwise.stride,
              2: c.depthwise.stride,
              3: 1,
              4: b.activation,
              5: 1,
              6: 1,
            }),
          ] as const;
          const nowhere = { address: 0 };
          const records: readonly PlanRecord[] = [
            {
              op: "input",
              y0: 0,
              y1: c.height,
              input: 0,
              output: inputRing.address,
              rowBytes: c.width * c.depth,
              ringRows: inputRing.ringRows ?? 1,
              isInt8: 1,
            },
            lower(conv2d, nodes[0], [inputRing, nowhere, nowhere], convRing),
            lower(add, nodes[1], [convRing, nowhere], sumRing),
            lower(depthwiseConv2d, nodes[2], [sumRing, nowhere, nowhere], whole),
          ];
          const link = (lhs: number, stride: number, kernel: number, before: number) => ({
            lhs,
            lhsRate: stride + (1 << 16),
            lhsOffset: kernel - stride - before,
          });
          const links = [
            { lhs: -1, lhsRate: 1 << 16, lhsOffset: 0 },
            link(0, c.conv.stride, c.conv.kernel, rows.before),
            link(1, 1, 1, 0),
            link(2, c.depthwise.stride, c.depthwise.kernel, outRows.before),
          ];
          const made = [c.height, rows.output, rows.output, outRows.output];
          const state = kernels.allocate(8 * records.length);
          const end = writeRecords(kernels, plan, [
            { op: "stream", stages: records.length, state },
            ...records.flatMap((record, i): PlanRecord[] => [
              {
                op: "stage",
                bytes: recordBytes(record.op),
                rows: made[i] ?? 1,
                rowsPerPull: c.rowsPerPull[i] ?? 1,
                ...(links[i] ?? { lhs: -1, lhsRate: 1 << 16, lhsOffset: 0 }),
                rhs: -1,
                rhsRate: 1 << 16,
                rhsOffset: 0,
              },
              record,
            ]),
          ]);
          const asked: number[] = [];
          const rowLength = c.width * c.depth;
          kernels.inputRow = (_, row, destination) => {
            asked.push(row);
            const values = a.input.values.slice(row * rowLength, (row + 1) * rowLength);
            kernels.bytes.set(new Uint8Array(values.buffer), destination);
          };
          expect(kernels.exports.step(plan)).toBe(end);
          expect(kernels.readActivations(whole.address, expected.length)).toEqual(expected);
          // Every row once, also those that no window takes.
          expect(asked).toEqual(Array.from({ length: c.height }, (_, row) => row));
          if (!c.keepsSum) return;
          expect(kernels.readActivations(sumRing.address, sum.values.length)).toEqual(sum.values);
          const taken = (outRows.output - 1) * c.depthwise.stride - outRows.before + c.depthwise.kernel;
          if (taken < rows.output) seen.unread++;
        }),
        { numRuns: 150 },
      );
      expect(seen.rings).toBeGreaterThan(150);
      expect(seen.unread).toBeGreaterThan(5);
    });
  },
);
