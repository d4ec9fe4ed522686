import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BoundNode } from "../../src/graph/graph.ts";
import { add } from "../../src/ops/add.ts";
import { averagePool2d } from "../../src/ops/average-pool2d.ts";
import { depthwiseConv2d } from "../../src/ops/depthwise-conv2d.ts";
import { mean } from "../../src/ops/mean.ts";
import { mul } from "../../src/ops/mul.ts";
import type { OpDefinition, Place } from "../../src/ops/op.ts";
import { Padding, resolvePadding } from "../../src/ops/padding.ts";
import { blockChannels } from "../../src/plan/packing.ts";
import type { PlanRecord } from "../../src/plan/record.ts";
import type { Kernels } from "../kernel-harness.ts";
import { provedKernels } from "../kernel-harness.ts";
import { buildCase, operands, PlacedConvolution, tensorsOf } from "../ops/convolution.ts";
import { scale, zeroPoint } from "../ops/elementwise.ts";
import { executeWithin, importNode, int32Tensor, int8Tensor, int8Values, onlyRecord } from "../ops/node.ts";
import { addReference } from "../reference/add.ts";
import { averagePool2dReference } from "../reference/average-pool2d.ts";
import { depthwiseConv2dReference } from "../reference/depthwise-conv2d.ts";
import { meanReference } from "../reference/mean.ts";
import { mulReference } from "../reference/mul.ts";
import { count, type Int8Output, type Int8Tensor } from "../reference/tensor.ts";

/** A tensor's rows in memory, the last `ringRows` of them. */
class Ring {
  readonly place: Place;
  readonly rowBytes: number;
  readonly #kernels: Kernels;

  constructor(kernels: Kernels, { shape }: { readonly shape: readonly number[] }, ringRows: number) {
    const [, rows = 1] = shape;
    this.#kernels = kernels;
    this.rowBytes = count(shape) / rows;
    this.place = { address: kernels.allocate(ringRows * this.rowBytes), ringRows };
  }

  addressOf(row: number): number {
    return this.place.address + (row % (this.place.ringRows ?? 1)) * this.rowBytes;
  }

  put({ values }: Int8Tensor, row: number): void {
    const own = values.subarray(row * this.rowBytes, (row + 1) * this.rowBytes);
    this.#kernels.writeActivations(this.addressOf(row), own);
  }

  get(row: number): Int8Array {
    return this.#kernels.readActivations(this.addressOf(row), this.rowBytes);
  }

  /** A row's bytes as they lie there. */
  raw(row: number): Int8Array {
    const address = this.addressOf(row);
    return new Int8Array(this.#kernels.bytes.slice(address, address + this.rowBytes).buffer);
  }
}

/** The record of an operator that runs in rows. */
function rowsRecord(
  op: OpDefinition,
  node: BoundNode,
  { variant, ...kernels }: { variant: Kernels["variant"]; place: (bytes: Uint8Array) => number },
  inputs: readonly Place[],
  output: Place,
  accumulators = 0,
): PlanRecord {
  const packed = op.pack?.(node, variant);
  const at = {
    inputs,
    outputs: [output],
    packed: packed === undefined ? 0 : kernels.place(packed.bytes),
    scratch: 0,
    c0: 0,
    c1: node.outputs[0]?.shape.at(-1) ?? 1,
    accumulators,
  };
  return onlyRecord(op, node, at, variant, packed);
}

function withRows(record: PlanRecord, y0: number, y1: number): PlanRecord {
  return { ...record, y0, y1 } as PlanRecord;
}

const values = (output: Int8Output, seed: number): Int8Tensor => ({
  ...output,
  values: int8Values(seed, count(output.shape)),
});

const ELEMENTWISE = [
  { op: add, reference: addReference, gain: (a: number, b: number) => a + b },
  { op: mul, reference: mulReference, gain: (a: number, b: number) => 60 * a * b },
] as const;

const elementwiseCase = fc.record({
  rows: fc.integer({ min: 2, max: 9 }),
  width: fc.integer({ min: 1, max: 7 }),
  channels: fc.constantFrom(1, 3, 8, 16, 17, 33),
  /** Which dimensions the second operand has. */
  kept: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  constant: fc.boolean(),
  swapped: fc.boolean(),
  inPlace: fc.boolean(),
  rowsPerPull: fc.integer({ min: 1, max: 3 }),
  more: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)),
  scales: fc.tuple(scale, scale),
  zeroPoints: fc.tuple(zeroPoint, zeroPoint, zeroPoint),
  activation: fc.integer({ min: 0, max: 3 }),
  seeds: fc.tuple(fc.nat(), fc.nat()),
});

