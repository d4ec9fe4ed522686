import { InputError } from "../errors.ts";
import { kindOf } from "../given/bytes.ts";
import { elementCount } from "../plan/shape.ts";
import type { WrittenTensor } from "../tflite/write.ts";
import { writeModel } from "../tflite/write.ts";
import type { ConstantOperand } from "./assemble.ts";
import { assemble } from "./assemble.ts";
import type { FloatModel } from "./float-model.ts";
import type { Operand } from "./operator.ts";
import type { Parameters } from "./parameters.ts";
import {
  asymmetric,
  magnitudes,
  quantizeBias,
  quantizeInt8,
  quantizeWeights,
  scaleForBias,
  symmetricScale,
} from "./parameters.ts";
import type { CheckedModel, FloatSample, FloatStep } from "./run.ts";
import { checkFloatModel, runSteps } from "./run.ts";

/**
 * A float32 model and samples of its inputs → the bytes of an int8 `.tflite` file as TFLite's post-training quantisation makes
 * it, with int8 inputs and outputs: activations asymmetric with one scale, from the least and greatest value that the samples
 * bring about (0 always within); weights symmetric with a scale per output channel (FULLY_CONNECTED: one); biases int32 of
 * scale input · weights.
 * @throws ModelError what is wrong with the model
 * @throws InputError float-model, no-samples, float-input, not-finite
 */
export function quantize(model: FloatModel, samples: Iterable<FloatSample>): Uint8Array {
  const checked = checkFloatModel(model);
  const parameters = chooseParameters(checked, observe(checked, samples));
  const of = (name: string): Parameters => parameters.get(name) ?? { scale: 1, zeroPoint: 0 };
  return writeModel(
    assemble(checked, {
      version: ({ int8Version }) => int8Version,
      value: (name, shape) => ({ name, shape, scales: [of(name).scale], zeroPoints: [of(name).zeroPoint] }),
      constant: (name, operand, step) => quantizeConstant(name, operand, step, of),
    }),
  );
}

/** Least and greatest value. */
interface Range {
  readonly low: number;
  readonly high: number;
}

/** The range of every value over all samples. */
function observe(model: CheckedModel, samples: Iterable<FloatSample>): Map<string, Range> {
  const ranges = new Map<string, Range>();
  let count = 0;
  if (!isIterable(samples)) {
    throw new InputError(
      "no-samples",
      `samples are ${kindOf(samples)}; give a list of some hundred typical inputs, which set the scales`,
    );
  }
  for (const sample of samples) {
    for (const [name, { data }] of runSteps(model, sample)) {
      ranges.set(name, widened(ranges.get(name), data, `"${name}" in sample ${count}`));
    }
    count++;
  }
  if (count > 0) return ranges;
  throw new InputError(
    "no-samples",
    "there are no samples; give some hundred typical inputs, which set the scales",
  );
}

function isIterable(given: unknown): boolean {
  return typeof given === "object" && given !== null && Symbol.iterator in given;
}

function widened(range: Range | undefined, data: Float32Array, where: string): Range {
  let { low, high } = range ?? { low: Infinity, high: -Infinity };
  for (const value of data) {
    if (!Number.isFinite(value))
      throw new InputError(
        "not-finite",
        `${where} has the value ${value}; mend the weights or leave out the sample`,
      );
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

function chooseParameters(
  { inputs, steps }: CheckedModel,
  ranges: Map<string, Range>,
): Map<string, Parameters> {
  const parameters = new Map<string, Parameters>();
  const observed = (name: string): Parameters => {
    const { low, high } = ranges.get(name) ?? { low: 0, high: 0 };
    return asymmetric(low, high);
  };
  for (const { name } of inputs) parameters.set(name, observed(name));
  for (const { node, operator, operands } of steps) {
    const [first] = operands;
    const inherited = first?.kind === "value" ? parameters.get(first.name) : undefined;
    const fixed = typeof operator.scale === "object" ? operator.scale : undefined;
    const own = operator.scale === "operand" ? inherited : fixed;
    parameters.set(node.name, own ?? observed(node.name));
  }
  return parameters;
}

function quantizeConstant(
  name: string,
  { kind, tensor }: ConstantOperand,
  step: FloatStep,
  of: (name: string) => Parameters,
): WrittenTensor {
  const { shape, data } = tensor;
  if (kind === "constant") {
    const { low, high } = widened(undefined, data, `"${name}"`);
    const parameters = asymmetric(low, high);
    const { scale, zeroPoint } = parameters;
    return { name, shape, scales: [scale], zeroPoints: [zeroPoint], data: quantizeInt8(data, parameters) };
  }
  widened(undefined, data, `"${name}"`);
  const { scales, axis, inner, inputScale } = scaleWeights(step, of);
  if (kind === "weights") return { name, shape, scales, axis, data: quantizeWeights(data, scales, inner) };
  const products = scales.map((scale) => Math.fround(inputScale * scale));
  return { name, shape, type: "int32", scales: products, data: quantizeBias(data, products) };
}

interface WeightScales {
  readonly inputScale: number;
  /** One per index of `axis`, or one. */
  readonly scales: readonly number[];
  readonly axis: number;
  /** Values between one index of `axis` and the next. */
  readonly inner: number;
}

/** A channel's scale comes from its greatest weight, or from its bias where that would not fit int32 otherwise. */
function scaleWeights({ operands }: FloatStep, of: (name: string) => Parameters): WeightScales {
  const find = <K extends Operand["kind"]>(kind: K): Extract<Operand, { readonly kind: K }> | undefined =>
    operands.find((operand): operand is Extract<Operand, { readonly kind: K }> => operand.kind === kind);
  const [input, weights, bias] = [find("value"), find("weights"), find("bias")];
  const inputScale = of(input?.name ?? "").scale;
  const { shape, data } = weights?.tensor ?? { shape: [], data: new Float32Array(0) };
  const axis = weights?.axis;
  const channels = axis === undefined ? 1 : (shape[axis] ?? 1);
  const inner = axis === undefined ? data.length : elementCount(shape.slice(axis + 1));
  const biases = bias === undefined ? [0] : [...bias.tensor.data];
  const least = biases.map((value) => scaleForBias(value, inputScale));
  const scales = magnitudes(data, channels, inner).map((magnitude, c) =>
    symmetricScale(magnitude, axis === undefined ? Math.max(...least) : (least[c] ?? 0)),
  );
  return { inputScale, scales, axis: axis ?? 0, inner };
}
