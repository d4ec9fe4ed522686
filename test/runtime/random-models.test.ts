import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/compile.ts";
import type { Image } from "../../src/emit/image.ts";
import { MemoryError } from "../../src/errors.ts";
import { byteSize, tensorOf } from "../../src/graph/graph.ts";
import type { Pass } from "../../src/passes/index.ts";
import { PASSES } from "../../src/passes/index.ts";
import type { Variant } from "../../src/plan/variant.ts";
import { VARIANTS } from "../../src/plan/variant.ts";
import type { Model } from "../../src/runtime/session.ts";
import { inlineKernels } from "../../src/runtime/inline-kernels.ts";
import { startSession } from "../../src/runtime/session.ts";
import { provesVariant } from "../../src/runtime/index.ts";
import { importModel } from "../../src/tflite/import.ts";
import { writeModel } from "../model-writer.ts";
import { noise } from "../passes/graphs.ts";
import { randomModel } from "../random-model.ts";
import { runGraph } from "../reference/run-graph.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

/** Compiles for the least memory that it fits, by bisection, or for a budget. */
function compileFor(bytes: Uint8Array, variant: Variant, budget: Budget, passes: readonly Pass[]): Image {
  if (budget !== "least") return compile(bytes, { variant, sram: budget, passes });
  let low = 0;
  let image = compile(bytes, { variant, sram: "unbounded", passes });
  while (image.report.ramBytes - low > 64) {
    const sram = Math.floor((low + image.report.ramBytes) / 2);
    try {
      image = compile(bytes, { variant, sram, passes });
    } catch (error) {
      if (!(error instanceof MemoryError)) throw error;
      low = sram;
    }
  }
  return image;
}

type Budget = "least" | "unbounded";

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();
}

/** Runs a guarded model in the memory that it says it needs. */
function run(model: Model, inputs: readonly Uint8Array[]): Uint8Array[] {
  const outputs = model.run(inputs.map((bytes) => new Int8Array(bytes.slice().buffer)));
  expect(outputs[0]?.buffer.byteLength).toBe(model.report.linearMemoryBytes);
  return outputs.map(bytesOf);
}

describe.each(proved)("random networks answer as the reference does (%s)", (variant) => {
  test.each<[string, Budget, readonly Pass[]]>([
    ["all weights in SRAM, without passes", "unbounded", []],
    ["in the least SRAM, without passes", "least", []],
    ["in the least SRAM, with all passes", "least", PASSES],
    ...PASSES.map((pass): [string, Budget, Pass[]] => [`with ${pass.name} alone`, "unbounded", [pass]]),
  ])("%s", async (_, budget, passes) => {
    await fc.assert(
      fc.asyncProperty(randomModel(), fc.nat(1000), async (written, seed) => {
        const bytes = writeModel(written);
        const graph = importModel(bytes);
        const model = await startSession(inlineKernels, compileFor(bytes, variant, budget, passes), true);
        // Twice: nothing of the first run may show in the second.
        for (const run_ of [0, 1]) {
          const inputs = graph.inputs.map((id, i) =>
            noise(seed + 10 * run_ + i, byteSize(tensorOf(graph, id))),
          );
          expect(run(model, inputs)).toEqual(runGraph(graph, inputs).outputs);
        }
      }),
      { numRuns: 60 },
    );
  });
});
