import { pool2d } from "./pool2d.ts";

/**
 *   out[n, y, x, c] = clamp(max_ky max_kx in[n, y·sy + ky − padTop, x·sx + kx − padLeft, c])
 *
 * over the cells that lie in the input. Input and output share scale and zero point.
 * Reference: TFLite reference/integer_ops/pooling.h, MaxPool.
 */
export function maxPool2d(record: usize, y0: i32, y1: i32): void {
  pool2d(record, y0, y1, true);
}
