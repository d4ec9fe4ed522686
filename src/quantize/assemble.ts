import type { WrittenModel, WrittenOperator, WrittenTensor } from "../tflite/write.ts";
import type { FloatNode, FloatTensor } from "./float-model.ts";
import type { FloatOperator, Operand } from "./operator.ts";
import type { CheckedModel, FloatStep } from "./run.ts";

/** A constant operand that is a number of the model. */
export type ConstantOperand = Extract<Operand, { readonly tensor: FloatTensor }>;

/** How the tensors of a file are made. */
export interface TensorWriter {
  /** Version of the operator in the schema. */
  version(operator: FloatOperator<FloatNode>): number;
  /** A value: an input of the model or a node's result. */
  value(name: string, shape: readonly number[]): WrittenTensor;
  /** A constant operand of the step, to be called `name`. */
  constant(name: string, operand: ConstantOperand, step: FloatStep): WrittenTensor;
}

/** The tensors and operators of a file, in the model's order. */
export function assemble({ inputs, steps, outputs }: CheckedModel, writer: TensorWriter): WrittenModel {
  const tensors: WrittenTensor[] = [];
  const ids = new Map<string, number>();
  const add = (tensor: WrittenTensor): number => tensors.push(tensor) - 1;
  const idOf = (name: string): number => ids.get(name) ?? -1;
  const define = (name: string, shape: readonly number[]): void => {
    ids.set(name, add(writer.value(name, shape)));
  };
  for (const { name, shape } of inputs) define(name, shape);
  const operators = steps.map((step): WrittenOperator => {
    const { node, operator, operands, typed, shape } = step;
    const operandIds = operands.map((operand): number => {
      if (operand.kind === "value") return idOf(operand.name);
      const name = `${node.name}/${operand.kind}`;
      if (operand.kind !== "ints") return add(writer.constant(name, operand, step));
      return add({ name, shape: operand.shape, type: "int32", data: Int32Array.from(operand.values) });
    });
    define(node.name, shape);
    return {
      builtin: operator.builtin,
      version: writer.version(operator),
      inputs: operandIds,
      outputs: [idOf(node.name)],
      options: operator.options(node, typed),
    };
  });
  return { tensors, operators, inputs: inputs.map(({ name }) => idOf(name)), outputs: outputs.map(idOf) };
}
