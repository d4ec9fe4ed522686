import { Builder } from "flatbuffers";

/** A tensor to write. Numbers of scales and zero points above 1 are per index of `axis`. */
export interface WrittenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type?: keyof typeof TENSOR_TYPES;
  readonly scales?: readonly number[];
  readonly zeroPoints?: readonly number[];
  readonly axis?: number;
  /** A constant's values. */
  readonly data?: Int8Array | Int32Array | Float32Array | Uint8Array;
  readonly isVariable?: boolean;
}

/** A field of an options table, in field order; `undefined` leaves the schema's default. */
export type OptionField =
  | { readonly byte: number }
  | { readonly int: number }
  | { readonly bool: boolean }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | undefined;

/** An operator to write: a BuiltinOperator code, tensor indices, and its options table. */
export interface WrittenOperator {
  readonly builtin: number;
  readonly custom?: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: readonly OptionField[];
}

/** A model of one subgraph. */
export interface WrittenModel {
  readonly tensors: readonly WrittenTensor[];
  readonly operators: readonly WrittenOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly version?: number;
}

const TENSOR_TYPES = {
  float32: 0,
  float16: 1,
  int32: 2,
  uint8: 3,
  int64: 4,
  string: 5,
  bool: 6,
  int16: 7,
  int8: 9,
  int4: 17,
} as const;

/** BuiltinOperator codes, and their options as `OptionField`s: what tests write by name. */
export const BUILTIN = {
  add: 0,
  averagePool2d: 1,
  concatenation: 2,
  conv2d: 3,
  depthwiseConv2d: 4,
  dequantize: 6,
  fullyConnected: 9,
  maxPool2d: 17,
  mul: 18,
  reshape: 22,
  resizeBilinear: 23,
  softmax: 25,
  svdf: 27,
  pad: 34,
  transpose: 39,
  mean: 40,
  unidirectionalSequenceLstm: 44,
  resizeNearestNeighbor: 97,
  quantize: 114,
} as const;

/** Padding codes. */
export const SAME = 0;
export const VALID = 1;

/** Options tables of the operators that have fields. */
export const options = {
  conv2d: (padding: number, stride: number, activation = 0, dilation = 1): OptionField[] => [
    { byte: padding },
    { int: stride },
    { int: stride },
    { byte: activation },
    { int: dilation },
    { int: dilation },
  ],
  depthwiseConv2d: (
    padding: number,
    stride: number,
    depthMultiplier: number,
    activation = 0,
  ): OptionField[] => [
    { byte: padding },
    { int: stride },
    { int: stride },
    { int: depthMultiplier },
    { byte: activation },
  ],
  pool2d: (padding: number, stride: number, kernel: number, activation = 0): OptionField[] => [
    { byte: padding },
    { int: stride },
    { int: stride },
    { int: kernel },
    { int: kernel },
    { byte: activation },
  ],
  fullyConnected: (activation = 0): OptionField[] => [{ byte: activation }],
  elementwise: (activation = 0): OptionField[] => [{ byte: activation }],
  mean: (keepDims: boolean): OptionField[] => [{ bool: keepDims }],
  concatenation: (axis: number): OptionField[] => [{ int: axis }, { byte: 0 }],
  resizeNearestNeighbor: (alignCorners: boolean, halfPixelCenters: boolean): OptionField[] => [
    { bool: alignCorners },
    { bool: halfPixelCenters },
  ],
  resizeBilinear: (alignCorners: boolean, halfPixelCenters: boolean): OptionField[] => [
    undefined,
    undefined,
    { bool: alignCorners },
    { bool: halfPixelCenters },
  ],
  softmax: (beta: number): OptionField[] => [{ float: beta }],
  reshape: (shape: readonly number[]): OptionField[] => [{ ints: shape }],
  svdf: (rank: number, activation = 0): OptionField[] => [{ int: rank }, { byte: activation }],
  unidirectionalSequenceLstm: (cellClip: number, timeMajor: boolean): OptionField[] => [
    { byte: 4 },
    { float: cellClip },
    { float: 0 },
    { bool: timeMajor },
  ],
};

