/** A picture, or a part of one, in pixels. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Every output pixel as the weighted mean of all input pixels: a pixel whose centre is (dx, dy) output pixels from the output's
 * weighs (1 − |dx|)⁺ · (1 − |dy|)⁺; where the picture grows, input pixels take the place of output pixels.
 */
export function resizeReference(
  from: ArrayLike<number>,
  { width, height, channels }: { width: number; height: number; channels: number },
  crop: Rectangle,
  to: { width: number; height: number },
): number[] {
  const [stepX, stepY] = [crop.width / to.width, crop.height / to.height];
  const weight = (distance: number, step: number): number =>
    Math.max(0, 1 - Math.abs(distance) / Math.max(1, step));
  const result: number[] = [];
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) {
      for (let c = 0; c < channels; c++) {
        let [sum, weights] = [0, 0];
        for (let row = 0; row < height; row++) {
          for (let column = 0; column < width; column++) {
            const w =
              weight(column + 0.5 - (crop.x + (x + 0.5) * stepX), stepX) *
              weight(row + 0.5 - (crop.y + (y + 0.5) * stepY), stepY);
            sum += w * (from[(row * width + column) * channels + c] ?? NaN);
            weights += w;
          }
        }
        result.push(sum / weights);
      }
    }
  }
  return result;
}
