import { svgMap } from "#internal/memory/svg-map";
import type { Image } from "thimble";
import { compile, MemoryError, bestVariant } from "thimble";
import { soundFeatures } from "thimble/audio";
import { pictureShape } from "thimble/image";
import { answer } from "./answer.ts";
import { bench } from "./bench.ts";
import { failureOf } from "./failure.ts";
import type { Benched, ModelRequest, Planned, Takes } from "./messages.ts";

answer(async (request: ModelRequest): Promise<Planned | Benched> => {
  return request.do === "plan" ? plan(request) : bench(request);
});

/** Compiles for the budget; a model that does not fit also for what it says that it needs, so that its map can be shown. */
async function plan({ bytes, name, sram, schedule }: ModelRequest): Promise<Planned> {
  const options = { name, schedule, variant: await bestVariant() };
  try {
    const image = compile(bytes, { ...options, sram });
    return { report: image.report, svg: svgMap(image.report), failure: undefined, takes: takenBy(image) };
  } catch (error) {
    const failure = failureOf(error);
    if (!(error instanceof MemoryError) || error.neededBytes === undefined) {
      return { report: undefined, svg: "", failure, takes: undefined };
    }
    const image = compile(bytes, { ...options, sram: error.neededBytes });
    const svg = svgMap({ ...image.report, budgetBytes: sram });
    return { report: image.report, svg, failure, takes: takenBy(image) };
  }
}

/** Features of sound are no pictures, though of such a shape. */
function takenBy({ inputs: [input, ...others] }: Image): Takes | undefined {
  if (input === undefined || others.length > 0) return undefined;
  if (soundFeatures(input) !== undefined) return "sound";
  return pictureShape(input) === undefined ? undefined : "picture";
}
