import type { CompileOptions } from "./compile.ts";
import { compile, COMPILE_OPTIONS } from "./compile.ts";
import type { Image } from "./emit/image.ts";
import { decodeImage, isImageFile } from "./emit/image-file.ts";
import { ExecutionError, InputError, UnsupportedError } from "./errors.ts";
import { requireOptions } from "./given/options.ts";
import { WEIGHT_PAIRS } from "./ops/weight-pairs.ts";
import type { Variant } from "./plan/variant.ts";
import type { Kernels } from "./runtime/kernels.ts";
import type { LoadImageOptions } from "./runtime/load-image.ts";
import { isImage, LOAD_IMAGE_OPTIONS, loadImageWith, startImage } from "./runtime/load-image.ts";
import type { Model } from "./runtime/session.ts";
import type { Source } from "./runtime/source.ts";
import { readSource } from "./runtime/source.ts";
import { fastestVariant } from "./runtime/variant.ts";

/**
 * Of a model that is compiled on loading, all. An image is planned already: `warmUp`, `guard`, and `variant` as what it must be; `name` is
 * left aside, and what asks for another plan is refused.
 */
export interface LoadOptions extends CompileOptions, LoadImageOptions {}

/**
 * `load` of the package's entries, which differ by where they have the kernels.
 * @internal
 */
export async function loadWith(
  kernels: Kernels,
  source: Source | Image,
  options: LoadOptions,
): Promise<Model> {
  requireOptions("load", options, [...COMPILE_OPTIONS, ...LOAD_IMAGE_OPTIONS]);
  const { warmUp = false, guard = false, ...planning } = options;
  const how = { warmUp, guard };
  if (isImage(source)) return loadImageWith(kernels, asAsked(source, planning), how);
  const { bytes, name } = await readSource(source);
  if (isImageFile(bytes)) return startImage(kernels, asAsked(decodeImage(bytes), planning), how);
  const image = compileForEngine(
    bytes,
    { name, ...planning },
    planning.variant ?? (await fastestVariant(kernels)),
  );
  return startImage(kernels, image, how);
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

/** What an image keeps as it was compiled. */
const PLANNED = COMPILE_OPTIONS.filter((name) => name !== "variant" && name !== "name");

function asAsked(image: Image, options: CompileOptions): Image {
  const asked = PLANNED.filter((name) => options[name] !== undefined);
  if (asked.length > 0) {
    throw new InputError(
      "image-options",
      `a compiled image keeps what it was compiled with: give ${asked.join(", ")} to \`compile\` of the .tflite model, or leave it away`,
    );
  }
  const { variant } = options;
  if (variant === undefined || variant === image.variant) return image;
  throw new ExecutionError(
    "image-variant",
    `the image is packed for ${image.variant}, ${variant} was asked for; leave \`variant\` away, or compile the model with ` +
      `\`variant: "${variant}"\``,
  );
}
