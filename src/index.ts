/**
 * thimble: neural networks in a thimbleful of SRAM. `load` a `.tflite` model and `run` it; `compile` makes the image that
 * `load` also takes.
 */
import type { CompileOptions } from "./compile.ts";
import { compile } from "./compile.ts";
import type { Image } from "./emit/image.ts";
import { decodeImage, isImageFile } from "./emit/image.ts";
import { ExecutionError } from "./errors.ts";
import type { LoadImageOptions } from "./runtime/load-image.ts";
import { isImage, loadImage, startImage } from "./runtime/load-image.ts";
import type { Model } from "./runtime/session.ts";
import type { Source } from "./runtime/source.ts";
import { readSource } from "./runtime/source.ts";
import { bestVariant } from "./runtime/variant.ts";

export type { CompileOptions } from "./compile.ts";
export type { Schedule } from "./memory/search.ts";
export { compile } from "./compile.ts";
export { PASSES } from "./passes/index.ts";
export type { Pass } from "./passes/index.ts";
export type {
  Activation,
  Conv2dNode,
  DepthwiseConv2dNode,
  ElementwiseNode,
  FloatModel,
  FloatNode,
  FloatTensor,
  FullyConnectedNode,
  MeanNode,
  PadNode,
  Pool2dNode,
  ReshapeNode,
  SoftmaxNode,
} from "./quantize/float-model.ts";
export { quantize } from "./quantize/quantize.ts";
export { readFloatModel } from "./quantize/read-float.ts";
export type { FloatSample } from "./quantize/run.ts";
export { runFloat } from "./quantize/run.ts";
export { writeFloatModel } from "./quantize/write-float.ts";
export * from "./runtime/index.ts";

export interface LoadOptions extends CompileOptions, LoadImageOptions {}

/**
 * Loads a model: the bytes of a `.tflite` file, which are compiled for the fastest variant that this engine proves, or an
 * image compiled before.
 * @throws ModelError, UnsupportedError, MemoryError, InputError as `compile`
 * @throws ExecutionError the engine cannot run the variant, or the image is damaged or of another variant than asked for
 */
export async function load(source: Source | Image, options: LoadOptions = {}): Promise<Model> {
  if (isImage(source)) return loadImage(ofVariant(source, options), options);
  const { bytes, name } = await readSource(source);
  if (isImageFile(bytes)) return startImage(ofVariant(decodeImage(bytes), options), options);
  const variant = options.variant ?? (await bestVariant());
  return startImage(compile(bytes, { name, ...options, variant }), options);
}

function ofVariant(image: Image, { variant }: CompileOptions): Image {
  if (variant === undefined || variant === image.variant) return image;
  throw new ExecutionError(
    "image-variant",
    `the image is packed for ${image.variant}, ${variant} was asked for; compile the model for ${variant}`,
  );
}
