import { ModelError, UnsupportedError } from "../errors.ts";
import type { ElementType, Quantization, Tensor } from "../graph/graph.ts";
import { elementBytes, MAX_RANK } from "../graph/graph.ts";
import { latin1 } from "../plan/latin1.ts";
import { elementCount } from "../plan/shape.ts";
import type { Table } from "./flatbuffer.ts";
import { FlatBuffer, readableText } from "./flatbuffer.ts";
import {
  BufferField,
  builtinName,
  CUSTOM,
  ModelField,
  OperatorCodeField,
  OperatorField,
  QuantizationField,
  SubGraphField,
  TENSOR_TYPES,
  TensorField,
} from "./schema.ts";

/** An operator as the file has it, indices checked. */
export interface FileOperator {
  /** Index in the file. */
  readonly index: number;
  /** BuiltinOperator code. */
  readonly builtin: number;
  /** Name to show: the builtin's, or a custom operator's own. */
  readonly name: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** The builtin options table; undefined where the file leaves it out. */
  readonly options: Table | undefined;
}

/** The main subgraph of a model file. */
export interface FileModel {
  readonly tensors: readonly Tensor[];
  readonly operators: readonly FileOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

const SUPPORTED_TYPES: readonly ElementType[] = [
  "int8",
  "uint8",
  "int16",
  "int32",
  "int64",
  "float32",
  "bool",
];
/** Elements of one tensor: addresses are 32-bit. */
const MAX_ELEMENTS = 2 ** 31;

/**
 * Reads the main subgraph of a `.tflite` file and checks all that can be checked without knowing operators.
 * @throws ModelError, UnsupportedError with what is wrong, where, and how to mend it
 */
export function readModel(bytes: Uint8Array): FileModel {
  checkContainer(bytes);
  // A copy, of which constants are views: what the caller does to the file afterwards has no effect, and tensors that share
  // a buffer share its memory.
  const model = new FlatBuffer(new Uint8Array(bytes)).root();
  const version = model.uint(ModelField.version, 0);
  if (version !== 3) {
    throw new ModelError(
      "model-version",
      `the file is of schema version ${version}, only 3 exists; export it again`,
    );
  }
  const buffers = model.tables(ModelField.buffers, "buffers");
  if (buffers.length === 0) throw new ModelError("no-buffers", "the model has no buffers; export it again");
  const codes = model.tables(ModelField.operatorCodes, "operator_codes").map(operatorCode);
  const [main, ...others] = model.tables(ModelField.subgraphs, "subgraphs");
  if (main === undefined) throw new ModelError("no-subgraphs", "the model has no subgraph; export it again");
  if (others.length > 0) {
    throw new UnsupportedError(
      "several-subgraphs",
      `the model has ${others.length + 1} subgraphs (control flow or several signatures); export one plain graph`,
    );
  }
  const tensors = main
    .tables(SubGraphField.tensors, "tensors")
    .map((table, index) => readTensor(table, index, buffers));
  const operators = main
    .tables(SubGraphField.operators, "operators")
    .map((table, index) => readOperator(table, index, codes, tensors.length));
  if (operators.length === 0)
    throw new ModelError("no-operators", "the model computes nothing; export it again");
  const inputs = indices(main, SubGraphField.inputs, "inputs", tensors.length, false);
  const outputs = indices(main, SubGraphField.outputs, "outputs", tensors.length, false);
  if (outputs.length === 0) throw new ModelError("no-outputs", "the model has no outputs; export it again");
  return { tensors, operators, inputs, outputs };
}

function checkContainer(bytes: Uint8Array): void {
  if (bytes.length < 8) {
    throw new ModelError(
      "not-tflite",
      `a file of ${bytes.length} ${bytes.length === 1 ? "byte" : "bytes"} is no model; download or export it again`,
    );
  }
  const identifier = readableText(bytes.subarray(4, 8));
  if (identifier === "TFL3") return;
  // trimStart removes a byte order mark in UTF-16 only; in UTF-8 it is these three characters.
  const start = latin1(bytes.subarray(0, 64)).replace("\xef\xbb\xbf", "").trimStart().toLowerCase();
  if (start.startsWith("<!doctype") || start.startsWith("<html") || start.startsWith("<?xml")) {
    throw new ModelError(
      "html-file",
      "this is an HTML page, not a model: a web server answered with a page; download the raw file",
    );
  }
  if (start.startsWith("version https://git-lfs")) {
    throw new ModelError(
      "lfs-pointer",
      "this is a pointer of Git LFS, not the model: fetch the file itself with `git lfs pull`, or download it raw",
    );
  }
  if (start.startsWith("thim")) {
    throw new ModelError(
      "compiled-image",
      "this is a .thimble image, which is compiled already: give it to `load`, `loadImage` or `thimble run` as it is, or compile its .tflite model",
    );
  }
  if (start.startsWith("\0asm")) {
    throw new ModelError(
      "wasm-file",
      "this is a module of WebAssembly, not a model: what `thimble compile --bundle` has written runs by itself; give the .tflite model",
    );
  }
  throw new ModelError(
    "not-tflite",
    `the file's identifier is "${identifier}", a .tflite file's is "TFL3"; convert the model to TFLite first`,
  );
}

interface OperatorCode {
  readonly builtin: number;
  readonly name: string;
}

function operatorCode(table: Table): OperatorCode {
  // Codes above 127 are only in the wider field; old files have only the narrow one.
  const builtin = Math.max(
    table.byte(OperatorCodeField.deprecatedBuiltinCode, 0),
    table.int(OperatorCodeField.builtinCode, 0),
  );
  if (builtin !== CUSTOM) return { builtin, name: builtinName(builtin) };
  const custom = table.text(OperatorCodeField.customCode, "custom_code");
  return { builtin, name: `CUSTOM:${custom === "" ? "(unnamed)" : custom}` };
}

function readOperator(
  table: Table,
  index: number,
  codes: readonly OperatorCode[],
  tensorCount: number,
): FileOperator {
  const opcode = table.uint(OperatorField.opcodeIndex, 0);
  const code = codes[opcode];
  if (code === undefined) {
    throw new ModelError(
      "operator-code",
      `${table.path} has operator code ${opcode}, the model lists ${codes.length}; export it again`,
    );
  }
  return {
    index,
    ...code,
    inputs: indices(table, OperatorField.inputs, "inputs", tensorCount, true),
    outputs: indices(table, OperatorField.outputs, "outputs", tensorCount, false),
    options: table.table(OperatorField.builtinOptions, "builtin_options"),
  };
}

function indices(table: Table, field: number, name: string, count: number, optional: boolean): number[] {
  const values = table.ints(field, name);
  for (const value of values) {
    if (value >= (optional ? -1 : 0) && value < count) continue;
    throw new ModelError(
      "tensor-index",
      `${table.path}.${name} names tensor ${value}, the subgraph has ${count}; export the model again`,
    );
  }
  return values;
}

function readTensor(table: Table, id: number, buffers: readonly Table[]): Tensor {
  const name = table.text(TensorField.name, "name") || `tensor_${id}`;
  const at = `tensor ${id} "${name}"`;
  const typeCode = table.byte(TensorField.type, 0);
  const type = SUPPORTED_TYPES.find((supported) => supported === TENSOR_TYPES[typeCode]);
  if (type === undefined) {
    throw new UnsupportedError(
      "tensor-type",
      `${at} is ${TENSOR_TYPES[typeCode] ?? `of type ${typeCode}`}; quantise the model to int8`,
    );
  }
  if (table.has(TensorField.sparsity)) {
    throw new UnsupportedError("sparse-tensor", `${at} is sparse; export the model with dense weights`);
  }
  const shape = readShape(table, at);
  const quantization = readQuantization(table, at, type, shape);
  const data = readData(table, at, type, shape, buffers);
  const isVariable = table.bool(TensorField.isVariable, false);
  return {
    id,
    name,
    shape,
    type,
    ...(quantization === undefined ? {} : { quantization }),
    // What a file may give a variable to start with has no effect in the reference either.
    ...(isVariable ? { isVariable } : data === undefined ? {} : { data }),
  };
}

function readShape(table: Table, at: string): number[] {
  const shape = table.ints(TensorField.shape, "shape");
  if (shape.length > MAX_RANK) {
    throw new UnsupportedError(
      "tensor-rank",
      `${at} has rank ${shape.length}; ${MAX_RANK} is the most: use fewer dimensions`,
    );
  }
  const text = `[${shape.join(", ")}]`;
  if (shape.some((size) => size < 0)) {
    throw new ModelError("tensor-shape", `${at} has shape ${text}; export the model with fixed sizes`);
  }
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (elements >= MAX_ELEMENTS) {
      throw new ModelError(
        "tensor-size",
        `${at} of shape ${text} has over 2^31 elements; export a smaller model`,
      );
    }
  }
  return shape;
}

