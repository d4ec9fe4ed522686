import { ModelError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import type { Table } from "../tflite/flatbuffer.ts";
import type { OptionField } from "../tflite/write.ts";
import type { Activation, FloatNode, FloatTensor } from "./float-model.ts";

/** An operand of a node, in the order of the file format, with how it is quantised. */
export type Operand =
  | { readonly kind: "value"; readonly name: string }
  /** Symmetric int8, with a scale per index of `axis`, or one for all. */
  | { readonly kind: "weights"; readonly tensor: FloatTensor; readonly axis?: number }
  /** int32 of scale input · weights. */
  | { readonly kind: "bias"; readonly tensor: FloatTensor }
  /** Asymmetric int8 by its own least and greatest value. */
  | { readonly kind: "constant"; readonly tensor: FloatTensor }
  /** int32 that is no number of the model: axes, shapes. */
  | { readonly kind: "ints"; readonly values: readonly number[]; readonly shape: readonly number[] };

/** An operator of a float32 file: its operands, their names unique, and its options. */
export interface FileNode {
  readonly name: string;
  readonly operands: readonly (Tensor | undefined)[];
  readonly options: Table | undefined;
}

/** What quantising needs to know of an operator. `operands` are those that are numbers: neither ints nor left out. */
export interface FloatOperator<N extends FloatNode> {
  readonly builtin: number;
  /** Version of the operator in the schema that takes int8. */
  readonly int8Version: number;
  operands(node: N): Operand[];
  options(node: N, operands: readonly FloatTensor[]): OptionField[];
  /** @throws ModelError float-shape, and what does not fit */
  infer(node: N, operands: readonly FloatTensor[]): number[];
  /** The reference: float32 operands, sums in double, each result rounded to float32. Fills `output`. */
  run(node: N, operands: readonly FloatTensor[], output: FloatTensor): void;
  /** The output's scale: from what was observed (default), its first operand's, or fixed. */
  readonly scale?: "operand" | { readonly scale: number; readonly zeroPoint: number };
  /** @throws ModelError what cannot be quantised */
  read(node: FileNode): N;
}

export const ACTIVATIONS: readonly Activation[] = ["none", "relu", "reluN1To1", "relu6"];

/** The activation as a field of options. */
export function activationField(activation: Activation = "none"): OptionField {
  return { byte: ACTIVATIONS.indexOf(activation) };
}

/** @throws ModelError an activation that is not run */
export function readActivation(node: FileNode, field: number): Activation {
  const code = node.options?.byte(field, 0) ?? 0;
  const activation = ACTIVATIONS[code];
  if (activation !== undefined) return activation;
  throw new ModelError(
    "unsupported-activation",
    `"${node.name}" has fused activation ${code}; NONE, RELU, RELU_N1_TO_1 and RELU6 can be quantised: export the activation as an operator of its own`,
  );
}

/** @throws ModelError unsupported-activation: callers without types give any name */
export function requireActivation(node: FloatNode): void {
  const activation: unknown = "activation" in node ? node.activation : undefined;
  if (activation === undefined || ACTIVATIONS.some((known) => known === activation)) return;
  throw new ModelError(
    "unsupported-activation",
    `node "${node.name}" (${node.op}) has activation ${JSON.stringify(activation)}; choose one of ${ACTIVATIONS.join(", ")}`,
  );
}

/** Least and greatest value that an activation lets through. */
export function clampOf(activation: Activation = "none"): readonly [low: number, high: number] {
  return {
    none: [-Infinity, Infinity] as const,
    relu: [0, Infinity] as const,
    reluN1To1: [-1, 1] as const,
    relu6: [0, 6] as const,
  }[activation];
}

/** @throws ModelError float-shape */
export function requireShape(condition: boolean, node: FloatNode, complaint: string): void {
  if (condition) return;
  throw new ModelError("float-shape", `node "${node.name}" (${node.op}): ${complaint}`);
}

/** The operand's values: a float32 constant of the file. @throws ModelError float-constant */
export function readConstant(node: FileNode, index: number, role: string): FloatTensor {
  const tensor = node.operands[index];
  if (tensor?.type !== "float32" || tensor.data === undefined) {
    throw new ModelError(
      "float-constant",
      `"${node.name}": its ${role} must be a float32 constant; convert the model without quantisation`,
    );
  }
  // A copy: the file's bytes lie anywhere.
  return { shape: tensor.shape, data: new Float32Array(Uint8Array.from(tensor.data).buffer) };
}

/** The name of the value that an operand is. @throws ModelError float-constant */
export function readValue(node: FileNode, index: number): string {
  const tensor = node.operands[index];
  if (tensor !== undefined && tensor.data === undefined) return tensor.name;
  throw new ModelError(
    "float-constant",
    `"${node.name}": operand ${index} is a constant or left out; convert the model with constant folding`,
  );
}

/** A bias, if there is one. */
export function readBias(node: FileNode): { bias?: Float32Array } {
  return node.operands[2] === undefined ? {} : { bias: readConstant(node, 2, "bias").data };
}

/** The bias as an operand. */
export function biasOperand(bias: Float32Array | undefined): Operand[] {
  return bias === undefined ? [] : [{ kind: "bias", tensor: { shape: [bias.length], data: bias } }];
}

/** Sizes of an NHWC tensor. @throws ModelError float-shape */
export function nhwc(node: FloatNode, { shape }: FloatTensor): [number, number, number, number] {
  const [batches = 0, height = 0, width = 0, channels = 0] = shape;
  requireShape(
    shape.length === 4,
    node,
    `its input of shape [${shape.join(", ")}] must have four dimensions`,
  );
  return [batches, height, width, channels];
}
