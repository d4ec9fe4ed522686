/**
 * The least k ≥ 0 with k·step mod modulus in [low, high], Infinity if it is not below `limit`; exact while it is below 2^20. All are
 * whole, 0 ≤ step, low ≤ high < modulus < 2^32, limit > 0. By Euclid's algorithm: either a multiple of step lies in the range before
 * the first wrap, or the number of wraps, one at least, is the answer to the same question modulo step.
 */
export function firstHit(step: number, modulus: number, low: number, high: number, limit: number): number {
  if (low === 0) return 0;
  if (step === 0) return Infinity;
  if (2 * step > modulus) return firstHit(modulus - step, modulus, modulus - high, modulus - low, limit);
  const direct = Math.ceil(low / step);
  if (direct >= limit) return Infinity;
  if (direct * step <= high) return direct;
  // After more wraps a multiple of step has come too far.
  const mostWraps = Math.floor((limit * step - low) / modulus) + 1;
  if (mostWraps <= 1) return Infinity;
  const wraps = firstHit(
    modulus % step,
    step,
    (step - (high % step)) % step,
    (step - (low % step)) % step,
    mostWraps,
  );
  const steps = Math.ceil((low + modulus * wraps) / step);
  return steps < limit ? steps : Infinity;
}
