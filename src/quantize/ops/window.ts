import { Padding, resolvePadding } from "../../ops/padding.ts";
import type { OptionField } from "../../tflite/write.ts";
import type { FloatNode, FloatTensor, WindowOptions } from "../float-model.ts";
import type { FileNode } from "../operator.ts";
import { nhwc, requireShape } from "../operator.ts";

/** One dimension of a window over an input. */
export interface Span {
  readonly size: number;
  readonly output: number;
  readonly before: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
}

export interface Window {
  readonly batches: number;
  readonly depth: number;
  readonly rows: Span;
  readonly columns: Span;
}

/** Where the window of a node lies. @throws ModelError float-shape */
export function windowOf(
  node: FloatNode & WindowOptions,
  input: FloatTensor,
  kernel: readonly [height: number, width: number],
  dilation: readonly [y: number, x: number] = [1, 1],
): Window {
  const [batches, height, width, depth] = nhwc(node, input);
  const span = (size: number, length: number, stride: number, spread: number): Span => {
    const whole = [length, stride, spread].every((value) => Number.isInteger(value) && value >= 1);
    requireShape(whole, node, "kernel, stride and dilation must be whole numbers from 1");
    const { before, output } = resolvePadding(paddingCode(node), size, length, stride, spread);
    requireShape(output >= 1, node, `its window does not fit its input of shape [${input.shape.join(", ")}]`);
    return { size, output, before, kernel: length, stride, dilation: spread };
  };
  return {
    batches,
    depth,
    rows: span(height, kernel[0], node.strideY ?? 1, dilation[0]),
    columns: span(width, kernel[1], node.strideX ?? 1, dilation[1]),
  };
}

function paddingCode({ padding }: WindowOptions): number {
  return padding === "same" ? Padding.same : Padding.valid;
}

/** Padding, strideX, strideY: the first fields of options of what has a window. */
export function windowFields(node: WindowOptions): OptionField[] {
  return [{ byte: paddingCode(node) }, { int: node.strideX ?? 1 }, { int: node.strideY ?? 1 }];
}

export function readWindow({
  options,
}: FileNode): Pick<Required<WindowOptions>, "padding" | "strideX" | "strideY"> {
  return {
    padding: (options?.byte(0, 0) ?? 0) === (Padding.same as number) ? "same" : "valid",
    strideX: options?.int(1, 0) ?? 0,
    strideY: options?.int(2, 0) ?? 0,
  };
}

/** Calls with every output pixel, and every pixel of its window that lies in the input. */
export function eachPixel(
  { batches, rows, columns }: Window,
  see: (pixel: number, cells: readonly Cell[]) => void,
): void {
  for (let n = 0, pixel = 0; n < batches; n++) {
    for (let y = 0; y < rows.output; y++) {
      for (let x = 0; x < columns.output; x++, pixel++) {
        const cells: Cell[] = [];
        for (let ky = 0; ky < rows.kernel; ky++) {
          const row = y * rows.stride - rows.before + ky * rows.dilation;
          if (row < 0 || row >= rows.size) continue;
          for (let kx = 0; kx < columns.kernel; kx++) {
            const column = x * columns.stride - columns.before + kx * columns.dilation;
            if (column < 0 || column >= columns.size) continue;
            const inputPixel = (n * rows.size + row) * columns.size + column;
            cells.push({ inputPixel, kernelPixel: ky * columns.kernel + kx });
          }
        }
        see(pixel, cells);
      }
    }
  }
}

/** A pixel of the input and its place in the kernel. */
export interface Cell {
  readonly inputPixel: number;
  readonly kernelPixel: number;
}
