import type { CompileOptions } from "./compile.ts";
import { compile } from "./compile.ts";
import type { Image } from "./emit/image.ts";
import { decodeImage, isImageFile } from "./emit/image.ts";
import { ExecutionError, UnsupportedError } from "./errors.ts";
import { WEIGHT_PAIRS } from "./ops/weight-pairs.ts";
import type { Variant } from "./plan/variant.ts";
import type { Kernels } from "./runtime/kernels.ts";
import type { LoadImageOptions } from "./runtime/load-image.ts";
import { isImage, loadImageWith, startImage } from "./runtime/load-image.ts";
import type { Model } from "./runtime/session.ts";
import type { Source } from "./runtime/source.ts";
import { readSource } from "./runtime/source.ts";
import { fastestVariant } from "./runtime/variant.ts";

/** Of a model that is compiled on loading, all; of an image, `warmUp`, and `variant` as what it must be. */
export interface LoadOptions extends CompileOptions, LoadImageOptions {}

/** `load` of the package's entries, which differ by where they have the kernels. */
export async function loadWith(
  kernels: Kernels,
  source: Source | Image,
  options: LoadOptions,
): Promise<Model> {
  if (isImage(source)) return loadImageWith(kernels, ofVariant(source, options), options);
  const { bytes, name } = await readSource(source);
  if (isImageFile(bytes)) return startImage(kernels, ofVariant(decodeImage(bytes), options), options);
  const image = compileForEngine(
    bytes,
    { name, ...options },
    options.variant ?? (await fastestVariant(kernels)),
  );
  return startImage(kernels, image, options);
}

/**
 * Compiles for the variant asked for, or else for the engine's fastest; the few models that `signed` cannot run, for what every engine with
 * it has too.
 * @throws as `compile`
 */
export function compileForEngine(bytes: Uint8Array, options: CompileOptions, fastest: Variant): Image {
  const { variant = fastest } = options;
  try {
    return compile(bytes, { ...options, variant });
  } catch (error) {
    const isPair = error instanceof UnsupportedError && error.code === WEIGHT_PAIRS;
    if (!isPair || options.variant !== undefined) throw error;
    return compile(bytes, { ...options, variant: "simd" });
  }
}

function ofVariant(image: Image, { variant }: CompileOptions): Image {
  if (variant === undefined || variant === image.variant) return image;
  throw new ExecutionError(
    "image-variant",
    `the image is packed for ${image.variant}, ${variant} was asked for; leave \`variant\` away, or compile the model with ` +
      `\`variant: "${variant}"\``,
  );
}
