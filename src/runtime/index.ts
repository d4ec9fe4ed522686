/** The runtime alone: loads and runs compiled images, without reader, passes or planner. */
import type { Image } from "../emit/image.ts";
import type { Variant } from "../plan/variant.ts";
import { inlineKernels } from "./inline-kernels.ts";
import type { LoadImageOptions } from "./load-image.ts";
import { loadImageWith } from "./load-image.ts";
import type { Model } from "./session.ts";
import type { Source } from "./source.ts";
import { fastestVariant, proveVariant } from "./variant.ts";

export * from "./exports.ts";

/**
 * Loads a compiled image, or the `.thimble` file that a path, URL, response, stream or bytes lead to.
 * @throws InputError the bytes are something else
 * @throws ExecutionError the image is damaged, or this engine does not run its variant
 * @throws MemoryError the engine has no memory left
 */
export function loadImage(source: Source | Image, options: LoadImageOptions = {}): Promise<Model> {
  return loadImageWith(inlineKernels, source, options);
}

/**
 * Whether this engine runs a variant of the kernels with the reference's bits; `relaxed` is so proved by trying it. Never of `signed`, whose
 * kernels come with "thimble/asset" alone.
 */
export function provesVariant(variant: Variant): Promise<boolean> {
  return proveVariant(inlineKernels, variant);
}

/** The fastest variant that this engine proves, of those inside this entry. */
export function bestVariant(): Promise<Variant> {
  return fastestVariant(inlineKernels);
}
