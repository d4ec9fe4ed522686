/**
 * Bytes per model: `npm run bench:memory [-- MODEL.tflite …] [--json]`. Activation bytes (whole tensors and rings) of whole
 * layers, of streams, of streams whose input comes in rows, and of those with up to 15 % of the MACs done twice, all weights
 * in SRAM, against what the design set out to reach; and the SRAM in all of the leanest plans, weights in flash.
 */
import type { CompileOptions, Report, Variant } from "thimble";
import { compile, MemoryError, VARIANTS } from "thimble";
import { modelsFrom } from "./models-at.ts";

/** Activation bytes to reach: by layers, by streams with the input in SRAM, and with the input in rows. */
const TARGETS: Readonly<Record<string, readonly [number, number, number]>> = {
  ad01_int8: [768, 768, 768],
  ic_resnet8_int8: [49_152, 13_824, 11_104],
  kws_dscnn_int8: [16_000, 5_930, 5_604],
  mcunet_vww: [89_600, 21_760, 16_720],
  mcunetv2_large: [1_404_928, 220_544, 220_544],
  person_detect_int8: [55_296, 14_592, 14_496],
  vww_mobilenet_int8: [55_296, 28_032, 14_592],
};

const RECOMPUTE = 0.15;
/** What every model fits whose fewest bytes are asked for. */
const ANYTHING = 2 ** 31;

const WAYS: Readonly<Record<string, CompileOptions>> = {
  layer: { schedule: "layer", sram: "unbounded" },
  stream: { schedule: "minimum", sram: "unbounded" },
  rows: { schedule: "minimum", sram: "unbounded", input: "streamed" },
  recompute: { schedule: "minimum", sram: "unbounded", input: "streamed", maxRecompute: RECOMPUTE },
  leanest: { schedule: "minimum", sram: ANYTHING },
  "leanest rows": { schedule: "minimum", sram: ANYTHING, input: "streamed" },
  "in 256 KiB": { sram: 256 * 1024 },
};

interface Row {
  readonly model: string;
  readonly variant: Variant;
  readonly reports: Readonly<Record<string, Report | null>>;
}

function reportOf(bytes: Uint8Array, name: string, variant: Variant, options: CompileOptions): Report | null {
  try {
    return compile(bytes, { name, variant, ...options }).report;
  } catch (error) {
    if (error instanceof MemoryError) return null;
    throw error;
  }
}

/** Ways whose activation bytes have a target, in its order. */
const AIMED = ["layer", "stream", "rows"];

function missesOf({ model, variant, reports }: Row): string[] {
  return AIMED.flatMap((way, i) => {
    const target = TARGETS[model]?.[i];
    const bytes = reports[way]?.arenaBytes;
    if (target === undefined || bytes === undefined || bytes <= target) return [];
    return [`${model} ${variant} ${way}: ${bytes - target} above ${target}`];
  });
}

function lineOf({ model, variant, reports }: Row): string {
  const targets = TARGETS[model];
  const arena = (way: string): string => {
    const bytes = reports[way]?.arenaBytes;
    const target = targets?.[AIMED.indexOf(way)];
    const mark = bytes !== undefined && target !== undefined && bytes > target ? ` >${target}` : "";
    return `${bytes ?? "–"}${mark}`;
  };
  const { extraMacs = 0, macs = 1 } = reports["recompute"] ?? {};
  const cells = [
    ...AIMED.map((way) => arena(way)),
    `${arena("recompute")} +${((100 * extraMacs) / (macs - extraMacs)).toFixed(1)}%`,
    String(reports["leanest"]?.ramBytes ?? "–"),
    String(reports["leanest rows"]?.ramBytes ?? "–"),
    String(reports["in 256 KiB"]?.ramBytes ?? "–"),
    String(reports["in 256 KiB"]?.streamedBytes ?? "–"),
  ];
  return model.padEnd(20) + variant.padEnd(8) + cells.map((cell) => cell.padStart(16)).join("");
}

const json = process.argv.includes("--json");
const paths = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const rows: Row[] = [];
if (!json) {
  const heads = [
    "layer",
    "stream",
    "rows",
    "recompute",
    "SRAM leanest",
    "… in rows",
    "SRAM in 256K",
    "from flash",
  ];
  console.log("".padEnd(28) + heads.map((head) => head.padStart(16)).join(""));
}
for (const { name, bytes } of modelsFrom(paths)) {
  for (const variant of VARIANTS) {
    const reports = Object.fromEntries(
      Object.entries(WAYS).map(([way, options]) => [way, reportOf(bytes, name, variant, options)]),
    );
    const row = { model: name, variant, reports };
    rows.push(row);
    if (!json) console.log(lineOf(row));
  }
}
if (json) console.log(JSON.stringify(rows, undefined, 2));
else {
  const misses = rows.flatMap((row) => missesOf(row));
  console.log(
    [
      "",
      "layer … recompute: bytes of activations, weights in SRAM; >n: above the design's n. SRAM: of everything.",
      ...misses,
    ].join("\n"),
  );
}
