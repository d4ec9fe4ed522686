import { emit, fixedPlanBytes } from "./emit/emit.ts";
import type { Image } from "./emit/image.ts";
import { verifyImage } from "./emit/image.ts";
import { InputError } from "./errors.ts";
import type { Schedule } from "./memory/search.ts";
import { planProgram } from "./memory/search.ts";
import type { Pass } from "./passes/index.ts";
import { PASSES, runPasses } from "./passes/index.ts";
import type { Variant } from "./plan/variant.ts";
import { VARIANTS } from "./plan/variant.ts";
import { programOf } from "./schedule/program.ts";
import { importModel } from "./tflite/import.ts";

/** SRAM of a typical microcontroller. */
const DEFAULT_SRAM = 256 * 1024;

export interface CompileOptions {
  /** Bytes of SRAM to plan for, or "unbounded" to keep all weights resident. Default 262,144. */
  readonly sram?: number | "unbounded";
  /** Build of the kernels that the image is packed for. Default "simd". */
  readonly variant?: Variant;
  /**
   * "auto" (default): the fastest plan that fits `sram`. "minimum": the fewest bytes of SRAM; weights are then copied from flash
   * though they would fit, unless `sram` is "unbounded". "layer": every operator as a whole, for comparison.
   */
  readonly schedule?: Schedule;
  /**
   * "resident" (default): inputs are given whole and lie in SRAM. "streamed": `run` takes a function per input that fills a
   * row when asked, and the input has no place in SRAM but the rows in use.
   */
  readonly input?: "resident" | "streamed";
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
  const {
    variant = "simd",
    passes = PASSES,
    name = "model",
    schedule = "auto",
    input = "resident",
  } = options;
  const budget = budgetBytes(options.sram ?? DEFAULT_SRAM);
  requireChoice("variant", variant, VARIANTS);

  requireChoice("schedule", schedule, ["auto", "layer", "minimum"]);
  requireChoice("input", input, ["resident", "streamed"]);

  const graph = runPasses(importModel(bytes, name), passes);
  const program = programOf(graph, input === "streamed");
  const packed = new Map(
    program.operations.map((operation) => [operation, operation.op.pack?.(operation.bound, variant)]),
  );
  const { steps, demand, layout } = planProgram({
    program,
    packed,
    variant,
    schedule,
    budget,
    fixedPlanBytes: fixedPlanBytes(program, variant),
  });
  const image = emit({ program, variant, budget, steps, packed, demand, layout });
  verifyImage(image);
  return image;
}

function requireChoice(option: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new InputError(
    option,
    `there is no ${option} ${JSON.stringify(value)}; choose one of ${choices.join(", ")}`,
  );
}

function budgetBytes(sram: number | "unbounded"): number {
  if (sram === "unbounded") return Infinity;
  if (Number.isSafeInteger(sram) && sram > 0 && sram <= 2 ** 31) return sram;
  throw new InputError("sram", `sram is ${sram}; give a whole number of bytes up to 2 GiB, or "unbounded"`);
}
