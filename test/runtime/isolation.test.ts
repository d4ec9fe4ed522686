import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { compile, encodeImage, load } from "../../src/index.ts";
import { depthwiseNet } from "../depthwise-net.ts";
import { writeModel } from "../model-writer.ts";
import { int8Values } from "../ops/node.ts";
import { ONE_OPERATOR, RESIDUAL } from "../written-models.ts";

const ROUNDS = 5;
/** Eight models: networks in little SRAM, which fetch weights, and two with a state that each round changes. */
const images = [
  ...[1, 2, 3, 4].map((seed) => compile(depthwiseNet(seed), { sram: 12 * 1024 })),
  compile(writeModel(RESIDUAL), { sram: 2 ** 16, schedule: "minimum" }),
  compile(writeModel(ONE_OPERATOR.conv2d)),
  compile(writeModel(ONE_OPERATOR.svdf)),
  compile(writeModel(ONE_OPERATOR.unidirectionalSequenceLstm)),
].map(encodeImage);

const inputs = await Promise.all(
  images.map(async (image, i) => (await load(image)).inputs.map(({ length }) => int8Values(40 + i, length))),
);

type Answers = number[][][];

/** Each model alone in its rounds, one after the other. */
async function alone(): Promise<Answers[]> {
  const answers: Answers[] = [];
  for (const [i, image] of images.entries()) {
    const model = await load(image);
    const given = inputs[i] ?? [];
    answers.push(Array.from({ length: ROUNDS }, () => model.run(given).map((output) => [...output])));
  }
  return answers;
}

const wanted = await alone();

test("eight models that take turns answer as each alone", async () => {
  const models = await Promise.all(images.map((image) => load(image)));
  const answers: Answers[] = models.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, model] of models.entries()) {
      answers[i]?.push(model.run(inputs[i] ?? []).map((output) => [...output]));
    }
  }
  expect(answers).toEqual(wanted);
  // The states are such that forgetting them would show.
  expect(wanted.filter(([first, second]) => String(first) !== String(second)).length).toBe(2);
});

test("so do they in four worker threads at once", async () => {
  const answersOf = (): Promise<Answers[]> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("answers.mjs", import.meta.url), {
        workerData: { images, inputs, rounds: ROUNDS },
      });
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  for (const answers of await Promise.all([1, 2, 3, 4].map(answersOf))) {
    expect(answers.map((rounds) => rounds.map((outputs) => outputs.map((values) => [...values])))).toEqual(
      wanted,
    );
  }
});

test("20,000 runs and 1,000 models loaded and dropped leave the process as it was", () => {
  const script = fileURLToPath(new URL("soak.mjs", import.meta.url));
  const output = execFileSync(process.execPath, ["--expose-gc", script, "20000", "1000"], {
    encoding: "utf8",
  });
  const grown = JSON.parse(output) as Record<string, number>;
  // Memories that stayed would be 65 MB; the engine collects them when it sees fit.
  expect(grown["heapGrownByRuns"]).toBeLessThan(500_000);
  expect(grown["heapGrownByCycles"]).toBeLessThan(1_000_000);
  expect(grown["rssGrownByCycles"]).toBeLessThan(48_000_000);
});
