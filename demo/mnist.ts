import { SIDE } from "../models/digits/draw.ts";
import type { Point, Stroke } from "../models/digits/strokes.ts";
import { inkStrokes } from "./pad.ts";

/** Longest side of a digit, pen included, and the pen, in pixels of the model's picture. */
const BOX = 20;
const PEN_WIDTH = 2.6;

/**
 * Strokes → 28×28 grey bytes, as MNIST prepares digits: scaled to a box of 20×20 with its shape kept, the centre of mass in the
 * middle (LeCun et al. 1998, "Gradient-based learning applied to document recognition"). The pen is as wide for a digit drawn
 * small as for a large one. `canvas` is left showing the picture.
 */
export function mnistPixels(canvas: HTMLCanvasElement, strokes: readonly Stroke[]): Uint8Array {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return new Uint8Array(SIDE * SIDE);
  const points = strokes.flat();
  const [left, right] = extent(points.map(([x]) => x));
  const [top, bottom] = extent(points.map(([, y]) => y));
  const scale = (BOX - PEN_WIDTH) / Math.max(right - left, bottom - top, 1);
  const draw = (x0: number, y0: number): Uint8Array => {
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIDE, SIDE);
    const placed = strokes.map((stroke) =>
      stroke.map(([x, y]): Point => [scale * (x - left) + x0, scale * (y - top) + y0]),
    );
    inkStrokes(context, placed, PEN_WIDTH);
    const { data } = context.getImageData(0, 0, SIDE, SIDE);
    return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i] ?? 0);
  };
  const x0 = (SIDE - scale * (right - left)) / 2;
  const y0 = (SIDE - scale * (bottom - top)) / 2;
  const [massX, massY] = centreOfMass(draw(x0, y0));
  return draw(x0 + SIDE / 2 - massX, y0 + SIDE / 2 - massY);
}

function extent(values: readonly number[]): [low: number, high: number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}

function centreOfMass(pixels: Uint8Array): Point {
  let [mass, sumX, sumY] = [0, 0, 0];
  for (const [i, pixel] of pixels.entries()) {
    mass += pixel;
    sumX += pixel * ((i % SIDE) + 0.5);
    sumY += pixel * (Math.floor(i / SIDE) + 0.5);
  }
  return mass === 0 ? [SIDE / 2, SIDE / 2] : [sumX / mass, sumY / mass];
}
