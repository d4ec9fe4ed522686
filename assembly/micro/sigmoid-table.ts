/**
 * Logistic function and tanh by table, as the reference's int16 kernels: `table` has 65536 · sigmoid(i / 24) as uint16 for i from 0
 * to 255 (src/ops/sigmoid-table.ts), between whose entries results are interpolated. `t` is 3 · 2^12 times the argument; results
 * are Q0.15.
 */

/** Reference: TFLite reference/integer_ops/logistic.h, int16. */
export function sigmoidByTable(t: i32, table: usize): i32 {
  const magnitude = abs(t);
  const i = <usize>(magnitude >> 9);
  let r: i32 = 0x7fff << 10;
  if (i < 255) {
    const low = <i32>load<u16>(table + (i << 1));
    const high = <i32>load<u16>(table + (i << 1), 2);
    r = (low << 9) + (magnitude & 511) * (high - low);
  }
  return (t >= 0 ? r + 512 : (1 << 25) - r + 511) >> 10;
}

/** tanh(x) = 2 · sigmoid(2x) − 1. Reference: TFLite reference/integer_ops/tanh.h, int16. */
export function tanhByTable(t: i32, table: usize): i32 {
  const magnitude = abs(t);
  const i = <usize>(magnitude >> 8);
  let r: i32 = 0xffff << 8;
  if (i < 255) {
    const low = <i32>load<u16>(table + (i << 1));
    const high = <i32>load<u16>(table + (i << 1), 2);
    r = (low << 8) + (magnitude & 255) * (high - low);
  }
  return (t >= 0 ? r - (1 << 23) + 128 : -r + (1 << 23) + 127) >> 8;
}
