/**
 * Bytes per model and variant, in 256 KiB or where that is too little in what it takes: `npm run bench:memory [-- MODEL.tflite …]
 * [--json]`. `layer-wise` is the least arena that whole layers computed in place can do with.
 */
import type { Image, Variant } from "thimble";
import { compile, MemoryError, VARIANTS } from "thimble";
import { modelsFrom } from "./models-at.ts";

/** Activation bytes of the best layer-by-layer plan with operators in place, per shared model. */
const LAYER_WISE: Readonly<Record<string, number>> = {
  ad01_int8: 768,
  ic_resnet8_int8: 49_152,
  kws_dscnn_int8: 16_000,
  mcunet_vww: 89_600,
  mcunetv2_large: 1_404_928,
  person_detect_int8: 55_296,
  vww_mobilenet_int8: 55_296,
};

function compileSomehow(name: string, bytes: Uint8Array, variant: Variant): Image {
  try {
    return compile(bytes, { name, variant });
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    return compile(bytes, { name, variant, sram: "unbounded" });
  }
}

const json = process.argv.includes("--json");
const paths = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const rows = modelsFrom(paths).flatMap(({ name, bytes }) =>
  VARIANTS.map((variant) => {
    const { report } = compileSomehow(name, bytes, variant);
    const { arenaBytes, scratchBytes, weightTileBytes, residentWeightBytes } = report;
    const { planBytes, slackBytes, ramBytes, flashBytes, streamedBytes } = report;
    return {
      model: name,
      variant,
      arenaBytes,
      layerWise: LAYER_WISE[name] ?? null,
      scratchBytes,
      weightTileBytes,
      residentWeightBytes,
      planBytes,
      slackBytes,
      ramBytes,
      flashBytes,
      streamedBytes,
    };
  }),
);
if (json) console.log(JSON.stringify(rows, undefined, 2));
else {
  const heads = [
    "arena",
    "layer-wise",
    "scratch",
    "tiles",
    "resident",
    "plan",
    "slack",
    "RAM",
    "flash",
    "streamed",
  ];
  console.log("model                variant " + heads.map((head) => head.padStart(11)).join(""));
  for (const { model, variant, ...bytes } of rows) {
    const cells = Object.values(bytes).map((value) => String(value ?? "–").padStart(11));
    console.log(model.padEnd(20), variant.padEnd(8) + cells.join(""));
  }
}
