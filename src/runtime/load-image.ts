import type { Image } from "../emit/image.ts";
import { decodeImage, requireImageFile } from "../emit/image-file.ts";
import { verifyImage } from "../emit/image.ts";
import { requireOptions } from "../given/options.ts";
import type { Kernels } from "./kernels.ts";
import type { Model } from "./session.ts";
import { startSession } from "./session.ts";
import type { Source } from "./source.ts";
import { readSource } from "./source.ts";
import { warmUp } from "./warm-up.ts";

/** How an image is loaded. */
export interface LoadImageOptions {
  /**
   * Runs the kernels on zeros for 50 ms before the model is handed over, in an instance of its own, so that the first inferences
   * are as fast as later ones. Default false.
   */
  readonly warmUp?: boolean;
  /**
   * For debugging: looks after every run whether it has changed anything but its arena, which takes longer than many models run, and
   * throws an ExecutionError `memory-damaged` if so. Default false.
   */
  readonly guard?: boolean;
}

/** The names of all options. */
export const LOAD_IMAGE_OPTIONS = ["warmUp", "guard"] as const satisfies readonly (keyof LoadImageOptions)[];

/**
 * Loads a compiled image, or the bytes of a `.thimble` file from wherever `readSource` reads.
 * @throws InputError the bytes are something else, or an option is unknown
 * @throws ExecutionError, MemoryError as `startSession` and `decodeImage`
 * @internal
 */
export async function loadImageWith(
  kernels: Kernels,
  source: Source | Image,
  options: LoadImageOptions,
): Promise<Model> {
  requireOptions("loading an image", options, LOAD_IMAGE_OPTIONS);
  if (isImage(source)) {
    verifyImage(source);
    return startImage(kernels, source, options);
  }
  const { bytes, name } = await readSource(source);
  requireImageFile(bytes, name);
  return startImage(kernels, decodeImage(bytes), options);
}

/**
 * Starts a verified image.
 * @internal
 */
export async function startImage(kernels: Kernels, image: Image, options: LoadImageOptions): Promise<Model> {
  if (options.warmUp === true) await warmUp(kernels, image);
  return startSession(kernels, image, options.guard);
}

/** Whether a source is an image in memory already. */
export function isImage(source: unknown): source is Image {
  return typeof source === "object" && source !== null && "sram" in source && "report" in source;
}
