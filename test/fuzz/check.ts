import type { CompileOptions, Image, InputValues, Model, TensorArray, Variant } from "../../src/index.ts";
import {
  compile,
  decodeImage,
  encodeImage,
  ExecutionError,
  MemoryError,
  provesVariant,
  ThimbleError,
  VARIANTS,
} from "../../src/index.ts";
import { Header, SLACK_BYTES } from "../../src/plan/format.ts";
import { startWatched } from "../watched.ts";
import type { Random } from "./random.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

/** A broken promise. Anything else that is thrown is one too, but for coded errors on the way to a model. */
export class BrokenPromise extends Error {
  override readonly name = "BrokenPromise";
}

/** What became of an input: the code of the error that it was refused with, or the operators of the model. */
export type Outcome = { readonly code: string } | { readonly operators: readonly string[] };

/** Larger models are compiled but not run. */
const MAX_MACS = 5e6;
const MAX_MEMORY = 1 << 23;
const SRAM = 1 << 22;

/** Milliseconds of processor time that a file of this size may take: four times what is promised on a machine of its own. */
export function millisecondsAllowed(fileBytes: number): number {
  return 4 * (250 + fileBytes / 1024);
}

/**
 * A `.tflite` file becomes a coded error in time, or a model that gives the same bits in every variant and schedule that fits,
 * and touches nothing but its arena.
 * @throws whatever shows that a promise is broken
 */
export async function checkModel(bytes: Uint8Array, random: Random): Promise<Outcome> {
  const kept = bytes.slice();
  const first = attempt(bytes.length, () => compile(bytes, { sram: SRAM }));
  if (Buffer.compare(kept, bytes) !== 0) throw new BrokenPromise("compile changed the file");
  if (first instanceof ExecutionError) {
    throw new BrokenPromise(`compile made a plan that does not hold: ${first.code}: ${first.message}`);
  }
  if (first instanceof ThimbleError) return { code: first.code };
  const { report } = first;
  const outcome = { operators: report.steps.flatMap(({ operators }) => operators.map(({ op }) => op)) };
  if (report.macs > MAX_MACS) return outcome;

  const answer = await runImage(first, random.word());
  for (const options of otherOptions(random, report.ramBytes)) {
    const image = attempt(bytes.length, () => compile(bytes, options));
    // Another schedule may need more, and without passes nothing folds what is constant; nothing else depends on them.
    if (image instanceof MemoryError) continue;
    if (image instanceof ThimbleError && image.code === "constant-input" && "passes" in options) continue;
    if (image instanceof ThimbleError) {
      throw new BrokenPromise(`${JSON.stringify(options)} alone is refused: ${image.code}: ${image.message}`);
    }
    const reread = random.chance(0.3) ? decodeImage(encodeImage(image)) : image;
    const other = await runImage(reread, answer.seed);
    if (!answer.repeats || !other.repeats) throw new BrokenPromise("a second run gives other bits");
    if (!sameOutputs(answer.outputs, other.outputs)) {
      throw new BrokenPromise(`${JSON.stringify(options)} gives other bits than ${first.variant}, auto`);
    }
  }
  return outcome;
}

/**
 * The file of an image becomes a coded error in time, or a model that touches nothing but its arena. What it computes is for
 * whoever changed it to say.
 */
export async function checkImage(file: Uint8Array, random: Random): Promise<Outcome> {
  const image = attempt(file.length, () => decodeImage(file));
  if (image instanceof ThimbleError) return { code: image.code };
  await runImage(image, random.word());
  return { operators: [] };
}

/** The result or the coded error, in time. */
function attempt<T>(fileBytes: number, make: () => T): T | ThimbleError {
  const allowed = millisecondsAllowed(fileBytes);
  let slowest = "";
  // What is quick once is quick: the collector's and the compiler's threads count as well.
  for (let left = 3; left > 0; left--) {
    const before = left === 3 ? undefined : process.cpuUsage();
    const start = performance.now();
    let result: T | ThimbleError;
    try {
      result = make();
    } catch (error) {
      if (!(error instanceof ThimbleError)) throw error;
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(error.code)) throw new BrokenPromise(`no code: ${error.code}`);
      if (error.message.length > 8192) throw new BrokenPromise(`${error.code}: a message nobody reads`);
      result = error;
    }
    let took = performance.now() - start;
    // The machine may be busy: what seems slow is timed again by what the processor did.
    if (before !== undefined) {
      const { user, system } = process.cpuUsage(before);
      took = (user + system) / 1000;
    }
    if (took <= allowed) return result;
    slowest = `${took.toFixed(0)} ms for ${fileBytes} bytes, ${result instanceof ThimbleError ? result.code : "accepted"}`;
  }
  throw new BrokenPromise(`too slow: ${slowest}`);
}

