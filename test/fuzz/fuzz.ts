import type { Image } from "../../src/index.ts";
import { writeModel } from "../model-writer.ts";
import type { Outcome } from "./check.ts";
import { checkImage, checkModel } from "./check.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateImage } from "./mutate-image.ts";
import { mutateModel } from "./mutate-model.ts";
import { Random } from "./random.ts";
import type { Seed } from "./seeds.ts";
import { SeedImages } from "./seeds.ts";

/** A damaged input, and what must hold of it. */
export interface Input {
  readonly kind: "structure" | "bytes" | "image";
  readonly bytes: Uint8Array;
  check(): Promise<Outcome>;
}

/** Makes inputs: the one of an index depends on the seed and the index alone. */
export class Fuzzer {
  readonly #seed: number;
  readonly #seeds: readonly Seed[];
  readonly #images: SeedImages;

  constructor(seed: number, seeds: readonly Seed[]) {
    this.#seed = seed;
    this.#seeds = seeds;
    this.#images = new SeedImages(seeds);
  }

  input(index: number): Input {
    const random = new Random(this.#seed, index);
    const [model, other] = [random.pick(this.#seeds), random.pick(this.#seeds)];
    const model_ = (kind: "structure" | "bytes", bytes: Uint8Array): Input => ({
      kind,
      bytes,
      check: () => checkModel(bytes, random),
    });
    switch (random.below(8)) {
      case 0:
        return model_("bytes", mutateBytes(model.bytes, other.bytes, random));
      case 1: {
        const written = writeModel(mutateModel(model.model, other.model, random));
        return model_("bytes", mutateBytes(written, other.bytes, random));
      }
      case 2:
      case 3: {
        const image: Image = this.#images.pick(random);
        const bytes = mutateImage(image, this.#images.pick(random), random);
        return { kind: "image", bytes, check: () => checkImage(bytes, random) };
      }
      default:
        return model_("structure", writeModel(mutateModel(model.model, other.model, random)));
    }
  }
}