describe.each(provedKernels().map((kernels) => [kernels.variant, kernels] as const))(
  "operators row by row (%s)",
  (variant, kernels) => {
    const place = (bytes: Uint8Array): number => kernels.placeBytes(bytes);

    test.each(ELEMENTWISE.map((each) => [each.op.name, each] as const))(
      "%s between rings, in place, with repeated and constant operands",
      (_, { op, reference, gain }) => {
        let inPlace = 0;
        fc.assert(
          fc.property(elementwiseCase, (c) => {
            const [scaleA, scaleB] = c.scales;
            const shape = [1, c.rows, c.width, c.channels];
            const full = values({ shape, scale: scaleA, zeroPoint: c.zeroPoints[0] }, c.seeds[0]);
            const part = values(
              {
                shape: [1, ...shape.slice(1).map((size, i) => (c.kept[i] === true ? size : 1))],
                scale: scaleB,
                zeroPoint: c.zeroPoints[1],
              },
              c.seeds[1],
            );
            const output = { shape, scale: Math.fround(gain(scaleA, scaleB)), zeroPoint: c.zeroPoints[2] };
            const pair = c.swapped ? [part, full] : [full, part];
            const [lhs = full, rhs = full] = pair;
            const expected = reference(lhs, rhs, output, c.activation);
            const node = importNode(
              op,
              pair.map((tensor) =>
                int8Tensor("x", tensor, c.constant && tensor === part ? part.values : undefined),
              ),
              int8Tensor("output", output),
              { 0: c.activation },
            );
            expect(op.rows?.(node)?.rows).toBe(c.rows);
            expect(op.rows?.(node)?.inPlace).toContain(pair.indexOf(full));

            kernels.reset();
            const rings = pair.map((tensor, i) => {
              const rows = tensor.shape[1] ?? 1;
              return new Ring(kernels, tensor, Math.min(rows, c.rowsPerPull + (c.more[i] ?? 0)));
            });
            const ofFull = rings[pair.indexOf(full)];
            const out =
              c.inPlace && ofFull !== undefined
                ? ofFull
                : new Ring(kernels, output, Math.min(c.rows, c.rowsPerPull + c.more[2]));
            if (out === ofFull) inPlace++;
            const inputs = rings.map((ring, i) =>
              c.constant && pair[i] === part ? { address: 0 } : ring.place,
            );
            const record = rowsRecord(op, node, { variant, place }, inputs, out.place);
            for (const [i, tensor] of pair.entries()) if (tensor.shape[1] === 1) rings[i]?.put(tensor, 0);
            for (let y0 = 0; y0 < c.rows; y0 += c.rowsPerPull) {
              const y1 = Math.min(y0 + c.rowsPerPull, c.rows);
              for (const [i, tensor] of pair.entries()) {
                if (tensor.shape[1] === 1) continue;
                for (let y = y0; y < y1; y++) rings[i]?.put(tensor, y);
              }
              const before = kernels.bytes.slice(0, kernels.allocate(0));
              kernels.execute(withRows(record, y0, y1));
              for (let y = y0; y < y1; y++) {
                const row = expected.subarray(y * out.rowBytes, (y + 1) * out.rowBytes);
                expect(out.get(y)).toEqual(row);
                kernels.bytes.set(
                  before.subarray(out.addressOf(y), out.addressOf(y) + out.rowBytes),
                  out.addressOf(y),
                );
              }
              // Nothing else has changed; then the rows are put back.
              expect(Buffer.compare(kernels.bytes.slice(1024, before.length), before.subarray(1024))).toBe(0);
            }
          }),
          { numRuns: 200 },
        );
        expect(inPlace).toBeGreaterThan(40);
      },
    );

    test("mean in rows, accumulating over rows, and where its last row was", () => {
      const seen = { rows: 0, sums: 0, inPlace: 0 };
      fc.assert(
        fc.property(
          fc.record({
            rows: fc.integer({ min: 2, max: 9 }),
            rest: fc.array(fc.tuple(fc.constantFrom(1, 2, 5, 8, 17), fc.boolean()), {
              minLength: 1,
              maxLength: 3,
            }),
            overRows: fc.boolean(),
            keepDims: fc.boolean(),
            inPlace: fc.boolean(),
            rowsPerPull: fc.integer({ min: 1, max: 3 }),
            more: fc.tuple(fc.nat(3), fc.nat(3)),
            inputScale: scale,
            spread: fc.double({ min: -1, max: 1, noNaN: true }),
            zeroPoints: fc.tuple(zeroPoint, zeroPoint),
            seed: fc.nat(),
          }),
          (c) => {
            const shape = [1, c.rows, ...c.rest.map(([size]) => size)];
            const axes = [
              ...(c.overRows ? [1] : []),
              ...c.rest.flatMap(([, reduced], i) => (reduced ? [i + 2] : [])),
            ];
            const kept = shape.flatMap((size, axis) =>
              axes.includes(axis) ? (c.keepDims ? [1] : []) : [size],
            );
            const input = values({ shape, scale: c.inputScale, zeroPoint: c.zeroPoints[0] }, c.seed);
            const output = {
              shape: kept,
              scale: Math.fround(c.inputScale * 10 ** c.spread),
              zeroPoint: c.zeroPoints[1],
            };
            const node = importNode(
              mean,
              [int8Tensor("input", input), int32Tensor("axes", axes)],
              int8Tensor("output", output),
              { 0: c.keepDims },
            );
            const access = mean.rows?.(node);
            // [1, rows] is a matrix, of which nobody takes rows.
            if (!c.overRows && kept.length < 3) {
              expect(access).toBeUndefined();
              return;
            }
            expect(access?.rows).toBe(c.rows);
            const expected = meanReference(input, axes, output);
            const bytes = count(kept);
            kernels.reset();
            const from = new Ring(kernels, input, Math.min(c.rows, c.rowsPerPull + c.more[0]));
            if (!c.overRows) {
              seen.rows++;
              const to = new Ring(kernels, output, Math.min(c.rows, c.rowsPerPull + c.more[1]));
              const record = rowsRecord(
                mean,
                node,
                { variant, place },
                [from.place, { address: 0 }],
                to.place,
              );
              for (let y0 = 0; y0 < c.rows; y0 += c.rowsPerPull) {
                const y1 = Math.min(y0 + c.rowsPerPull, c.rows);
                for (let y = y0; y < y1; y++) from.put(input, y);
                const end = to.addressOf(0) + (to.place.ringRows ?? 1) * to.rowBytes;
                executeWithin(kernels, withRows(record, y0, y1), to.addressOf(0), end);
                for (let y = y0; y < y1; y++)
                  expect(to.get(y)).toEqual(expected.subarray(y * to.rowBytes, (y + 1) * to.rowBytes));
              }
              return;
            }
            seen.sums++;
            expect(access?.accumulatorBytes).toBe(4 * bytes);
            const takes = c.inPlace && access?.inPlace?.includes(0) === true;
            if (takes) seen.inPlace++;
            const to = takes ? from.addressOf(c.rows - 1) : kernels.allocate(bytes);
            const sums = kernels.allocate(4 * bytes);
            const record = rowsRecord(
              mean,
              node,
              { variant, place },
              [from.place, { address: 0 }],
              { address: to },
              sums,
            );
            for (let y0 = 0; y0 < c.rows; y0 += c.rowsPerPull) {
              const y1 = Math.min(y0 + c.rowsPerPull, c.rows);
              for (let y = y0; y < y1; y++) from.put(input, y);
              const before = kernels.bytes.slice(0, kernels.allocate(0));
              kernels.execute(withRows(record, y0, y1));
              const made = kernels.readActivations(to, bytes);
              if (y1 === c.rows) {
                expect(made).toEqual(expected);
                kernels.bytes.set(before.subarray(to, to + bytes), to);
              }
              const kept = kernels.bytes.slice(sums, sums + 4 * bytes);
              kernels.bytes.set(before.subarray(sums, sums + 4 * bytes), sums);
              expect(Buffer.compare(kernels.bytes.slice(1024, before.length), before.subarray(1024))).toBe(0);
              kernels.bytes.set(kept, sums);
            }
          },
        ),
        { numRuns: 300 },
      );
      expect(seen.rows).toBeGreaterThan(40);
      expect(seen.sums).toBeGreaterThan(60);
      expect(seen.inPlace).toBeGreaterThan(5);
    });

    test("averagePool2d over all of an input that comes in rows", () => {
      fc.assert(
        fc.property(
          fc.record({
            height: fc.integer({ min: 1, max: 9 }),
            width: fc.integer({ min: 1, max: 7 }),
            channels: fc.constantFrom(1, 3, 8, 17),
            larger: fc.tuple(fc.nat(2), fc.nat(2)),
            same: fc.boolean(),
            zeroPoint,
            activation: fc.integer({ min: 0, max: 3 }),
            rowsPerPull: fc.integer({ min: 1, max: 3 }),
            more: fc.nat(3),
            seed: fc.nat(),
          }),
          (c) => {
            const quantization = { scale: Math.fround(0.1), zeroPoint: c.zeroPoint };
            const input = values({ shape: [1, c.height, c.width, c.channels], ...quantization }, c.seed);
            const output = { shape: [1, 1, 1, c.channels], ...quantization };
            const window = {
              kernelHeight: c.height + (c.same ? c.larger[0] : 0),
              kernelWidth: c.width + (c.same ? c.larger[1] : 0),
              strideY: c.height,
              strideX: c.width,
              same: c.same,
            };
            const node = importNode(
              averagePool2d,
              [int8Tensor("input", input)],
              int8Tensor("output", output),
              {
                0: c.same ? Padding.same : Padding.valid,
                1: window.strideX,
                2: window.strideY,
                3: window.kernelWidth,
                4: window.kernelHeight,
                5: c.activation,
              },
            );
            const access = averagePool2d.rows?.(node);
            // Padding may push the window off the last row.
            fc.pre(access?.accumulatorBytes !== undefined);
            expect(access).toMatchObject({ rows: c.height, accumulatorBytes: 4 * c.channels });
            kernels.reset();
            const from = new Ring(kernels, input, Math.min(c.height, c.rowsPerPull + c.more));
            const sums = kernels.allocate(4 * c.channels);
            const to = kernels.allocate(c.channels);
            const record = rowsRecord(
              averagePool2d,
              node,
              { variant, place },
              [from.place],
              { address: to },
              sums,
            );
            for (let y0 = 0; y0 < c.height; y0 += c.rowsPerPull) {
              const y1 = Math.min(y0 + c.rowsPerPull, c.height);
              for (let y = y0; y < y1; y++) from.put(input, y);
              // Sums alone until the last row.
              executeWithin(kernels, withRows(record, y0, y1), sums, y1 === c.height ? to + c.channels : to);
            }
            expect(kernels.readActivations(to, c.channels)).toEqual(
              averagePool2dReference(input, output, window, c.activation),
            );
          },
        ),
        { numRuns: 200 },
      );
    });

    test("depthwiseConv2d exactly in the place of its input", () => {
      let inPlace = 0;
      fc.assert(
        fc.property(
          fc.record({
            height: fc.integer({ min: 1, max: 9 }),
            width: fc.integer({ min: 1, max: 11 }),
            depth: fc.constantFrom(1, 2, 7, 8, 9, 16, 17, 24, 31),
            kernelHeight: fc.integer({ min: 1, max: 7 }),
            kernelWidth: fc.integer({ min: 1, max: 7 }),
            dilationY: fc.constantFrom(1, 1, 2),
            dilationX: fc.constantFrom(1, 1, 2),
          }),
          operands,
          fc.integer({ min: 1, max: 3 }),
          (g, drawn, tileBlocks) => {
            const rows = resolvePadding(Padding.same, g.height, g.kernelHeight, 1, g.dilationY);
            const columns = resolvePadding(Padding.same, g.width, g.kernelWidth, 1, g.dilationX);
            const shape = [1, g.height, g.width, g.depth];
            const c = buildCase(variant, drawn, {
              input: shape,
              weights: [1, g.kernelHeight, g.kernelWidth, g.depth],
              output: shape,
              channels: g.depth,
              terms: g.kernelHeight * g.kernelWidth,
            });
            const node = importNode(depthwiseConv2d, tensorsOf(c, 3), int8Tensor("output", c.output), {
              0: Padding.same,
              1: 1,
              2: 1,
              3: 1,
              4: c.activation,
              5: g.dilationX,
              6: g.dilationY,
            });
            const expected = depthwiseConv2dReference(c.input, c.weights, c.bias, c.output, {
              ...g,
              strideY: 1,
              strideX: 1,
              padTop: rows.before,
              padLeft: columns.before,
              activation: c.activation,
            });
            const scratchBytes = depthwiseConv2d.inPlaceScratchBytes?.(node, variant);
            expect(scratchBytes).toBeGreaterThan(g.height * g.width * blockChannels(variant));
            inPlace++;
            kernels.reset();
            const placed = new PlacedConvolution(kernels, depthwiseConv2d, node);
            const input = kernels.placeActivations(c.input.values);
            const scratch = kernels.allocate(scratchBytes ?? 0);
            // Whole, and by tiles of weights: each has the channels that it reads and writes to itself.
            for (let first = 0; first < placed.blocks; first += tileBlocks) {
              const blocks = Math.min(tileBlocks, placed.blocks - first);
              const record = placed.inPlace(input, scratch, first, blocks);
              const end = kernels.allocate(0);
              const before = kernels.bytes.slice(0, end);
              kernels.execute(record);
              const after = kernels.bytes.slice(0, end);
              for (const [from, bytes] of [
                [input, expected.length],
                [scratch, scratchBytes ?? 0],
              ] as const)
                after.set(before.subarray(from, from + bytes), from);
              expect(Buffer.compare(before.subarray(1024), after.subarray(1024))).toBe(0);
            }
            expect(kernels.readActivations(input, expected.length)).toEqual(expected);
          },
        ),
        { numRuns: 200 },
      );
      expect(inPlace).toBeGreaterThan(150);
    });

    test("input rows go around a ring, int8 in storage form, and nothing else is written", () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 12 }),
          fc.integer({ min: 1, max: 40 }),
          fc.integer({ min: 1, max: 5 }),
          fc.nat(3),
          fc.nat(),
          fc.constantFrom(0, 1),
          (rows, rowBytes, rowsPerPull, more, seed, isInt8) => {
            const given = values({ shape: [1, rows, rowBytes], scale: 1, zeroPoint: 0 }, seed);
            kernels.reset();
            const ring = new Ring(kernels, given, Math.min(rows, rowsPerPull + more));
            const { address, ringRows = 1 } = ring.place;
            const asked: [number, number][] = [];
            kernels.inputRow = (input, row, destination) => {
              asked.push([input, row]);
              expect(destination).toBe(ring.addressOf(row));
              kernels.bytes.set(
                new Uint8Array(given.values.slice(row * rowBytes, (row + 1) * rowBytes).buffer),
                destination,
              );
            };
            for (let y0 = 0; y0 < rows; y0 += rowsPerPull) {
              const y1 = Math.min(y0 + rowsPerPull, rows);
              const place = { output: address, rowBytes, ringRows };
              const record = { op: "input", y0, y1, input: 3, ...place, isInt8 } as const;
              executeWithin(kernels, record, address, address + ringRows * rowBytes);
              for (let y = Math.max(y1 - ringRows, 0); y < y1; y++)
                expect(isInt8 === 1 ? ring.get(y) : ring.raw(y)).toEqual(
                  given.values.subarray(y * rowBytes, (y + 1) * rowBytes),
                );
            }
            expect(asked).toEqual(Array.from({ length: rows }, (_, row) => [3, row]));
          },
        ),
        { numRuns: 100 },
      );
    });
  },
);
