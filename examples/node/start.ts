/**
 * The first run: `npm start` draws a digit as somebody might write it and recognises it with the Digits model; `npm start -- 7`
 * draws that digit. Prints the answer, the latency, where every byte of RAM went, and the memory map.
 */
import { readFileSync } from "node:fs";
import type { Model } from "thimble";
import { compile, load } from "thimble";
import { toInt8 } from "../../models/digits/data.ts";
import { drawDigit, SIDE } from "../../models/digits/draw.ts";
import { Random } from "../../models/digits/random.ts";
import { textMap } from "../../src/memory/text-map.ts";

/** Two rows of pixels a line. */
function picture(pixels: Uint8Array): string[] {
  return Array.from({ length: SIDE / 2 }, (_, line) =>
    Array.from({ length: SIDE }, (_, x) => {
      const upper = (pixels[2 * line * SIDE + x] ?? 0) > 90;
      const lower = (pixels[(2 * line + 1) * SIDE + x] ?? 0) > 90;
      return upper ? (lower ? "█" : "▀") : lower ? "▄" : " ";
    }).join(""),
  );
}

/** A line for every class: its score, as a bar and a number. */
function bars(scores: Float32Array): string[] {
  return Array.from(
    scores,
    (score, digit) => `${digit}  ${score.toFixed(3)} ${"▬".repeat(Math.round(30 * score))}`,
  );
}

/** Median of many runs, after V8's optimising compiler has caught up. */
async function latencyMicroseconds(model: Model, input: Int8Array): Promise<number> {
  const until = performance.now() + 200;
  while (performance.now() < until) model.run(input);
  // Compiled code is swapped in between tasks.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const times = Array.from({ length: 301 }, () => {
    const start = performance.now();
    model.run(input);
    return performance.now() - start;
  });
  return (times.sort((a, b) => a - b)[150] ?? NaN) * 1e3;
}

const random = new Random(Date.now());
const [wanted = String(Math.floor(10 * random.next()))] = process.argv.slice(2);
if (!/^\d$/.test(wanted)) {
  console.error(`npm start -- ${wanted}: give a digit, 0 to 9`);
  process.exit(2);
}
const pixels = drawDigit(Number(wanted), random);

const bytes = readFileSync(new URL(import.meta.resolve("thimble/models/digits.tflite")));
const model = await load(bytes, { name: "digits" });
const input = toInt8(pixels);
const scores = model.outputs[0]?.dequantize(model.run(input)) ?? new Float32Array(0);
const answer = scores.indexOf(Math.max(...scores));

const beside = ["", "", ...bars(scores)];
console.log(`A ${wanted}, drawn at random, and what the model makes of it:\n`);
for (const [i, line] of picture(pixels).entries()) console.log(`  ${line}    ${beside[i] ?? ""}`.trimEnd());
console.log(
  `\nIt reads ${answer === Number(wanted) ? `a ${answer}` : `a ${answer}, which is wrong: about one in a hundred is`}.\n`,
);

const { report } = model;
const grouped = (value: number): string => value.toLocaleString("en-US").padStart(7);
const latency = await latencyMicroseconds(model, input);
console.log(
  `latency ${latency.toFixed(1).padStart(7)} µs, median of 301 runs; ${grouped(report.macs).trim()} MACs, ${report.variant} kernels`,
);
console.log(
  `RAM     ${grouped(report.ramBytes)} bytes: activations ${grouped(report.arenaBytes).trim()}, ` +
    `weights ${grouped(report.residentWeightBytes).trim()}, plan ${grouped(report.planBytes).trim()}, the rest ` +
    grouped(report.scratchBytes + report.weightTileBytes + report.slackBytes).trim(),
);
const least = compile(bytes, { schedule: "minimum", sram: 2 ** 31, variant: report.variant }).report;
console.log(
  `at least ${grouped(least.ramBytes).trim()} bytes of RAM with schedule: "minimum", and ${grouped(least.flashBytes).trim()} of flash`,
);
console.log(`\n${textMap(report.map, report.steps.length, report.ramBytes, 90)}`);
console.log("\nAny other model: npx thimble inspect MODEL.tflite; npx thimble --help tells the rest.");
