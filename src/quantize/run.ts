import { InputError, ModelError } from "../errors.ts";
import { bytesOf, kindOf } from "../given/bytes.ts";
import { elementCount } from "../plan/shape.ts";
import type { FloatModel, FloatNode, FloatTensor } from "./float-model.ts";
import type { FloatOperator, Operand } from "./operator.ts";
import { requireActivation, requireShape } from "./operator.ts";
import { FLOAT_OPERATORS, floatOperatorOf } from "./operators.ts";

/** One sample: the values of the only input, or of every input in the model's order. */
export type FloatSample = Float32Array | readonly Float32Array[];

/** A node with its operator and operands. */
export interface FloatStep {
  readonly node: FloatNode;
  readonly operator: FloatOperator<FloatNode>;
  readonly operands: readonly Operand[];
  /** The operands that are numbers of the model; values have a shape and no data. */
  readonly typed: readonly FloatTensor[];
  readonly shape: readonly number[];
}

/** A model whose names and shapes were checked. */
export interface CheckedModel {
  readonly inputs: FloatModel["inputs"];
  readonly steps: readonly FloatStep[];
  readonly outputs: readonly string[];
}

/**
 * Checks that names are unique and known, and infers all shapes.
 * @throws InputError float-model: no model at all
 * @throws ModelError float-operator, unsupported-activation, float-name, float-shape
 */
export function checkFloatModel(model: FloatModel): CheckedModel {
  requireModel(model);
  const { inputs, nodes, outputs } = model;
  const shapes = new Map<string, readonly number[]>();
  const define = (name: string, shape: readonly number[]): void => {
    if (shapes.has(name)) throw new ModelError("float-name", `two values are called "${name}"; rename one`);
    if (shape.length === 0 || !shape.every((size) => Number.isInteger(size) && size >= 1)) {
      throw new ModelError(
        "float-shape",
        `"${name}" has shape [${shape.join(", ")}]; sizes are whole numbers from 1: give fixed ones`,
      );
    }
    shapes.set(name, shape);
  };
  const shapeOf = (name: string, reader: string): readonly number[] => {
    const shape = shapes.get(name);
    if (shape !== undefined) return shape;
    throw new ModelError(
      "float-name",
      `${reader} reads "${name}", which no input or earlier node is called; put the node that makes it first`,
    );
  };
  for (const { name, shape } of inputs) define(name, shape);
  const steps = nodes.map((node): FloatStep => {
    const operator = floatOperatorOf(node);
    if (operator === undefined)
      throw new ModelError(
        "float-operator",
        `node "${node.name}" is a "${node.op}", which cannot be quantised; choose one of ${FLOAT_OPERATORS.join(", ")}`,
      );
    requireActivation(node);
    const operands = operator.operands(node);
    for (const operand of operands) {
      if (operand.kind === "value" || operand.kind === "ints") continue;
      const { shape, data } = operand.tensor;
      requireShape(
        elementCount(shape) === data.length,
        node,
        `its ${operand.kind} has shape [${shape.join(", ")}] and ${data.length} values`,
      );
    }
    const typed = numbersOf(operands, (name) => ({
      shape: shapeOf(name, `node "${node.name}"`),
      data: NO_DATA,
    }));
    const shape = operator.infer(node, typed);
    define(node.name, shape);
    return { node, operator, operands, typed, shape };
  });
  for (const name of outputs) shapeOf(name, "the list of outputs");
  return { inputs, steps, outputs };
}

/** Callers without types hand over anything, most often the file that a model is read from. */
function requireModel(given: unknown): void {
  const lists: readonly unknown[] =
    typeof given === "object" && given !== null
      ? ["inputs", "nodes", "outputs"].map((name) => (given as Readonly<Record<string, unknown>>)[name])
      : [];
  if (lists.length > 0 && lists.every((list) => Array.isArray(list))) return;
  const mend =
    bytesOf(given) === undefined
      ? "make one with `readFloatModel(bytes)` of a .tflite file, or write one as plain objects"
      : "of the bytes of a float32 .tflite file pass `readFloatModel(bytes)`";
  throw new InputError(
    "float-model",
    `a float32 model has the lists inputs, nodes and outputs; ${kindOf(given)} was given: ${mend}`,
  );
}

const NO_DATA = new Float32Array(0);

function numbersOf(operands: readonly Operand[], valueOf: (name: string) => FloatTensor): FloatTensor[] {
  return operands.flatMap((operand) => {
    if (operand.kind === "ints") return [];
    return [operand.kind === "value" ? valueOf(operand.name) : operand.tensor];
  });
}

/**
 * Runs the model in float32, sums in double: the reference that quantisation is measured against. Returns the outputs in the
 * model's order.
 * @throws ModelError what is wrong with the model
 * @throws InputError float-input
 */
export function runFloat(model: FloatModel, sample: FloatSample): Float32Array[] {
  const checked = checkFloatModel(model);
  const values = runSteps(checked, sample);
  return checked.outputs.map((name) => values.get(name)?.data ?? NO_DATA);
}

/** Every value of the model for one sample, by name. @throws InputError float-input */
export function runSteps({ inputs, steps }: CheckedModel, sample: FloatSample): Map<string, FloatTensor> {
  const given: unknown = ArrayBuffer.isView(sample) ? [sample] : sample;
  if (!isSample(given)) {
    throw new InputError(
      "float-input",
      `a sample is ${kindOf(sample)}; samples are a list, each of them a Float32Array, or a list of one for every input`,
    );
  }
  if (given.length !== inputs.length) {
    throw new InputError(
      "float-input",
      `a sample has ${given.length} inputs, the model takes ${inputs.length}; give a Float32Array for each`,
    );
  }
  const values = new Map<string, FloatTensor>();
  for (const [i, { name, shape }] of inputs.entries()) {
    const data = given[i] ?? NO_DATA;
    if (data.length !== elementCount(shape)) {
      throw new InputError(
        "float-input",
        `a sample has ${data.length} values for input "${name}" of shape [${shape.join(", ")}]; give ${elementCount(shape)}`,
      );
    }
    values.set(name, { shape, data });
  }
  for (const { node, operator, operands, shape } of steps) {
    const output = { shape, data: new Float32Array(elementCount(shape)) };
    operator.run(
      node,
      numbersOf(operands, (name) => values.get(name) ?? output),
      output,
    );
    values.set(node.name, output);
  }
  return values;
}

function isSample(given: unknown): given is readonly Float32Array[] {
  return Array.isArray(given) && given.every((values) => ArrayBuffer.isView(values));
}
