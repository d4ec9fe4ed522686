import { emit, fixedPlanBytes } from "./emit/emit.ts";
import type { Image } from "./emit/image.ts";
import { verifyImage } from "./emit/image.ts";
import { InputError, MemoryError } from "./errors.ts";
import { requireBytes } from "./given/bytes.ts";
import { requireOptions } from "./given/options.ts";
import type { Graph, Node } from "./graph/graph.ts";
import type { PackedProgram, Planned, PlanRequest } from "./memory/search.ts";
import { planProgram } from "./memory/search.ts";
import type { OpDefinition, Packed } from "./ops/op.ts";
import type { Pass } from "./passes/index.ts";
import { PASSES, runPasses } from "./passes/index.ts";
import type { Schedule } from "./plan/schedule.ts";
import { SCHEDULES } from "./plan/schedule.ts";
import type { Variant } from "./plan/variant.ts";
import { VARIANTS } from "./plan/variant.ts";
import type { Operation, Program } from "./schedule/program.ts";
import { fasterProgram, programOf } from "./schedule/program.ts";
import { recomputations } from "./schedule/recompute.ts";
import { importModel } from "./tflite/import.ts";

/** SRAM of a typical microcontroller. */
const DEFAULT_SRAM = 256 * 1024;

export interface CompileOptions {
  /** Bytes of SRAM to plan for, or "unbounded" to keep all weights resident. Default 262,144. */
  readonly sram?: number | "unbounded";
  /** Build of the kernels that the image is packed for. Default "simd". "signed" does not take all weights: UnsupportedError "weight-pairs". */
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
  /**
   * Share of the model's MACs that may be done a second time where that saves SRAM: 0.15 allows 15 % more. It is used only
   * where `schedule` would not get what it asks for without. Row sources may then be asked for their rows again. Default 0.
   */
  readonly maxRecompute?: number;
  /** Graph rewrites, in order. `[]` compiles the graph as the file has it. Default `PASSES`. */
  readonly passes?: readonly Pass[];
  /** Name for messages and reports. Default "model". */
  readonly name?: string;
}

/** The names of all options. */
export const COMPILE_OPTIONS = [
  "sram",
  "variant",
  "schedule",
  "input",
  "maxRecompute",
  "passes",
  "name",
] as const satisfies readonly (keyof CompileOptions)[];

/**
 * The bytes of an int8 `.tflite` file → an image planned for a budget of SRAM and packed for one variant.
 * The layout is proved before it is returned.
 * @throws ModelError the file is damaged or contradicts itself
 * @throws UnsupportedError it uses something thimble does not run; all such operators are listed at once
 * @throws MemoryError it does not fit the budget
 * @throws InputError what is given are no bytes, or an option has no meaning
 */
export function compile(bytes: Uint8Array | ArrayBuffer, options: CompileOptions = {}): Image {
  const file = requireBytes("compile", bytes);
  requireOptions("compile", options, COMPILE_OPTIONS);
  const {
    variant = "simd",
    passes = PASSES,
    name = "model",
    schedule = "auto",
    input = "resident",
    maxRecompute = 0,
  } = options;
  const budget = budgetBytes(options.sram ?? DEFAULT_SRAM);
  requireChoice("variant", variant, VARIANTS);
  requireChoice("schedule", schedule, SCHEDULES);
  requireChoice("input", input, ["resident", "streamed"]);
  if (!(maxRecompute >= 0 && maxRecompute <= 10)) {
    throw new InputError(
      "max-recompute",
      `maxRecompute is ${maxRecompute}; give a share of the model's MACs, such as 0.1, up to 10`,
    );
  }
  requirePasses(passes);

  const graph = runPasses(importModel(file, name), passes);
  const programs = programsOf(graph, variant, input === "streamed", maxRecompute, schedule);
  const [plain] = programs;
  const request = {
    programs,
    maxExtraMacs: maxRecompute * macsOf(plain.program),
    variant,
    schedule,
    budget,
    fixedPlanBytes: fixedPlanBytes(plain.program, variant),
  };
  const ways = [
    ...(schedule === "layer" ? ['`schedule: "minimum"`'] : []),
    ...(input === "resident" ? ['`input: "streamed"`'] : []),
    ...(maxRecompute === 0 ? ["`maxRecompute: 0.15`"] : []),
  ];
  const planned = planOrAdvise(request, ways);
  const image = emit({ ...planned, variant, budget, schedule });
  verifyImage(image);
  return image;
}

