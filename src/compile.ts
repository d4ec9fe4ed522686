import { emit, fixedPlanBytes } from "./emit/emit.ts";
import type { Image } from "./emit/image.ts";
import { verifyImage } from "./emit/image.ts";
import { InputError } from "./errors.ts";
import { demandMemory } from "./memory/lifetimes.ts";
import { planMemory } from "./memory/planner.ts";
import type { Pass } from "./passes/index.ts";
import { PASSES, runPasses } from "./passes/index.ts";
import type { Variant } from "./plan/variant.ts";
import { VARIANTS } from "./plan/variant.ts";
import { scheduleLayers } from "./schedule/layers.ts";
import { importModel } from "./tflite/import.ts";

/** SRAM of a typical microcontroller. */
const DEFAULT_SRAM = 256 * 1024;

export interface CompileOptions {
  /** Bytes of SRAM to plan for, or "unbounded" to keep all weights resident. Default 262,144. */
  readonly sram?: number | "unbounded";
  /** Build of the kernels that the image is packed for. Default "simd". */
  readonly variant?: Variant;
  /** Graph rewrites, in order. `[]` compiles the graph as the file has it. Default `PASSES`. */
  readonly passes?: readonly Pass[];
  /** Name for messages and reports. Default "model". */
  readonly name?: string;
}

/**
 * The bytes of an int8 `.tflite` file → an image planned for a budget of SRAM and packed for one variant.
 * The layout is proved before it is returned.
 * @throws ModelError the file is damaged or contradicts itself
 * @throws UnsupportedError it uses something thimble does not run; all such operators are listed at once
 * @throws MemoryError it does not fit the budget
 * @throws InputError an option has no meaning
 */
export function compile(bytes: Uint8Array, options: CompileOptions = {}): Image {
  const { variant = "simd", passes = PASSES, name = "model" } = options;
  const budget = budgetBytes(options.sram ?? DEFAULT_SRAM);
  if (!VARIANTS.includes(variant)) {
    throw new InputError(
      "variant",
      `there is no variant ${JSON.stringify(variant)}; choose one of ${VARIANTS.join(", ")}`,
    );
  }

  const graph = runPasses(importModel(bytes, name), passes);
  const steps = scheduleLayers(graph);
  const packed = steps.map(({ op, bound }) => op.pack?.(bound, variant));
  const demand = demandMemory(graph, steps, packed, variant);
  const layout = planMemory({
    storages: demand.storages,
    steps: demand.steps,
    budget,
    fixedPlanBytes: fixedPlanBytes(graph, demand, variant),
  });
  const image = emit({ graph, variant, budget, steps, packed, demand, layout });
  verifyImage(image);
  return image;
}

function budgetBytes(sram: number | "unbounded"): number {
  if (sram === "unbounded") return Infinity;
  if (Number.isSafeInteger(sram) && sram > 0 && sram <= 2 ** 31) return sram;
  throw new InputError("sram", `sram is ${sram}; give a whole number of bytes up to 2 GiB, or "unbounded"`);
}
