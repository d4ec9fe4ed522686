import { clampTo, multiplyByQuantizedMultiplier, quantizeMultiplier } from "./fixed-point.ts";

/** An SVDF; scales are float32. */
export interface Svdf {
  readonly batches: number;
  readonly depth: number;
  readonly filters: number;
  readonly rank: number;
  readonly memory: number;
  readonly stateType: "int8" | "int16";
  readonly inputScale: number;
  readonly inputZeroPoint: number;
  /** [filters, depth]. */
  readonly features: Int8Array;
  readonly featureScale: number;
  /** [filters, memory]. */
  readonly time: readonly number[];
  readonly timeScale: number;
  /** Per output. */
  readonly bias: readonly number[];
  readonly stateScale: number;
  readonly stateZeroPoint: number;
  readonly outputScale: number;
  readonly outputZeroPoint: number;
}

/** SVDF: the output [batch, filters / rank]; `state` [batch, filters, memory] becomes what the next run begins with. */
export function svdfReference(svdf: Svdf, x: Int8Array, state: number[]): number[] {
  const { batches, depth, filters, rank, memory, stateType, stateZeroPoint } = svdf;
  const bits = stateType === "int8" ? 8 : 16;
  const range = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] as const;
  const f = Math.fround;
  const feature = quantizeMultiplier(f(f(svdf.inputScale * svdf.featureScale) / svdf.stateScale));
  const result = quantizeMultiplier(f(f(svdf.stateScale * svdf.timeScale) / svdf.outputScale));
  // One place on in the buffer as a whole; what comes from the next filter is overwritten.
  state.push(state.shift() ?? NaN);
  const out: number[] = [];
  for (let n = 0; n < batches; n++) {
    for (let filter = 0; filter < filters; filter++) {
      let sum = 0;
      for (let i = 0; i < depth; i++) {
        sum += ((x[n * depth + i] ?? NaN) - svdf.inputZeroPoint) * (svdf.features[filter * depth + i] ?? NaN);
      }
      const value = clampTo(multiplyByQuantizedMultiplier(sum, feature.multiplier, feature.shift), range);
      // The zero point comes after the clamp, and the store wraps.
      const stored = Number(BigInt.asIntN(bits, BigInt(value + stateZeroPoint)));
      state[(n * filters + filter + 1) * memory - 1] = stored;
    }
    for (let unit = 0; unit < filters / rank; unit++) {
      let sum = BigInt(svdf.bias[unit] ?? 0);
      for (let i = unit * rank * memory; i < (unit + 1) * rank * memory; i++) {
        const remembered = (state[n * filters * memory + i] ?? NaN) - stateZeroPoint;
        sum += BigInt(remembered * (svdf.time[i] ?? NaN));
      }
      const wrapped = Number(BigInt.asIntN(32, sum));
      const scaled = multiplyByQuantizedMultiplier(wrapped, result.multiplier, result.shift);
      out.push(clampTo(scaled + svdf.outputZeroPoint, [-128, 127]));
    }
  }
  return out;
}
