import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CompileOptions, Image } from "../../src/index.ts";
import { compile, ThimbleError } from "../../src/index.ts";
import type { WrittenModel } from "../model-writer.ts";
import { writeModel } from "../model-writer.ts";
import { ONE_OPERATOR, OPERATOR_NAMES, RESIDUAL } from "../written-models.ts";
import { decodeModel } from "./decode-model.ts";
import type { Random } from "./random.ts";

/** A valid model, as a file and as what it says. */
export interface Seed {
  readonly bytes: Uint8Array;
  readonly model: WrittenModel;
}

const MAX_BYTES = 20_000;

/** The written models, and the small ones of the shared data (THIMBLE_SHARED or ../shared) where it is. */
export function seedModels(): Seed[] {
  const written = [RESIDUAL, ...OPERATOR_NAMES.map((name) => ONE_OPERATOR[name])];
  const shared = process.env["THIMBLE_SHARED"] ?? "../shared";
  const files = ["conformance", "models"]
    .map((folder) => join(shared, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".tflite"))
        .sort()
        .map((path) => join(folder, path)),
    )
    .filter((path) => statSync(path).size <= MAX_BYTES);
  return [
    ...written.map((model) => ({ bytes: writeModel(model), model })),
    ...files.flatMap((path) => {
      const bytes = new Uint8Array(readFileSync(path));
      return isRun(bytes) ? [{ bytes, model: decodeModel(bytes) }] : [];
    }),
  ];
}

function isRun(bytes: Uint8Array): boolean {
  try {
    compile(bytes);
    return true;
  } catch (error) {
    if (error instanceof ThimbleError) return false;
    throw error;
  }
}

/** An image of a seed, compiled some way; always the same one for the same seed and way. */
export class SeedImages {
  readonly #seeds: readonly Seed[];
  readonly #images = new Map<string, Image>();

  constructor(seeds: readonly Seed[]) {
    this.#seeds = seeds;
  }

  pick(random: Random): Image {
    const at = random.below(this.#seeds.length);
    const options: CompileOptions = {
      variant: random.pick(["mcu", "simd"]),
      schedule: random.pick(["auto", "minimum"]),
      ...(random.chance(0.3) ? { input: "streamed" as const } : {}),
      // Where it need not be small weights are resident, else they are fetched.
      sram: random.chance(0.5) ? "unbounded" : 1 << 20,
    };
    const key = `${at} ${JSON.stringify(options)}`;
    const image = this.#images.get(key) ?? compile(this.#seeds[at]?.bytes ?? new Uint8Array(0), options);
    this.#images.set(key, image);
    return image;
  }
}