/** Two others of the ways in which a model can be compiled. */
function otherOptions(random: Random, ramBytes: number): CompileOptions[] {
  return [0, 1].map((i) => ({
    variant: proved[(i + random.below(2)) % proved.length] ?? "mcu",
    schedule: random.pick(["layer", "auto", "minimum"] as const),
    sram: random.chance(0.4) ? Math.ceil(ramBytes * (0.6 + random.below(50) / 100)) : SRAM,
    ...(random.chance(0.3) ? { input: "streamed" as const } : {}),
    ...(random.chance(0.2) ? { maxRecompute: 0.5 } : {}),
    ...(random.chance(0.3) ? { passes: [] } : {}),
  }));
}

interface Answer {
  readonly seed: number;
  readonly outputs: readonly TensorArray[];
  /** Whether a second run gave the same. Weights that were packed for another record may count what lies in scratch. */
  readonly repeats: boolean;
}

/** Runs an image twice, around a reset, in memory full of other things. */
async function runImage(image: Image, seed: number): Promise<Answer> {
  const { report } = image;
  if (report.linearMemoryBytes > MAX_MEMORY || report.ramBytes > MAX_MEMORY)
    return { seed, outputs: [], repeats: true };
  const { model, memory } = await startWatched(image);
  const header = new DataView(image.sram.buffer, image.sram.byteOffset);
  const arena = header.getUint32(4 * Header.arenaAddress, true);
  const usable = report.ramBytes - SLACK_BYTES;
  memory.fill(0xa5, arena);
  model.reset();
  const before = memory.slice();
  const outputs = model.run(inputsOf(model, seed)).map((output) => output.slice());
  memory.fill(0x5a, arena, usable);
  model.reset();
  const repeats = sameOutputs(outputs, model.run(inputsOf(model, seed)));
  if (Buffer.compare(memory.subarray(0, arena), before.subarray(0, arena)) !== 0) {
    throw new BrokenPromise("the plan or the weights were changed by a run");
  }
  if (Buffer.compare(memory.subarray(usable), before.subarray(usable)) !== 0) {
    throw new BrokenPromise("bytes above the arena were changed by a run");
  }
  model[Symbol.dispose]();
  return { seed, outputs, repeats };
}

function sameOutputs(one: readonly TensorArray[], other: readonly TensorArray[]): boolean {
  // Models too large to be run have none.
  if (one.length === 0 || other.length === 0) return true;
  return (
    one.length === other.length &&
    one.every((values, i) => Buffer.compare(bytesOf(values), bytesOf(other[i] ?? values.slice(0, 0))) === 0)
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: TensorArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const FLOATS = [NaN, Infinity, -Infinity, 0, -0, 1e38, -1e38, 1e-45, 0.5, -0.5, 2.5];

/** Values from a seed, whole or row by row as the model takes them. */
function inputsOf(model: Model, seed: number): InputValues[] {
  let state = seed | 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >> 8;
  };
  return model.inputs.map(({ type, length, rows }): InputValues => {
    const whole = valuesOf(type, length, next);
    if (rows === undefined) return whole;
    return (row, into) => {
      into.set(whole.subarray((row * length) / rows, ((row + 1) * length) / rows));
    };
  });
}

function valuesOf(type: string, length: number, next: () => number): TensorArray {
  switch (type) {
    case "float32": {
      // Not the port's scale, which depends on whether the host quantises.
      const unit = 2 ** (next() % 8) / 5;
      return Float32Array.from({ length }, () => {
        const word = next();
        return word % 16 === 0 ? (FLOATS[Math.abs(next()) % FLOATS.length] ?? 0) : (word % 600) * unit;
      });
    }
    case "int16":
      return Int16Array.from({ length }, next);
    case "int32":
      return Int32Array.from({ length }, () => (next() % 2 === 0 ? next() % 8 : next() << 8));
    case "uint8":
      return Uint8Array.from({ length }, next);
    case "bool":
      return Uint8Array.from({ length }, () => next() & 1);
    default:
      return Int8Array.from({ length }, next);
  }
}
