/** What operators assert in `prepare`: each check names the tensor, what is wrong with it and how to mend it. */
import { ModelError, UnsupportedError } from "../errors.ts";
import type { ElementType, Tensor, TensorType } from "../graph/graph.ts";
import { MAX_RANK } from "../graph/graph.ts";
import { FusedActivation, type Multiplier, quantizeMultiplier } from "./fixed-point.ts";
import { Padding } from "./padding.ts";

/** One scale and zero point for a whole tensor. */
export interface PerTensor {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Largest kernel size, stride and dilation: keeps every row and column index within int32. */
const MAX_WINDOW = 32767;

/** By their codes in the file format. */
const ACTIVATIONS: readonly FusedActivation[] = [
  FusedActivation.none,
  FusedActivation.relu,
  FusedActivation.reluN1To1,
  FusedActivation.relu6,
];

/** How messages name a tensor: `lhs "conv1/Relu"`. */
function label(tensor: Tensor, role: string): string {
  return `${role} "${tensor.name}"`;
}

/**
 * The input at `index`, which the operator cannot do without.
 * @throws ModelError missing-input
 */
export function requireInput(inputs: readonly (Tensor | undefined)[], index: number, role: string): Tensor {
  const tensor = inputs[index];
  if (tensor === undefined) {
    throw new ModelError("missing-input", `${role} (input ${index}) is missing; export the model again`);
  }
  return tensor;
}

/**
 * The one output of an operator.
 * @throws ModelError missing-output
 */
export function requireOutput(outputs: readonly Tensor[]): Tensor {
  const [tensor] = outputs;
  if (tensor === undefined || outputs.length !== 1) {
    throw new ModelError(
      "missing-output",
      `the operator has ${outputs.length} outputs where 1 is needed; export the model again`,
    );
  }
  return tensor;
}

/**
 * Bounds on the number of inputs; what is optional may be absent.
 * @throws ModelError input-count
 */
export function requireInputCount(inputs: readonly unknown[], least: number, most: number): void {
  if (inputs.length < least || inputs.length > most) {
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    throw new ModelError(
      "input-count",
      `the operator has ${inputs.length} inputs where ${wanted} are needed; export the model again`,
    );
  }
}

/**
 * An int8 tensor with one scale and no empty dimension: what kernels take as an activation.
 * @throws UnsupportedError unsupported-type, per-channel-activation, empty-tensor
 * @throws ModelError missing-quantization, bad-scale, bad-zero-point
 */
export function requireInt8(tensor: Tensor, role: string): PerTensor {
  if (tensor.type !== "int8") {
    throw new UnsupportedError(
      "unsupported-type",
      `${label(tensor, role)} is ${tensor.type}, which this operator does not run here; quantise the model to int8 (float32 models: thimble quantize)`,
    );
  }
  requireElements(tensor, role);
  return perTensor(tensor, role);
}

/**
 * The tensor's only scale and its zero point, of any element type.
 * @throws UnsupportedError per-channel-activation
 * @throws ModelError missing-quantization, bad-scale, bad-zero-point
 */
export function perTensor(tensor: Tensor, role: string): PerTensor {
  const { quantization } = tensor;
  const scale = quantization?.scales[0];
  if (quantization === undefined || scale === undefined) {
    throw new ModelError(
      "missing-quantization",
      `${label(tensor, role)} is ${tensor.type} without a scale; export the model with full integer quantisation`,
    );
  }
  if (quantization.scales.length !== 1) {
    throw new UnsupportedError(
      "per-channel-activation",
      `${label(tensor, role)} has ${quantization.scales.length} scales where 1 is needed; quantise it per tensor`,
    );
  }
  const zeroPoint = quantization.zeroPoints[0] ?? 0;
  if (!(scale > 0 && Number.isFinite(scale))) {
    throw new ModelError(
      "bad-scale",
      `${label(tensor, role)} has scale ${scale}; it must be finite and above 0: quantise again`,
    );
  }
  const half = { int8: 128, int16: 32768 }[tensor.type as string] ?? Infinity;
  if (zeroPoint < -half || zeroPoint >= half) {
    throw new ModelError(
      "bad-zero-point",
      `${label(tensor, role)} has zero point ${zeroPoint}; ${tensor.type} takes ${-half} to ${half - 1}: quantise again`,
    );
  }
  return { scale, zeroPoint };
}

/**
 * Every dimension is at least 1.
 * @throws UnsupportedError empty-tensor
 */
export function requireElements(tensor: Tensor, role: string): void {
  if (tensor.shape.some((size) => size < 1)) {
    throw new UnsupportedError(
      "empty-tensor",
      `${label(tensor, role)} has shape [${tensor.shape.join(", ")}]; every dimension must be at least 1: export the model with fixed sizes`,
    );
  }
}

/**
 * The tensor's rank is within [least, most].
 * @throws UnsupportedError unsupported-rank
 */
export function requireRank(tensor: Tensor, role: string, least: number, most: number = least): void {
  const rank = tensor.shape.length;
  if (rank < least || rank > most) {
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    throw new UnsupportedError(
      "unsupported-rank",
      `${label(tensor, role)} has shape [${tensor.shape.join(", ")}]; rank ${wanted} is needed, reshape it before`,
    );
  }
}

/**
 * The bytes of a tensor whose values do not depend on the model's inputs.
 * @throws UnsupportedError not-constant
 */
export function requireConstant(tensor: Tensor, role: string): Uint8Array {
  if (tensor.data !== undefined) return tensor.data;
  throw new UnsupportedError(
    "not-constant",
    `${label(tensor, role)} must be constant, not computed by the model; export the model with fixed values`,
  );
}

/**
 * The tensor's element type is one of `types`.
 * @throws UnsupportedError unsupported-type
 */
export function requireType(tensor: Tensor, role: string, types: readonly ElementType[]): void {
  if (types.includes(tensor.type)) return;
  throw new UnsupportedError(
    "unsupported-type",
    `${label(tensor, role)} must be ${types.join(" or ")}, not ${tensor.type}; export the model so`,
  );
}

/**
 * The values of a constant int32 or int64 tensor: axes, paddings, permutations.
 * @throws UnsupportedError not-constant, unsupported-type
 */
export function requireInts(tensor: Tensor, role: string): number[] {
  const data = requireConstant(tensor, role);
  requireType(tensor, role, ["int32", "int64"]);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (tensor.type === "int64") {
    return Array.from({ length: data.byteLength >> 3 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  }
  return Array.from({ length: data.byteLength >> 2 }, (_, i) => view.getInt32(4 * i, true));
}

/** Numbers for a message: as many as any tensor has dimensions and paddings, then how many more. */
export function listed(values: readonly number[]): string {
  const most = 16;
  const more = values.length > most ? `, … ${values.length - most} more` : "";
  return `[${values.slice(0, most).join(", ")}${more}]`;
}

/**
 * A fused activation that kernels clamp for.
 * @throws UnsupportedError unsupported-activation
 */
export function requireActivation(value: number, output: Tensor): FusedActivation {
  const activation = ACTIVATIONS[value];
  if (activation !== undefined) return activation;
  throw new UnsupportedError(
    "unsupported-activation",
    `${label(output, "output")} has fused activation ${value}; NONE, RELU, RELU_N1_TO_1 and RELU6 are run: ` +
      "export the activation as an operator of its own",
  );
}

/** One dimension of a convolution's or pool's window, as the file states it. */
export interface WindowSizes {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
}

/**
 * Padding is SAME or VALID; kernel, stride and dilation of both dimensions are 1 to 32767; a VALID window fits the
 * NHWC input.
 * @throws ModelError bad-padding, bad-window, window-exceeds-input
 */
export function requireWindow(input: Tensor, padding: number, rows: WindowSizes, columns: WindowSizes): void {
  const at = label(input, "input");
  if (Padding[padding] === undefined) {
    throw new ModelError(
      "bad-padding",
      `the window over ${at} has padding ${padding}; SAME is 0, VALID is 1: export the model again`,
    );
  }
  const [, height = 1, width = 1] = input.shape;
  for (const [dimension, sizes, inputSize] of [
    ["height", rows, height],
    ["width", columns, width],
  ] as const) {
    for (const name of ["kernel", "stride", "dilation"] as const) {
      const value = sizes[name];
      if (!(value >= 1 && value <= MAX_WINDOW)) {
        throw new ModelError(
          "bad-window",
          `the window over ${at} has ${name} ${dimension} ${value}; it must be 1 to ${MAX_WINDOW}: export the model again`,
        );
      }
    }
    const extent = (sizes.kernel - 1) * sizes.dilation + 1;
    if (padding === (Padding.valid as number) && extent > inputSize) {
      throw new ModelError(
        "window-exceeds-input",
        `the window over ${at} has ${dimension} ${extent}, the input ${inputSize}; use SAME padding or a larger input`,
      );
    }
  }
}

/**
 * A real multiplier in fixed point.
 * @throws UnsupportedError multiplier-too-large where a left shift of the accumulator would leave int32
 */
export function requireMultiplier(value: number, output: Tensor): Multiplier {
  const result = Number.isFinite(value) ? quantizeMultiplier(value) : undefined;
  if (result === undefined || result.shift > 30) {
    throw new UnsupportedError(
      "multiplier-too-large",
      `the scales before ${label(output, "output")} give it the multiplier ${value}; it must be below 2^30: ` +
        "quantise with a representative data set",
    );
  }
  return result;
}

/** `tensor`'s type and quantisation with another shape: what most operators infer. */
export function withShape(tensor: TensorType, shape: readonly number[]): TensorType {
  const { type, quantization } = tensor;
  return quantization === undefined ? { shape, type } : { shape, type, quantization };
}

/** Whether both have the same scales and zero points, so that one's bytes mean the same as the other's. */
export function sameQuantization(a: TensorType, b: TensorType): boolean {
  const [p, q] = [a.quantization, b.quantization];
  if (p === undefined || q === undefined) return p === q;
  return (
    p.axis === q.axis && p.scales.join() === q.scales.join() && p.zeroPoints.join() === q.zeroPoints.join()
  );
}

/**
 * A dimension of `tensor`, perhaps counted from its end.
 * @throws ModelError bad-axis
 */
export function requireAxis(axis: number, { name, shape }: Tensor): number {
  const rank = shape.length;
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw new ModelError(
    "bad-axis",
    `"${name}" of rank ${rank} has no dimension ${axis}; export the model again`,
  );
}

/**
 * A tensor whose elements are moved without being looked at: of any type, none of its dimensions empty.
 * @throws UnsupportedError empty-tensor, unsupported-rank
 */
export function requireMovable(tensor: Tensor, role: string): void {
  requireElements(tensor, role);
  requireRank(tensor, role, 0, MAX_RANK);
}
