import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bestVariant, compile, encodeImage } from "thimble";
import type { NamedModel } from "../models-at.ts";
import type { Engine, FirstAnswer, Sample } from "./first-answer.ts";

const SAMPLES = 7;

/**
 * A table of what thimble and rivals take from an empty process to their first answer, least and median of `SAMPLES` processes each, in turns:
 * code read and started, model loaded, one run.
 */
export async function startsText(
  root: string,
  models: readonly NamedModel[],
  engines: readonly Engine[],
): Promise<string> {
  const lines = [
    `${"model".padEnd(20)} ${"engine".padEnd(18)} ${["start", "load", "first run", "least", "median"].map((head) => head.padStart(9)).join(" ")}`,
  ];
  const variant = await bestVariant();
  for (const { name, path, bytes } of models) {
    const image = compile(bytes, { variant });
    const [input, output] = [image.inputs[0], image.outputs[0]];
    if (input === undefined || output === undefined || image.inputs.length > 1) continue;
    const folder = mkdtempSync(join(tmpdir(), "thimble-bench-starts-"));
    const imagePath = join(folder, "model.thimble");
    writeFileSync(imagePath, encodeImage(image));
    const { shape, type } = input;
    const length = shape.reduce((a, b) => a * b, 1);
    const sample: Sample = { path, imagePath, input: { shape, type, length }, output: { type: output.type } };
    const taken = new Map(engines.map((engine) => [engine, [] as FirstAnswer[]]));
    try {
      for (let i = 0; i < SAMPLES; i++) {
        console.error(`${name}: ${i + 1} of ${SAMPLES}`);
        for (const [engine, answers] of taken) {
          const answer = answerOf(engine, root, sample);
          if (answer !== undefined) answers.push(answer);
          else taken.delete(engine);
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    for (const engine of engines) {
      const answers = taken.get(engine);
      if (answers === undefined) {
        lines.push(`${name.padEnd(20)} ${engine.padEnd(18)}   no answer`);
        continue;
      }
      const sorted = answers.toSorted((a, b) => total(a) - total(b));
      const least = sorted[0] ?? { start: NaN, load: NaN, first: NaN };
      const median = sorted[sorted.length >> 1] ?? least;
      const cells = [least.start, least.load, least.first, total(least), total(median)];
      lines.push(
        `${name.padEnd(20)} ${engine.padEnd(18)} ${cells.map((cell) => cell.toFixed(1).padStart(9)).join(" ")}`,
      );
    }
  }
  return lines.join("\n");
}

function total({ start, load, first }: FirstAnswer): number {
  return start + load + first;
}

/** Undefined where the rival ends without one: `npm run bench:peers -- MODEL` tells why. */
function answerOf(engine: Engine, root: string, sample: Sample): FirstAnswer | undefined {
  const script = fileURLToPath(new URL("first-answer.js", import.meta.url));
  const args = [script, engine, root, JSON.stringify(sample)];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", engine.startsWith("thimble") ? "inherit" : "ignore"],
  });
  if (status === 0) return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as FirstAnswer;
  if (engine.startsWith("thimble")) throw new Error(`${engine} does not run ${sample.path}`);
  return undefined;
}
