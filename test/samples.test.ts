import { describe, expect, test } from "vitest";
import type { Model, Variant } from "../src/index.ts";
import { load, provesVariant, VARIANTS } from "../src/index.ts";
import { typed } from "./golden-inputs.ts";
import { hasShared, modelBytes, samples, sharedBytes } from "./shared.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

const cases = samples().filter(({ logmel }) => logmel === undefined);

test.skipIf(!hasShared)("no sample drops out", () => {
  expect([samples().length, cases.length]).toEqual([55, 54]);
});

describe.skipIf(!hasShared).each(proved)("real inputs answer as the reference (%s)", (variant) => {
  const models = new Map<string, Promise<Model>>();
  test.each(cases)("$model: $id", async ({ model: name, inputs, outputs, argmax, expected, agrees }) => {
    const loading = models.get(name) ?? load(modelBytes(name), { guard: true, variant, sram: 512 * 1024 });
    models.set(name, loading);
    const model = await loading;
    const [input] = inputs;
    const [output] = outputs;
    model.reset();
    const result = model.run(typed(input?.type ?? "", sharedBytes("samples", input?.file ?? "")));
    const bytes = new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
    expect(Buffer.from(bytes).toString("base64")).toBe(output?.data);
    const best = result.indexOf(Math.max(...result));
    if (argmax !== undefined && result.length > 1) expect(best).toBe(argmax);
    if (expected !== undefined && agrees === true) expect(best).toBe(expected);
  });

  test("a recording's anomaly score: the mean squared error over all windows of its spectrogram", async () => {
    const recording = samples().find(({ logmel }) => logmel !== undefined);
    const { file = "", bins = 0, window_frames: frames = 0, windows = 0 } = recording?.logmel ?? {};
    const model = await load(modelBytes(recording?.model ?? ""), { guard: true, variant, sram: 512 * 1024 });
    const spectrogram = new Float32Array(new Uint8Array(sharedBytes("samples", file)).buffer);
    expect(spectrogram.length).toBe((windows + frames - 1) * bins);
    let sum = 0;
    for (let window = 0; window < windows; window++) {
      const x = spectrogram.subarray(window * bins, (window + frames) * bins);
      const q = model.inputs[0]?.quantize(x) ?? new Int8Array();
      const y = model.outputs[0]?.dequantize(model.run(q)) ?? [];
      sum += x.reduce((total, value, i) => total + (value - (y[i] ?? NaN)) ** 2, 0);
    }
    // Values dequantised to float32 move the score by 1e-7, one output that is off by one by some 1e-5.
    expect(sum / (windows * frames * bins)).toBeCloseTo(recording?.tflm_anomaly_score ?? NaN, 6);
  });
});
