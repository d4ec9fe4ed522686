/**
 * Rivals side by side: `npm run bench:peers [-- MODEL.tflite …] [--node | --browser] [--json FILE]`. Every model on thimble
 * with its default options and on each rival, one thread, interleaved in one process, in this Node and in headless Chromium. With `--start`
 * instead: from an empty process of this Node to the first answer.
 *
 * A rival whose output is further than TOLERANCE steps from thimble's is marked: int8 rivals round otherwise than the reference,
 * float32 not at all, and the differences add up from layer to layer, but one that computes something else is no rival to beat.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { provesVariant } from "thimble";
import { measureLimits } from "#internal/cli/limits";
import { machine } from "../machine.ts";
import type { NamedModel } from "../models-at.ts";
import { modelsFrom } from "../models-at.ts";
import { measureInChromium } from "./chromium.ts";
import { measureModel } from "./measure.ts";
import type { PeerRow } from "./measure.ts";
import { nodeHost } from "./node-host.ts";
import { startPeers } from "./peers.ts";
import { startsText } from "./starts.ts";
import { resultsText } from "./table.ts";
import type { Results } from "./table.ts";

/** Of the repository, from build/bench/peers. */
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

async function measureInNode(models: readonly NamedModel[]): Promise<Results> {
  const variant = (await provesVariant("relaxed")) ? "relaxed" : "simd";
  const host = nodeHost(`${ROOT}bench/peers`);
  const peers = await startPeers(host, hasRelaxedSimd() ? "relaxed" : "simd");
  const rows: PeerRow[] = [];
  let limit = 0;
  for (const model of models) {
    console.error(`node: ${model.name}`);
    rows.push(...(await measureModel(model, variant, peers)));
    const { gigahertz, macsPerCycle } = measureLimits(variant);
    limit = Math.max(limit, gigahertz * macsPerCycle);
  }
  return { machine: machine(), limit, rows };
}

/** Whether the engine compiles relaxed instructions, which is what LiteRT.js asks too; they need not be exact. */
function hasRelaxedSimd(): boolean {
  const url = import.meta.resolve("thimble/wasm/thimble-relaxed.wasm");
  return WebAssembly.validate(readFileSync(fileURLToPath(url)));
}

const args = process.argv.slice(2);
const jsonAt = args.indexOf("--json");
const json = jsonAt < 0 ? undefined : args[jsonAt + 1];
const paths = args.filter((argument, i) => !argument.startsWith("--") && (jsonAt < 0 || i !== jsonAt + 1));
const models = modelsFrom(paths);
if (args.includes("--start")) {
  const liteRt = hasRelaxedSimd() ? "LiteRT.js relaxed" : "LiteRT.js simd";
  const engines = ["thimble", "thimble, compiled", liteRt, "tfjs-tflite"] as const;
  console.log(`${machine()}\n${await startsText(ROOT, models, engines)}`);
} else {
  const results: Results[] = [];
  if (!args.includes("--browser")) results.push(await measureInNode(models));
  if (!args.includes("--node")) results.push(await measureInChromium(ROOT, models));
  for (const result of results) console.log(`${resultsText(result)}\n`);
  if (json !== undefined) writeFileSync(json, JSON.stringify(results, undefined, 2));
}
