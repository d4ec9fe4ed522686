import { definitions } from "../../src/ops/index.ts";
import type { OptionField, WrittenModel, WrittenOperator, WrittenTensor } from "../model-writer.ts";
import type { Random } from "./random.ts";
import { otherInt } from "./random.ts";
import { repairShapes } from "./repair-shapes.ts";

const TYPES = ["int8", "uint8", "int16", "int32", "int64", "float32", "bool", "float16", "string", "int4"];
const ELEMENT_BYTES: Readonly<Record<string, number>> = { int16: 2, int32: 4, float32: 4, int64: 8 };
/** Of constants that are made anew. */
const MAX_BYTES = 1 << 16;

/** Changes what a model says: shapes, types, quantisation, constants, options, and which operators there are and read what. */
export function mutateModel(model: WrittenModel, other: WrittenModel, random: Random): WrittenModel {
  let result = model;
  for (let left = 1 + random.below(4); left > 0; left--) result = mutateOnce(result, other, random);
  return random.chance(0.75) ? repairShapes(result) : result;
}

function mutateOnce(model: WrittenModel, other: WrittenModel, random: Random): WrittenModel {
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2:
      return withTensor(model, random, (tensor) => reshaped(tensor, random));
    case 3:
      return withTensor(model, random, (tensor) => retyped(tensor, random));
    case 4:
    case 5:
      return withTensor(model, random, (tensor) => requantized(tensor, random));
    case 6:
    case 7:
      return withTensor(model, random, (tensor) => refilled(tensor, random));
    case 8:
      return withTensor(model, random, ({ data, isVariable, ...tensor }) =>
        isVariable === true || data !== undefined ? tensor : { ...tensor, isVariable: true },
      );
    case 9:
    case 10:
    case 11:
      return withOperator(model, random, (operator) => reoptioned(operator, random));
    case 12:
      return withOperator(model, random, (operator) => rewired(operator, model.tensors.length, random));
    case 13:
      return random.chance(0.5)
        ? withOperator(model, random, (operator) => ({
            ...operator,
            builtin: random.chance(0.9)
              ? random.pick(definitions()).tflite.builtin
              : otherInt(random, operator.builtin),
          }))
        : rearranged(model, random);
    default:
      return grown(model, other, random);
  }
}

function withTensor(
  model: WrittenModel,
  random: Random,
  change: (tensor: WrittenTensor) => WrittenTensor,
): WrittenModel {
  const at = random.below(model.tensors.length);
  return { ...model, tensors: model.tensors.map((tensor, i) => (i === at ? change(tensor) : tensor)) };
}

function withOperator(
  model: WrittenModel,
  random: Random,
  change: (operator: WrittenOperator) => WrittenOperator,
): WrittenModel {
  const at = random.below(model.operators.length);
  return {
    ...model,
    operators: model.operators.map((operator, i) => (i === at ? change(operator) : operator)),
  };
}

function reshaped(tensor: WrittenTensor, random: Random): WrittenTensor {
  const shape = [...tensor.shape];
  const at = random.below(Math.max(shape.length, 1));
  switch (random.below(8)) {
    case 0:
      shape.splice(at, 0, random.chance(0.7) ? 1 : random.below(5));
      break;
    case 1:
      shape.splice(at, 1);
      break;
    case 2:
      shape[at] = otherInt(random, shape[at] ?? 1);
      break;
    case 3:
      shape.reverse();
      break;
    default:
      shape[at] = 1 + random.below(random.chance(0.8) ? 12 : 300);
  }
  return fitted({ ...tensor, shape }, random);
}

/** A constant gets as many values as its shape has, and as many scales. */
function fitted(tensor: WrittenTensor, random: Random): WrittenTensor {
  const { shape, type = "int8", data, scales = [], axis = 0 } = tensor;
  const bytes = shape.reduce((a, b) => a * b, ELEMENT_BYTES[type] ?? 1);
  if (data === undefined || bytes === data.byteLength || !(bytes >= 0 && bytes <= MAX_BYTES)) return tensor;
  const channels = shape[axis] ?? 1;
  const old = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const longer = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) longer[i] = old[i % Math.max(old.length, 1)] ?? 0;
  const perChannel = scales.length > 1 && channels <= MAX_BYTES && random.chance(0.9);
  return {
    ...tensor,
    data: longer,
    ...(perChannel
      ? {
          scales: Array.from({ length: channels }, (_, i) => scales[i % scales.length] ?? 1),
          zeroPoints: Array.from({ length: channels }, () => 0),
        }
      : {}),
  };
}

function retyped(tensor: WrittenTensor, random: Random): WrittenTensor {
  const type = random.pick(TYPES);
  return fitted({ ...tensor, type }, random);
}

/** Mostly scales that models have. */
function scaleLike(random: Random): number {
  switch (random.below(16)) {
    case 0:
      return random.pick([0, -1, NaN, Infinity, 1e-45, 1e38, 3.4e38, -0]);
    case 1:
      return 2 ** (random.below(60) - 30);
    case 2:
      return 10 ** (random.below(80) - 40);
    default:
      return 2 ** (random.below(1400) / 100 - 12);
  }
}

