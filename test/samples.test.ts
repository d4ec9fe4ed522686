import { describe, expect, test } from "vitest";
import type { Model, Variant } from "../src/index.ts";
import { load, provesVariant, VARIANTS } from "../src/index.ts";
import { typed } from "./golden-inputs.ts";
import { hasShared, modelBytes, samples, sharedBytes } from "./shared.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

const runnable = samples().filter(({ model }) => !model.includes("lstm"));
const cases = runnable.filter(({ logmel }) => logmel === undefined);

test.skipIf(!hasShared)("no sample drops out", () => {
  expect([samples().length, runnable.length, cases.length]).toEqual([55, 45, 44]);
});

describe.skipIf(!hasShared).each(proved)("real inputs answer as the reference (%s)", (variant) => {
  const models = new Map<string, Promise<Model>>();
  test.each(cases)("$model: $id", async ({ model: name, inputs, outputs, argmax, expected, agrees }) => {
    const loading = models.get(name) ?? load(modelBytes(name), { variant, sram: 512 * 1024 });
    models.set(name, loading);
    const model = await loading;
    const [input] = inputs;
    const [output] = outputs;
    const result = model.run(typed(input?.type ?? "", sharedBytes("samples", input?.file ?? "")));
    const bytes = new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
    expect(Buffer.from(bytes).toString("base64")).toBe(output?.data);
    const best = result.indexOf(Math.max(...result));
    if (argmax !== undefined && result.length > 1) expect(best).toBe(argmax);
    if (expected !== undefined && agrees === true) expect(best).toBe(expected);
  });
});

function raise(): never {
  throw new Error("the sample has no spectrogram, or the model no input or output");
}
