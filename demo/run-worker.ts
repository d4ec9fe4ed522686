import type { Model } from "thimble";
import { load } from "thimble";
import { soundInput } from "thimble/audio";
import { pictureInput } from "thimble/image";
import { answer } from "./answer.ts";
import type { Answered, RunRequest } from "./messages.ts";

const SHOWN = 5;
let loading: Promise<Model> | undefined;

answer(async ({ number, model: file, given, range }: RunRequest): Promise<Answered> => {
  if (file !== undefined) loading = load(file.bytes, { name: file.name, sram: "unbounded" });
  const model = await loading;
  const [input] = model?.inputs ?? [];
  const [output] = model?.outputs ?? [];
  if (model === undefined || input === undefined || output === undefined)
    throw new Error("no model was sent");
  const values =
    "samples" in given
      ? soundInput(input, given)
      : pictureInput(input, given, range === undefined ? {} : { range });
  model.reset();
  const start = performance.now();
  const [answers = new Float32Array(0)] = model.run([values]);
  const ms = performance.now() - start;
  const isQuantized = output.type === "int8" || output.type === "int16";
  const best = Array.from(isQuantized ? output.dequantize(answers) : answers, (score, index) => ({
    index,
    score,
  }))
    .sort((a, b) => b.score - a.score)
    .slice(0, SHOWN);
  return { number, best, ms };
});
