// Compiled, not run: the types of all entries, with the library's own checked too.
import type { LoadOptions, Model } from "thimble";
import { compile, load } from "thimble";
import * as asset from "thimble/asset";
import type { Image, Variant } from "thimble/runtime";
import { loadImage } from "thimble/runtime";

const options: LoadOptions = { sram: 64 * 1024, schedule: "minimum", warmUp: true };
const model: Model = await load("model.tflite", options);
const image: Image = compile(new Uint8Array(0), { variant: "mcu" });
const models: Model[] = [
  model,
  await loadImage(image),
  await asset.load(image),
  await asset.loadImage(image),
];
const variant: Variant = await asset.bestVariant();
const scores: ArrayLike<number> = model.run(new Int8Array(models.length));
console.log(variant, scores[0], model.report.ramBytes);
