import { pool2d } from "./pool2d.ts";

/**
 *   out[n, y, x, c] = clamp((s ± count / 2) / count)   s = Σ_ky Σ_kx in[n, y·sy + ky − padTop, x·sx + kx − padLeft, c]
 *
 * over the `count` cells that lie in the input; the sign is that of s, divisions truncate: half away from zero. Input
 * and output share scale and zero point. No overflow while count ≤ 2^23.
 * Reference: TFLite reference/integer_ops/pooling.h, AveragePool.
 */
export function averagePool2d(record: usize): void {
  pool2d(record, false);
}
