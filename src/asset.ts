/**
 * thimble with its kernels in files, for pages that count bytes: the API of "thimble", but a variant's WebAssembly is fetched
 * when it is first needed, and compiled while it arrives. Bundlers that follow `new URL(…, import.meta.url)` copy the files;
 * Node reads them from the package. Not for audio worklets, which can fetch nothing.
 */
import type { Image } from "./emit/image.ts";
import type { LoadOptions } from "./load.ts";
import { loadWith } from "./load.ts";
import type { Variant } from "./plan/variant.ts";
import { fileKernels } from "./runtime/file-kernels.ts";
import type { LoadImageOptions } from "./runtime/load-image.ts";
import { loadImageWith } from "./runtime/load-image.ts";
import type { Model } from "./runtime/session.ts";
import type { Source } from "./runtime/source.ts";
import { fastestVariant, proveVariant } from "./runtime/variant.ts";

export * from "./exports.ts";

// Written out, since bundlers look for this very form. Here and not in runtime/, so that a bundle that keeps it as it is finds
// the files in wasm/ beside itself.
const kernels = fileKernels({
  mcu: new URL("./wasm/thimble-mcu.wasm", import.meta.url),
  simd: new URL("./wasm/thimble-simd.wasm", import.meta.url),
  relaxed: new URL("./wasm/thimble-relaxed.wasm", import.meta.url),
  signed: new URL("./wasm/thimble-signed.wasm", import.meta.url),
});

/**
 * As `load` of "thimble".
 * @throws as there, and ExecutionError "kernels-unreadable" where the kernels' file is not
 */
export function load(source: Source | Image, options: LoadOptions = {}): Promise<Model> {
  return loadWith(kernels, source, options);
}

/**
 * As `loadImage` of "thimble/runtime".
 * @throws as there, and ExecutionError "kernels-unreadable" where the kernels' file is not
 */
export function loadImage(source: Source | Image, options: LoadImageOptions = {}): Promise<Model> {
  return loadImageWith(kernels, source, options);
}

/**
 * As `provesVariant` of "thimble/runtime".
 * @throws ExecutionError "kernels-unreadable"
 */
export function provesVariant(variant: Variant): Promise<boolean> {
  return proveVariant(kernels, variant);
}

/**
 * As `bestVariant` of "thimble/runtime", and on Arm `signed`: a few models cannot be compiled for that ("weight-pairs" of `compile`), which
 * `load` then compiles for `simd`.
 * @throws ExecutionError "kernels-unreadable"
 */
export function bestVariant(): Promise<Variant> {
  return fastestVariant(kernels);
}
