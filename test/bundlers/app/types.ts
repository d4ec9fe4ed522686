// Compiled, not run: the types of all entries, with the library's own checked too.
import type { LoadOptions, Model } from "thimble";
import { compile, load } from "thimble";
import * as asset from "thimble/asset";
import { soundInput } from "thimble/audio";
import { pictureInput } from "thimble/image";
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
const [port] = model.inputs;
if (port === undefined) throw new Error("no input");
model.run(pictureInput(port, { width: 1, height: 1, data: new Uint8Array(4) }, { fit: "pad" }));
const scores: ArrayLike<number> = model.run(
  soundInput(port, { rate: 16000, samples: new Float32Array(16000) }),
);
console.log(models.length, variant, scores[0], model.report.ramBytes);
