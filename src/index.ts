/**
 * thimble: neural networks in a thimbleful of SRAM. `load` a `.tflite` model and `run` it; `compile` makes the image that
 * `load` also takes.
 */
import type { Image } from "./emit/image.ts";
import type { LoadOptions } from "./load.ts";
import { loadWith } from "./load.ts";
import { inlineKernels } from "./runtime/inline-kernels.ts";
import type { Model } from "./runtime/session.ts";
import type { Source } from "./runtime/source.ts";

export * from "./exports.ts";
export { bestVariant, loadImage, provesVariant } from "./runtime/index.ts";

/**
 * Loads a model: the bytes of a `.tflite` file, which are compiled for the fastest variant that this engine proves, or an
 * image compiled before.
 * @throws ModelError, UnsupportedError, MemoryError, InputError as `compile`
 * @throws InputError the source cannot be read, or an image is asked for another plan than it has (`image-options`)
 * @throws ExecutionError the engine cannot run the variant, or the image is damaged or of another variant than asked for
 */
export function load(source: Source | Image, options: LoadOptions = {}): Promise<Model> {
  return loadWith(inlineKernels, source, options);
}