/** As `planProgram`, whose error also names the ways to need less that were not asked for. */
function planOrAdvise(request: PlanRequest, ways: readonly string[]): Planned {
  try {
    return planProgram(request);
  } catch (error) {
    if (!(error instanceof MemoryError) || error.neededBytes === undefined || ways.length === 0) throw error;
    const { code, message, neededBytes } = error;
    const advice = `${ways.join(" and ")} may need less: \`thimble inspect MODEL --budget ${request.budget}\` tries it out`;
    throw new MemoryError(code, `${message}. ${advice}`, { neededBytes });
  }
}

/**
 * The program as it is (if copies can be saved, without and with them: what lies in its place from the first part on needs it longer),
 * the same with operators that take more bytes of weights for less time, where time counts, and with more and more of it done twice. The
 * weights of one operator are packed once.
 */
function programsOf(
  graph: Graph,
  variant: Variant,
  streamedInput: boolean,
  maxRecompute: number,
  schedule: Schedule,
): readonly [PackedProgram, ...PackedProgram[]] {
  const known = new Map<Node, Map<OpDefinition, Packed | undefined>>();
  const packOnce = (node: Node, { op, bound }: Operation): Packed | undefined => {
    const packs = known.get(node) ?? new Map<OpDefinition, Packed | undefined>();
    known.set(node, packs);
    if (!packs.has(op)) packs.set(op, op.pack?.(bound, variant));
    return packs.get(op);
  };
  const pack = (program: Program, original = (node: Node): Node => node): PackedProgram => ({
    program,
    packed: new Map(
      program.operations.map((operation) => [operation, packOnce(original(operation.node), operation)]),
    ),
  });
  const plain = programOf(graph, streamedInput);
  const mayView = plain.operations.some(({ op }) => op.moves === true);
  const runs = mayView ? programOf(graph, streamedInput, 0, "runs") : plain;
  const channels = mayView ? programOf(graph, streamedInput, 0, "channels") : plain;
  const once = [
    plain,
    ...(runs.operations.length < plain.operations.length ? [runs] : []),
    ...(channels.operations.length < runs.operations.length ? [channels] : []),
  ];
  const faster = schedule === "auto" ? once.flatMap((program) => fasterProgram(program, variant) ?? []) : [];
  const twice = maxRecompute > 0 ? recomputations(graph, maxRecompute * macsOf(plain)) : [];
  return [
    pack(plain),
    ...[...once.slice(1), ...faster].map((program) => pack(program)),
    ...twice.map(({ graph, originals, extraMacs }) =>
      pack(programOf(graph, streamedInput, extraMacs), (node) => originals.get(node) ?? node),
    ),
  ];
}

function macsOf({ operations }: Program): number {
  return operations.reduce((sum, { op, bound }) => sum + op.macs(bound), 0);
}

function requireChoice(option: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new InputError(
    option,
    `there is no ${option} ${JSON.stringify(value)}; choose one of ${choices.join(", ")}`,
  );
}

function requirePasses(passes: unknown): void {
  const isPass = (pass: Partial<Pass> | null): boolean => typeof pass?.apply === "function";
  if (Array.isArray(passes) && passes.every(isPass)) return;
  throw new InputError(
    "passes",
    "passes are an array of those in `PASSES`, or of your own; leave them away for all",
  );
}

function budgetBytes(sram: number | "unbounded"): number {
  if (sram === "unbounded") return Infinity;
  if (Number.isSafeInteger(sram) && sram > 0 && sram <= 2 ** 31) return sram;
  throw new InputError("sram", `sram is ${sram}; give a whole number of bytes up to 2 GiB, or "unbounded"`);
}
