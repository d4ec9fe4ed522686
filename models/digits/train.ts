/**
 * Makes the Digits model anew: trains the network on drawn digits, writes it in float32, quantises that, and reports how both
 * do on digits that neither saw. `npm run train:digits`; 20 minutes on one core; the same bytes on every machine whose
 * Math functions agree.
 */
import { writeFileSync } from "node:fs";
import { load, quantize, readFloatModel, runFloat, writeFloatModel } from "thimble";
import { best, calibration, HELD_OUT_SEED, pictures, toFloat, toInt8, TRAINING_SEED } from "./data.ts";
import { drawDigit, SIDE } from "./draw.ts";
import type { Layer } from "./layers.ts";
import { applyAdamW, crossEntropy } from "./layers.ts";
import { digitsNetwork, floatModel } from "./network.ts";
import { Random } from "./random.ts";

const STEPS = 28000;
const BATCH = 16;
const RATE = 3e-3;
const WARM_UP = 200;
const SMOOTHING = 0.05;
const HELD_OUT = 5000;

/** Every picture is new; the rate rises for some steps, then falls to 0 along a cosine. */
function train(): Layer[] {
  const random = new Random(TRAINING_SEED);
  const layers = digitsNetwork(random);
  const input = new Float64Array(SIDE * SIDE);
  const gradient = new Float64Array(10);
  let loss = 0;
  for (let step = 1; step <= STEPS; step++) {
    for (let i = 0; i < BATCH; i++) {
      const digit = Math.floor(10 * random.next());
      for (const [at, pixel] of drawDigit(digit, random).entries()) input[at] = pixel / 255;
      const logits = layers.reduce<Float64Array>((x, layer) => layer.forward(x), input);
      loss += crossEntropy(logits, digit, SMOOTHING, gradient);
      layers.reduceRight<Float64Array>((g, layer) => layer.backward(g), gradient);
    }
    const rate = RATE * Math.min(1, step / WARM_UP) * (0.5 + 0.5 * Math.cos((Math.PI * step) / STEPS));
    applyAdamW(layers, BATCH, step, rate);
    if (step % 500 !== 0) continue;
    console.log(`step ${step} of ${STEPS}, mean loss ${(loss / 500 / BATCH).toFixed(4)}`);
    loss = 0;
  }
  return layers;
}

const folder = new URL("../../../models/digits/", import.meta.url);
const floatBytes = writeFloatModel(floatModel(train()));
const model = readFloatModel(floatBytes);
const int8Bytes = quantize(model, calibration());
writeFileSync(new URL("digits-float.tflite", folder), floatBytes);
writeFileSync(new URL("digits.tflite", folder), int8Bytes);

const quantized = await load(int8Bytes, { name: "digits" });
const right = { float: 0, int8: 0 };
for (const { digit, pixels } of pictures(HELD_OUT, HELD_OUT_SEED)) {
  if (best(runFloat(model, toFloat(pixels))[0] ?? []) === digit) right.float++;
  if (best(quantized.run(toInt8(pixels))) === digit) right.int8++;
}
const percent = (count: number): string => `${((100 * count) / HELD_OUT).toFixed(2)} %`;
console.log(`of ${HELD_OUT} held-out digits: float32 ${percent(right.float)}, int8 ${percent(right.int8)}`);
console.log(`digits-float.tflite ${floatBytes.length} bytes, digits.tflite ${int8Bytes.length} bytes`);
