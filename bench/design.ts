import { Conv2dField, Head, Op, View } from "#internal/plan/format";
import type { StepReport, Variant } from "thimble";

/** Pointwise products M × K × N and MAC/c, requantisation included, as the kernels' design measured them. */
const POINTWISE: Record<"simd" | "relaxed", readonly (readonly [number, number, number, number])[]> = {
  relaxed: [
    [2304, 8, 16, 10.1],
    [576, 16, 32, 15.5],
    [144, 64, 64, 23.8],
    [36, 128, 128, 26.7],
    [9, 256, 256, 27.9],
    [1, 640, 128, 24.3],
  ],
  simd: [
    [2304, 8, 16, 5.0],
    [576, 16, 32, 7.1],
    [144, 64, 64, 10.2],
    [36, 128, 128, 11.0],
    [9, 256, 256, 11.6],
    [1, 640, 128, 8.5],
  ],
};

/** A convolution's shape in words, and the MAC/c that the design reports for the nearest shape it measured, if any. */
export interface DesignFigure {
  readonly label: string;
  readonly shape: readonly number[];
  readonly design: number | undefined;
}

const CONVOLUTIONS = new Set<number>([Op.conv2d, Op.depthwiseConv2d, Op.conv2dWinograd]);

/** Address of a step's convolution: records before it may flip the signs of the model's input. Undefined for other operators. */
export function convolutionOf({ firstRecord, endRecord }: StepReport, words: Int32Array): number | undefined {
  for (let at = firstRecord >> 2; 4 * at < endRecord; at += words[at + Head.words] ?? Infinity)
    if (CONVOLUTIONS.has(words[at + Head.op] ?? NaN)) return 4 * at;
  return undefined;
}

/** Reads the geometry from a convolution's record, whose fields are alike in conv2d and depthwiseConv2d. */
export function designFigure(variant: Variant, record: number, words: Int32Array): DesignFigure {
  const at = record >> 2;
  const word = (offset: number): number => words[at + offset] ?? 0;
  const depth = word(Conv2dField.inputView + View.channels);
  const height = word(Conv2dField.outputView + View.height);
  const width = word(Conv2dField.outputView + View.width);
  const channels = word(Conv2dField.outputView + View.channels);
  const kernel = [word(Conv2dField.kernelHeight), word(Conv2dField.kernelWidth)] as const;
  const stride = word(Conv2dField.strideY);
  const op = Op[word(Head.op)];
  const pixels = height * width;
  const shape = [pixels, depth, channels, ...kernel, stride];
  const size = `${height}×${width}×${channels}`;
  if (op === "conv2dWinograd") {
    return { label: `Winograd 3×3×${depth} → ${size}`, shape, design: undefined };
  }
  if (op !== "conv2d") {
    const label = `depthwise ${kernel.join("×")} s${stride} → ${size}`;
    return { label, shape, design: variant === "relaxed" ? depthwiseDesign(kernel[0], stride) : undefined };
  }
  if (kernel[0] * kernel[1] === 1) {
    const label = `${pixels === 1 ? "matrix×vector" : "pointwise"} ${pixels}×${depth}×${channels}`;
    return {
      label,
      shape,
      design:
        variant === "mcu" || variant === "signed"
          ? undefined
          : nearest(POINTWISE[variant], [pixels, depth, channels]),
    };
  }
  const label = `conv ${kernel.join("×")}×${depth} s${stride} → ${size}`;
  return { label, shape, design: variant === "relaxed" ? convDesign(kernel[0], depth) : undefined };
}

function depthwiseDesign(kernel: number, stride: number): number {
  if (kernel >= 7) return 14.1;
  if (kernel === 5) return 10.9;
  return stride === 1 ? 7.1 : 6.4;
}

function convDesign(kernel: number, depth: number): number | undefined {
  if (kernel === 10) return depth === 1 ? 20.8 : undefined;
  if (depth < 3) return undefined;
  return depth < 8 ? 15.8 : 26.5;
}

/**
 * The figure of the row nearest in the logarithms of M, K and N, one pixel only to one pixel; undefined where K or N is
 * under half of the smallest measured, about which the design says nothing.
 */
function nearest(
  rows: readonly (readonly [number, number, number, number])[],
  [m, k, n]: readonly [number, number, number],
): number | undefined {
  const distance = (row: readonly [number, number, number, number]): number =>
    Math.abs(Math.log(row[1] / k)) +
    Math.abs(Math.log(row[2] / n)) +
    ((row[0] === 1) === (m === 1) ? 0 : 100);
  const best = [...rows].sort((a, b) => distance(a) - distance(b))[0];
  if (best === undefined || 2 * k < Math.min(best[1], 128) || 2 * n < Math.min(best[2], 128))
    return undefined;
  return best[3];
}
