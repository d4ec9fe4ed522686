import { svgMap } from "#internal/memory/svg-map";
import { compile, MemoryError, bestVariant } from "thimble";
import { answer } from "./answer.ts";
import { bench } from "./bench.ts";
import { failureOf } from "./failure.ts";
import type { Benched, ModelRequest, Planned } from "./messages.ts";

answer(async (request: ModelRequest): Promise<Planned | Benched> => {
  return request.do === "plan" ? plan(request) : bench(request);
});

/** Compiles for the budget; a model that does not fit also for what it says that it needs, so that its map can be shown. */
async function plan({ bytes, name, sram, schedule }: ModelRequest): Promise<Planned> {
  const options = { name, schedule, variant: await bestVariant() };
  try {
    const { report } = compile(bytes, { ...options, sram });
    return { report, svg: svgMap(report), failure: undefined };
  } catch (error) {
    const failure = failureOf(error);
    if (!(error instanceof MemoryError) || error.neededBytes === undefined) {
      return { report: undefined, svg: "", failure };
    }
    const { report } = compile(bytes, { ...options, sram: error.neededBytes });
    return { report, svg: svgMap({ ...report, budgetBytes: sram }), failure };
  }
}
