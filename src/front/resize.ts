/** What an output sample is made of: input samples `first …`, each times its weight. The weights sum to 1. */
interface Tap {
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * Changes the size of a picture: `from` is `height` × `width` pixels of `channels` values, of which the rectangle at (x, y) of
 * `cropWidth` × `cropHeight` (may be fractional) becomes `toHeight` × `toWidth` pixels. Triangle filter with pixel centres at
 * halves, as wide as an output pixel where the picture shrinks: bilinear when it grows, an average without aliasing when it
 * shrinks (PIL's BILINEAR, TensorFlow's `antialias=True`). Beyond the border weights are left out, not made up.
 */
export function resizePixels(
  from: ArrayLike<number>,
  { width, height, channels }: { width: number; height: number; channels: number },
  crop: { x: number; y: number; width: number; height: number },
  to: { width: number; height: number },
): Float32Array {
  const columns = tapsOf(width, crop.x, crop.width, to.width);
  const rows = tapsOf(height, crop.y, crop.height, to.height);
  // Columns first, and only of the rows that count.
  const firstRow = rows[0]?.first ?? 0;
  const last = rows.at(-1);
  const rowCount = (last === undefined ? 0 : last.first + last.weights.length) - firstRow;
  const narrow = new Float32Array(rowCount * to.width * channels);
  for (let y = 0; y < rowCount; y++) {
    for (const [x, { first, weights }] of columns.entries()) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) {
          sum += (weights[i] ?? 0) * (from[((firstRow + y) * width + first + i) * channels + c] ?? 0);
        }
        narrow[(y * to.width + x) * channels + c] = sum;
      }
    }
  }
  const rowLength = to.width * channels;
  const result = new Float32Array(to.height * rowLength);
  for (const [y, { first, weights }] of rows.entries()) {
    for (let at = 0; at < rowLength; at++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) {
        sum += (weights[i] ?? 0) * (narrow[(first - firstRow + i) * rowLength + at] ?? 0);
      }
      result[y * rowLength + at] = sum;
    }
  }
  return result;
}

/** The taps that make `count` samples of the `length` input samples from `start`, of `size` in all. */
function tapsOf(size: number, start: number, length: number, count: number): Tap[] {
  const step = length / count;
  const radius = Math.max(step, 1);
  return Array.from({ length: count }, (_, i) => {
    const centre = start + (i + 0.5) * step;
    const first = Math.max(0, Math.floor(centre - radius));
    const end = Math.min(size, Math.ceil(centre + radius));
    const weights = Array.from({ length: end - first }, (_, at) =>
      Math.max(0, 1 - Math.abs(first + at + 0.5 - centre) / radius),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}
