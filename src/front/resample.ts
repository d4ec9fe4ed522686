/** Zero crossings of the sinc on each side, at the lower of the two rates. */
const CROSSINGS = 16;
/** Share of the lower rate's band that passes: the rest is the filter's slope. */
const PASS = 0.94;

/**
 * Samples at another rate: `from` and `to` per second. Band-limited: a sinc under a Hann window, cut at the lower rate's
 * half. Beyond its ends the sound is silent.
 */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return samples;
  const step = from / to;
  const cutoff = PASS * Math.min(1, to / from);
  const radius = CROSSINGS / Math.min(1, to / from);
  return Float32Array.from({ length: Math.round(samples.length / step) }, (_, i) => {
    const centre = i * step;
    const first = Math.ceil(centre - radius);
    const last = Math.floor(centre + radius);
    let [sum, weights] = [0, 0];
    for (let at = first; at <= last; at++) {
      const distance = at - centre;
      const phase = Math.PI * cutoff * distance;
      const sinc = distance === 0 ? 1 : Math.sin(phase) / phase;
      const weight = sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / radius));
      sum += weight * (samples[at] ?? 0);
      weights += weight;
    }
    return sum / weights;
  });
}
