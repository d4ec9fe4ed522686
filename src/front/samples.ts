import { InputError } from "../errors.ts";
import { kindOf } from "../given/bytes.ts";

/** @throws InputError `sound-samples`: other arrays than Float32Array, whose values have another range; NaN and infinities */
export function checkSamples(samples: Float32Array): void {
  const kind = kindOf(samples);
  if (kind !== "Float32Array") {
    throw new InputError(
      "sound-samples",
      `samples are a Float32Array of −1 … 1, not ${kind}; of 16-bit ones make ` +
        "Float32Array.from(samples, (value) => value / 32768)",
    );
  }
  const at = samples.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new InputError(
    "sound-samples",
    `sample ${at} is ${samples[at] ?? NaN}; samples are −1 … 1, and 0 where there are none`,
  );
}
