import { load } from "thimble";
import { toInt8 } from "../models/digits/data.ts";
import { answer } from "./answer.ts";
import { DIGITS_URL } from "./digits-model.ts";
import { meanMs } from "./measure.ts";
import type { Recognised } from "./messages.ts";

const loading = load(DIGITS_URL, { name: "digits", warmUp: true });
/** A burst is this long: less than the time between two frames. */
const BURST_MS = 4;

answer(async (pixels: Uint8Array): Promise<Recognised> => {
  const model = await loading;
  const input = toInt8(pixels);
  const scores = model.outputs[0]?.dequantize(model.run(input)) ?? new Float32Array(0);
  const latencyMs = meanMs(() => {
    model.run(input);
  }, BURST_MS);
  const { ramBytes, flashBytes, variant } = model.report;
  return { scores, latencyMs, ramBytes, flashBytes, variant };
});
