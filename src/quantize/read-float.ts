import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import type { FileOperator } from "../tflite/read.ts";
import { readModel } from "../tflite/read.ts";
import type { FloatModel, FloatNode } from "./float-model.ts";
import { floatOperatorOfBuiltin } from "./operators.ts";
import { checkFloatModel } from "./run.ts";

/**
 * The bytes of a float32 `.tflite` file → a model to quantise. Values have the file's names,
 * with "#id" after those that it uses twice.
 * @throws ModelError the file is damaged, contradicts itself, or is quantised already
 * @throws UnsupportedError operators that cannot be quantised; all of them at once
 */
export function readFloatModel(bytes: Uint8Array): FloatModel {
  const file = readModel(bytes);
  const missing = file.operators.filter(({ builtin }) => floatOperatorOfBuiltin(builtin) === undefined);
  if (missing.length > 0) {
    const names = [...new Set(missing.map(({ name }) => name))];
    throw new UnsupportedError(
      "unsupported-operators",
      `the model uses operators that thimble does not quantise yet: ${names.join(", ")}; ` +
        "replace them in the model before conversion, or let TensorFlow's converter quantise it",
    );
  }
  const tensors = withUniqueNames(file.tensors);
  const model: FloatModel = {
    inputs: file.inputs.map((id) => requireFloat(tensors[id])).map(({ name, shape }) => ({ name, shape })),
    nodes: file.operators.map((operator) => readNode(operator, tensors)),
    outputs: file.outputs.map((id) => requireFloat(tensors[id]).name),
  };
  checkFloatModel(model);
  return model;
}

function withUniqueNames(tensors: readonly Tensor[]): Tensor[] {
  const counts = new Map<string, number>();
  for (const { name } of tensors) counts.set(name, (counts.get(name) ?? 0) + 1);
  return tensors.map((tensor) =>
    counts.get(tensor.name) === 1 ? tensor : { ...tensor, name: `${tensor.name}#${tensor.id}` },
  );
}

function readNode(operator: FileOperator, tensors: readonly Tensor[]): FloatNode {
  const [output = -1] = operator.outputs;
  const node = {
    name: requireFloat(tensors[output]).name,
    operands: operator.inputs.map((id) => tensors[id]),
    options: operator.options,
  };
  // Whether the operator exists was asked before.
  return floatOperatorOfBuiltin(operator.builtin)?.read(node) as FloatNode;
}

/** @throws ModelError not-float */
function requireFloat(tensor: Tensor | undefined): Tensor {
  if (tensor?.type === "float32") return tensor;
  throw new ModelError(
    "not-float",
    `tensor "${tensor?.name ?? ""}" is ${tensor?.type ?? "missing"}, float32 is needed; convert the model without quantisation`,
  );
}