/** The bytes of a `.tflite` file: schema version 3, buffer 0 empty, one buffer per constant. */
export function writeModel(model: WrittenModel): Uint8Array {
  const builder = new Builder(1024);
  const buffers = [writeTable(builder, [])];
  const tensors = model.tensors.map((tensor) => {
    let buffer = 0;
    if (tensor.data !== undefined) {
      const { data } = tensor;
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      buffer = buffers.length;
      builder.startVector(1, bytes.length, 16);
      for (let i = bytes.length - 1; i >= 0; i--) builder.addInt8(bytes[i] ?? 0);
      buffers.push(writeTable(builder, [offset(builder.endVector())]));
    }
    return writeTensor(builder, tensor, buffer);
  });
  const kinds = [...new Set(model.operators.map(({ builtin, custom }) => `${builtin} ${custom ?? ""}`))];
  const codes = kinds.map((kind) => {
    const [builtin = "0", custom = ""] = kind.split(" ");
    const name = custom === "" ? undefined : offset(builder.createString(custom));
    const code = Number(builtin);
    return writeTable(builder, [{ byte: Math.min(code, 127) }, name, undefined, { int: code }]);
  });
  const operators = model.operators.map((operator) => {
    const inputs = offset(intVector(builder, operator.inputs));
    const outputs = offset(intVector(builder, operator.outputs));
    const fields = operator.options?.map((field) =>
      field !== undefined && "ints" in field ? offset(intVector(builder, field.ints)) : field,
    );
    const table = fields === undefined ? undefined : offset(writeTable(builder, fields));
    const opcode = kinds.indexOf(`${operator.builtin} ${operator.custom ?? ""}`);
    // The union's type is not read: operators know their own options.
    return writeTable(builder, [{ int: opcode }, inputs, outputs, { byte: 1 }, table]);
  });
  const subgraph = writeTable(builder, [
    offset(offsetVector(builder, tensors)),
    offset(intVector(builder, model.inputs)),
    offset(intVector(builder, model.outputs)),
    offset(offsetVector(builder, operators)),
  ]);
  const root = writeTable(builder, [
    { int: model.version ?? 3 },
    offset(offsetVector(builder, codes)),
    offset(offsetVector(builder, [subgraph])),
    undefined,
    offset(offsetVector(builder, buffers)),
  ]);
  builder.finish(root, "TFL3");
  return builder.asUint8Array().slice();
}

type Field = OptionField | { readonly offset: number };

function offset(value: number): { readonly offset: number } {
  return { offset: value };
}

function writeTable(builder: Builder, fields: readonly Field[]): number {
  builder.startObject(fields.length);
  for (const [index, field] of fields.entries()) {
    if (field === undefined) continue;
    // Defaults that no value equals, so that every field is written.
    if ("offset" in field) builder.addFieldOffset(index, field.offset, 0);
    else if ("byte" in field) builder.addFieldInt8(index, field.byte, -129);
    else if ("bool" in field) builder.addFieldInt8(index, field.bool ? 1 : 0, -129);
    else if ("int" in field) builder.addFieldInt32(index, field.int, NaN);
    else if ("float" in field) builder.addFieldFloat32(index, field.float, NaN);
  }
  return builder.endObject();
}

function writeTensor(builder: Builder, tensor: WrittenTensor, buffer: number): number {
  const shape = offset(intVector(builder, tensor.shape));
  const name = offset(builder.createString(tensor.name));
  let quantization: Field;
  if (tensor.scales !== undefined) {
    const scales = tensor.scales;
    builder.startVector(4, scales.length, 4);
    for (let i = scales.length - 1; i >= 0; i--) builder.addFloat32(scales[i] ?? 0);
    const scale = offset(builder.endVector());
    const zeroPoints = tensor.zeroPoints ?? scales.map(() => 0);
    builder.startVector(8, zeroPoints.length, 8);
    for (let i = zeroPoints.length - 1; i >= 0; i--) builder.addInt64(BigInt(zeroPoints[i] ?? 0));
    const zeroPoint = offset(builder.endVector());
    const fields = [undefined, undefined, scale, zeroPoint, undefined, undefined, { int: tensor.axis ?? 0 }];
    quantization = offset(writeTable(builder, fields));
  }
  const type = { byte: TENSOR_TYPES[tensor.type ?? "int8"] };
  const isVariable = { bool: tensor.isVariable === true };
  return writeTable(builder, [shape, type, { int: buffer }, name, quantization, isVariable]);
}

function intVector(builder: Builder, values: readonly number[]): number {
  builder.startVector(4, values.length, 4);
  for (let i = values.length - 1; i >= 0; i--) builder.addInt32(values[i] ?? 0);
  return builder.endVector();
}

function offsetVector(builder: Builder, offsets: readonly number[]): number {
  builder.startVector(4, offsets.length, 4);
  for (let i = offsets.length - 1; i >= 0; i--) builder.addOffset(offsets[i] ?? 0);
  return builder.endVector();
}
