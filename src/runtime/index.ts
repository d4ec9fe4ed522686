/** The runtime alone: loads and runs compiled images, without reader, passes or planner. */
export type { Image, MapEntry, Port, Report, StepReport, TracedTensor } from "../emit/image.ts";
export { decodeImage, encodeImage, verifyImage } from "../emit/image.ts";
export {
  ExecutionError,
  InputError,
  MemoryError,
  ModelError,
  ThimbleError,
  UnsupportedError,
} from "../errors.ts";
export type { Variant } from "../plan/variant.ts";
export { VARIANTS } from "../plan/variant.ts";
export type { LoadImageOptions } from "./load-image.ts";
export { loadImage } from "./load-image.ts";
export type { InputValues, ModelPort, RowSource } from "./port.ts";
export type { TensorArray } from "./arrays.ts";
export type { QuantizedArray } from "./quantize.ts";
export type { Model, TraceEntry } from "./session.ts";
export type { Source } from "./source.ts";
export { bestVariant, provesVariant } from "./variant.ts";
