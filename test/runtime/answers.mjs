// In a worker thread, on the built package: answers of models that are given as images, each to its own inputs, round by round.
import { parentPort, workerData } from "node:worker_threads";
import { load } from "../../dist/index.js";

const { images, inputs, rounds } = workerData;
const models = await Promise.all(images.map((image) => load(image)));
const answers = models.map(() => []);
for (let round = 0; round < rounds; round++) {
  for (const [i, model] of models.entries())
    answers[i].push(model.run(inputs[i]).map((output) => [...output]));
}
parentPort.postMessage(answers);
