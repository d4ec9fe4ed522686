import fc from "fast-check";
import { expect } from "vitest";
import type { OpDefinition } from "../../src/ops/op.ts";
import { Padding } from "../../src/ops/padding.ts";
import type { RecordOf, ViewWords } from "../../src/plan/record.ts";
import type { Kernels } from "../kernel-harness.ts";
import { zeroPoint } from "./elementwise.ts";
import { executeWithin, importNode, int8Tensor, int8Values, lowerNode } from "./node.ts";
import { poolGeometry, type PoolWindow } from "../reference/pool2d.ts";
import { count, type Int8Output, type Int8Tensor } from "../reference/tensor.ts";

export interface PoolCase {
  readonly input: Int8Tensor;
  readonly output: Int8Output;
  readonly window: PoolWindow;
  readonly activation: number;
  /** Fractions that choose a range of output rows, and of channels. */
  readonly rows: readonly [number, number];
  readonly channels: readonly [number, number];
  /** Ring rows beyond those that the range needs, of input and output. */
  readonly extraRows: readonly [number, number];
  /** Bytes between pixels beyond the channels, of input and output. */
  readonly gaps: readonly [number, number];
}

type PoolRecord = RecordOf<"averagePool2d"> | RecordOf<"maxPool2d">;

const size = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 12 }));
const fraction = fc.double({ min: 0, max: 1, noNaN: true });

/** Any shape, window, padding, zero point and fused activation; any part of the output; any views. */
export const poolCase: fc.Arbitrary<PoolCase> = fc
  .record({
    batches: fc.constantFrom<number>(1, 1, 2),
    height: size,
    width: size,
    depth: fc.constantFrom<number>(1, 3, 4, 5, 8, 17),
    kernel: fc.tuple(size, size),
    stride: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    same: fc.boolean(),
    scale: fc.constantFrom(0.02, 0.1, 1),
    zeroPoint,
    seed: fc.nat(),
    activation: fc.integer({ min: 0, max: 3 }),
    rows: fc.tuple(fraction, fraction),
    channels: fc.tuple(fraction, fraction),
    extraRows: fc.tuple(fc.nat(3), fc.nat(3)),
    gaps: fc.tuple(fc.nat(3), fc.nat(3)),
  })
  .map(({ batches, height, width, depth, kernel, stride, same, seed, ...rest }) => {
    const kernelHeight = same ? kernel[0] : Math.min(kernel[0], height);
    const kernelWidth = same ? kernel[1] : Math.min(kernel[1], width);
    const window = { kernelHeight, kernelWidth, strideY: stride[0], strideX: stride[1], same };
    const quantization = { scale: Math.fround(rest.scale), zeroPoint: rest.zeroPoint };
    const shape = [batches, height, width, depth];
    const outputShape = [
      batches,
      poolGeometry(height, kernelHeight, stride[0], same).output,
      poolGeometry(width, kernelWidth, stride[1], same).output,
      depth,
    ];
    const input = { shape, ...quantization, values: int8Values(seed, count(shape)) };
    return { input, output: { shape: outputShape, ...quantization }, window, ...rest };
  });

/** The node of a case. */
export function poolNode(op: OpDefinition, c: PoolCase): ReturnType<typeof importNode> {
  const { window } = c;
  return importNode(op, [int8Tensor("input", c.input)], int8Tensor("output", c.output), {
    0: window.same ? Padding.same : Padding.valid,
    1: window.strideX,
    2: window.strideY,
    3: window.kernelWidth,
    4: window.kernelHeight,
    5: c.activation,
  });
}

/** Whole tensors, as `lower` writes them. */
export function checkWholePool(op: OpDefinition, kernels: Kernels, c: PoolCase, expected: Int8Array): void {
  kernels.reset();
  const from = kernels.placeActivations(c.input.values);
  const to = kernels.allocate(expected.length);
  const record = lowerNode(op, poolNode(op, c), kernels, {
    inputs: [{ address: from }],
    outputs: [{ address: to }],
  });
  executeWithin(kernels, record, to, to + expected.length);
  expect(kernels.readActivations(to, expected.length)).toEqual(expected);
}

