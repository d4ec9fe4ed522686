/** What the runtime gives, but for what needs kernels: types, image files and errors. */
export type {
  Image,
  MapEntry,
  OperatorReport,
  Port,
  Report,
  State,
  StepReport,
  TracedTensor,
} from "../emit/image.ts";
export { decodeImage, encodeImage } from "../emit/image-file.ts";
export { verifyImage } from "../emit/image.ts";
export {
  ExecutionError,
  InputError,
  MemoryError,
  ModelError,
  ThimbleError,
  UnsupportedError,
} from "../errors.ts";
export type { PortType } from "../plan/port-type.ts";
export type { Variant } from "../plan/variant.ts";
export { VARIANTS } from "../plan/variant.ts";
export type { LoadImageOptions } from "./load-image.ts";
export type { InputValues, ModelPort, RowSource } from "./port.ts";
export type { TensorArray } from "../plan/arrays.ts";
export type { Model, TraceEntry } from "./session.ts";
export type { Source } from "./source.ts";