function requantized(tensor: WrittenTensor, random: Random): WrittenTensor {
  const { scales = [], zeroPoints = [], shape } = tensor;
  switch (random.below(8)) {
    case 0:
      return { ...tensor, axis: otherInt(random, tensor.axis ?? 0) };
    case 1:
      return { ...tensor, scales: [], zeroPoints: [] };
    case 2: {
      const channels = Math.min(shape[tensor.axis ?? 0] ?? 1, 256);
      const several = Array.from({ length: Math.max(channels, 0) }, () => scaleLike(random));
      return { ...tensor, scales: several, zeroPoints: several.map(() => 0) };
    }
    case 3:
    case 4:
      return { ...tensor, zeroPoints: zeroPoints.map(() => random.below(256) - 128) };
    case 5:
      return {
        ...tensor,
        zeroPoints: zeroPoints.map((zeroPoint) => otherInt(random, zeroPoint)),
      };
    default:
      return { ...tensor, scales: scales.map(() => scaleLike(random)) };
  }
}

/** Other values of a constant: extremes, noise, or one of them changed where they may be axes or sizes. */
function refilled(tensor: WrittenTensor, random: Random): WrittenTensor {
  const { data } = tensor;
  if (data === undefined) return reshaped(tensor, random);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  if (bytes.length === 0) return tensor;
  if (bytes.length <= 64 && bytes.length % 4 === 0 && random.chance(0.8)) {
    const view = new DataView(bytes.buffer);
    const at = 4 * random.below(bytes.length / 4);
    view.setInt32(at, otherInt(random, view.getInt32(at, true)), true);
    return { ...tensor, data: bytes };
  }
  switch (random.below(5)) {
    case 0:
      return { ...tensor, data: bytes.fill(random.pick([0, 0x7f, 0x80, 0xff, 1])) };
    case 1:
      return { ...tensor, data: bytes.map((_, i) => (i % 4 === 3 ? 0x7f : 0xff)) };
    case 2:
      return { ...tensor, data: bytes.slice(0, random.below(bytes.length)) };
    case 3:
      bytes[random.below(bytes.length)] = random.word();
      return { ...tensor, data: bytes };
    default:
      return { ...tensor, data: random.bytes(bytes.length) };
  }
}

function reoptioned(operator: WrittenOperator, random: Random): WrittenOperator {
  const { options = [] } = operator;
  if (options.length === 0 || random.chance(0.05)) {
    const { builtin, inputs, outputs } = operator;
    if (options.length > 0) return { builtin, inputs, outputs };
    return { ...operator, options: Array.from({ length: 6 }, () => ({ int: random.below(4) })) };
  }
  const at = random.below(options.length);
  const changed = (field: OptionField): OptionField => {
    if (field === undefined) return random.chance(0.5) ? { int: random.below(5) } : { byte: random.below(5) };
    if ("ints" in field) {
      const i = random.below(field.ints.length);
      return { ints: field.ints.map((value, k) => (k === i ? otherInt(random, value) : value)) };
    }
    if ("byte" in field) return { byte: random.chance(0.8) ? random.below(7) : random.word() & 0xff };
    if ("bool" in field) return { bool: !field.bool };
    if ("float" in field) return { float: scaleLike(random) };
    return { int: random.chance(0.6) ? 1 + random.below(4) : otherInt(random, field.int) };
  };
  return { ...operator, options: options.map((field, i) => (i === at ? changed(field) : field)) };
}

function rewired(operator: WrittenOperator, tensors: number, random: Random): WrittenOperator {
  const side = random.chance(0.8) ? "inputs" : "outputs";
  const ids = [...operator[side]];
  const at = random.below(Math.max(ids.length, 1));
  switch (random.below(5)) {
    case 0:
      ids.splice(at, 1);
      break;
    case 1:
      ids.splice(at, 0, random.below(tensors));
      break;
    case 2:
      ids[at] = otherInt(random, ids[at] ?? 0);
      break;
    case 3:
      ids[at] = -1;
      break;
    default:
      ids[at] = random.below(tensors);
  }
  return { ...operator, [side]: ids };
}

/** Inputs and outputs of the model, and the order of its operators. */
function rearranged(model: WrittenModel, random: Random): WrittenModel {
  const any = random.below(model.tensors.length);
  switch (random.below(6)) {
    case 0:
      return { ...model, outputs: [...model.outputs, any] };
    case 1:
      return { ...model, outputs: model.outputs.slice(1) };
    case 2:
      return { ...model, inputs: [...model.inputs, any] };
    case 3:
      return { ...model, inputs: model.inputs.slice(1) };
    case 4:
      return { ...model, operators: [...model.operators].reverse() };
    default: {
      const at = random.below(model.operators.length);
      return { ...model, operators: model.operators.filter((_, i) => i !== at) };
    }
  }
}

/** Appends the other model: its first input becomes a tensor of this one, its outputs are outputs too. */
function grown(model: WrittenModel, other: WrittenModel, random: Random): WrittenModel {
  if (model.tensors.length + other.tensors.length > 200) return model;
  const base = model.tensors.length;
  const [replaced = -1, ...inputs] = other.inputs;
  const joint = random.pick([...model.outputs, ...model.operators.flatMap(({ outputs }) => outputs), 0]);
  const moved = (id: number): number => (id === replaced ? joint : id < 0 ? id : base + id);
  return {
    tensors: [...model.tensors, ...other.tensors],
    operators: [
      ...model.operators,
      ...other.operators.map((operator) => ({
        ...operator,
        inputs: operator.inputs.map(moved),
        outputs: operator.outputs.map(moved),
      })),
    ],
    inputs: [...model.inputs, ...inputs.map(moved)],
    outputs: [...(random.chance(0.5) ? model.outputs : []), ...other.outputs.map(moved)],
  };
}