/** Input and output in one piece of memory, as close as the operator's declared distance allows. */
export function checkOverlappedPool(
  op: OpDefinition,
  kernels: Kernels,
  c: PoolCase,
  expected: Int8Array,
): void {
  const node = poolNode(op, c);
  const distance = op.overlapDistance?.(node, 0, kernels.variant);
  expect(distance === undefined).toBe(c.input.shape[0] !== 1);
  if (distance === undefined) return;
  kernels.reset();
  const to = kernels.allocate(distance);
  // placeActivations aligns; the input goes exactly `distance` bytes above the output instead.
  const flip = kernels.variant === "relaxed" ? 0x80 : 0;
  kernels.allocate(Math.max(expected.length, c.input.values.length));
  c.input.values.forEach((value, i) => (kernels.bytes[to + distance + i] = (value & 0xff) ^ flip));
  kernels.execute(
    lowerNode(op, node, kernels, { inputs: [{ address: to + distance }], outputs: [{ address: to }] }),
  );
  expect(kernels.readActivations(to, expected.length)).toEqual(expected);
}

/** A range of rows and channels between rings that hold no more rows than `extraRows` above what is needed. */
export function checkPoolInRings(op: OpDefinition, kernels: Kernels, c: PoolCase, expected: Int8Array): void {
  const [batches = 1, height = 1, width = 1, depth = 1] = c.input.shape;
  const [, outHeight = 1, outWidth = 1] = c.output.shape;
  const { kernelHeight, strideY, same } = c.window;
  const [y0, y1] = range(c.rows, outHeight);
  const [c0, c1] = range(c.channels, depth);
  const { before } = poolGeometry(height, kernelHeight, strideY, same);
  const first = Math.max(0, y0 * strideY - before);
  const end = Math.min(height, (y1 - 1) * strideY - before + kernelHeight);

  kernels.reset();
  const inputView = ringView(kernels, c, 0, batches, Math.min(height, end - first + c.extraRows[0]), c.input);
  const outputView = ringView(
    kernels,
    c,
    1,
    batches,
    Math.min(outHeight, y1 - y0 + c.extraRows[1]),
    c.output,
  );
  const inputBatchBytes = inputView.ringRows * inputView.rowBytes;
  const outputBatchBytes = outputView.ringRows * outputView.rowBytes;
  const flip = kernels.variant === "relaxed" ? 0x80 : 0;
  const at = (view: ViewWords, batchBytes: number, n: number, y: number, x: number, ch: number): number =>
    view.address + n * batchBytes + (y % view.ringRows) * view.rowBytes + x * view.pixelBytes + ch;
  for (let n = 0; n < batches; n++) {
    for (let y = first; y < end; y++) {
      for (let x = 0; x < width; x++) {
        for (let ch = 0; ch < depth; ch++) {
          const value = c.input.values[((n * height + y) * width + x) * depth + ch] ?? 0;
          kernels.bytes[at(inputView, inputBatchBytes, n, y, x, ch)] = (value & 0xff) ^ flip;
        }
      }
    }
  }
  const whole = lowerNode(op, poolNode(op, c), kernels, {
    inputs: [{ address: 0 }],
    outputs: [{ address: 0 }],
  }) as PoolRecord;
  const part = { inputView, outputView, y0, y1, c0, c1, batches, inputBatchBytes, outputBatchBytes };
  const outputEnd = outputView.address + batches * outputBatchBytes;
  const untouched = kernels.bytes.slice(outputView.address, outputEnd);
  executeWithin(kernels, { ...whole, ...part }, outputView.address, outputEnd);

  for (let n = 0; n < batches; n++) {
    for (let y = y0; y < y1; y++) {
      for (let x = 0; x < outWidth; x++) {
        for (let ch = c0; ch < c1; ch++) {
          const address = at(outputView, outputBatchBytes, n, y, x, ch);
          const [value] = kernels.readActivations(address, 1);
          expect(value).toBe(expected[((n * outHeight + y) * outWidth + x) * depth + ch]);
          kernels.bytes[address] = untouched[address - outputView.address] ?? 0;
        }
      }
    }
  }
  expect(Buffer.compare(kernels.bytes.slice(outputView.address, outputEnd), untouched)).toBe(0);
}

function range(fractions: readonly [number, number], length: number): [number, number] {
  const from = Math.floor(Math.min(...fractions) * (length - 1));
  return [from, Math.max(from + 1, Math.ceil(Math.max(...fractions) * length))];
}

function ringView(
  kernels: Kernels,
  c: PoolCase,
  side: 0 | 1,
  batches: number,
  ringRows: number,
  tensor: Int8Output,
): ViewWords {
  const [, height = 1, width = 1, channels = 1] = tensor.shape;
  const pixelBytes = channels + c.gaps[side];
  const rowBytes = width * pixelBytes;
  const address = kernels.allocate(batches * ringRows * rowBytes);
  return { address, pixelBytes, rowBytes, ringRows, height, width, channels };
}