function readQuantization(
  tensor: Table,
  at: string,
  type: ElementType,
  shape: readonly number[],
): Quantization | undefined {
  const table = tensor.table(TensorField.quantization, "quantization");
  const scales = table?.floats(QuantizationField.scale, "scale") ?? new Float32Array(0);
  if (table === undefined || scales.length === 0) return undefined;
  if (table.byte(QuantizationField.detailsType, 0) !== 0) {
    throw new UnsupportedError(
      "custom-quantization",
      `${at} is quantised in a custom way; quantise it affinely`,
    );
  }
  const longs = table.longs(QuantizationField.zeroPoint, "zero_point");
  // A vector has one dimension, whatever the file says: some exporters write their weights' on biases.
  const axis = shape.length === 1 ? 0 : table.int(QuantizationField.quantizedDimension, 0);
  for (const scale of scales) {
    if (scale > 0 && Number.isFinite(scale)) continue;
    throw new ModelError(
      "bad-scale",
      `${at} has scale ${scale}; it must be finite and above 0: quantise again`,
    );
  }
  // With one scale the dimension has no meaning.
  if (scales.length > 1 && scales.length !== shape[axis]) {
    throw new ModelError(
      "scale-count",
      `${at} of shape [${shape.join(", ")}] has ${scales.length} scales along dimension ${axis}; quantise again`,
    );
  }
  if (longs.length > 0 && longs.length !== 1 && longs.length !== scales.length) {
    throw new ModelError(
      "zero-point-count",
      `${at} has ${longs.length} zero points for ${scales.length} scales; quantise again`,
    );
  }
  const [low, high] = ZERO_POINT_RANGE[type] ?? [-(2 ** 31), 2 ** 31 - 1];
  for (const zeroPoint of longs) {
    if (zeroPoint >= low && zeroPoint <= high) continue;
    throw new ModelError(
      "bad-zero-point",
      `${at} has zero point ${zeroPoint}; ${type} takes ${low} to ${high}: quantise again`,
    );
  }
  const zeroPoints = Int32Array.from(scales, (_, i) => longs[longs.length === 1 ? 0 : i] ?? 0);
  return { scales, zeroPoints, axis };
}

const ZERO_POINT_RANGE: Partial<Record<ElementType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
};

function readData(
  table: Table,
  at: string,
  type: ElementType,
  shape: readonly number[],
  buffers: readonly Table[],
): Uint8Array | undefined {
  const index = table.uint(TensorField.buffer, 0);
  const buffer = buffers[index];
  if (buffer === undefined) {
    throw new ModelError(
      "buffer-index",
      `${at} names buffer ${index}, the model has ${buffers.length}; export it again`,
    );
  }
  const data = buffer.bytes(BufferField.data, "data");
  // 1 in either field marks data kept outside the flatbuffer, as files over 2 GB do.
  if (buffer.has(BufferField.offset) || buffer.has(BufferField.size)) {
    throw new UnsupportedError(
      "external-data",
      `${at} lies outside the flatbuffer (a file over 2 GB); export a smaller model`,
    );
  }
  if (index === 0 || data === undefined || data.length === 0) return undefined;
  const bytes = elementCount(shape) * elementBytes(type);
  if (data.length !== bytes) {
    throw new ModelError(
      "buffer-size",
      `${at} of shape [${shape.join(", ")}], ${type}, needs ${bytes} bytes, its buffer has ${data.length}; export the model again`,
    );
  }
  return data;
}
