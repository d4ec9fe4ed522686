import type { Field, Fields } from "./builder.ts";
import { encodeFlatBuffer } from "./builder.ts";
import { OPTIONS_TYPES, TENSOR_TYPES } from "./schema.ts";

/** A tensor to write. Numbers of scales and zero points above 1 are per index of `axis`. */
export interface WrittenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** As in the schema, in lower case; "int8" if absent. */
  readonly type?: string;
  readonly scales?: readonly number[];
  /** All 0 if absent. */
  readonly zeroPoints?: readonly number[];
  readonly axis?: number;
  /** A constant's values. */
  readonly data?: Int8Array | Int16Array | Int32Array | Float32Array | Uint8Array;
  /** It keeps its values from run to run: the state of a recurrent operator. */
  readonly isVariable?: boolean;
}

/** A field of an options table, in field order; `undefined` leaves the schema's default. */
export type OptionField = Extract<
  Field,
  | { byte: number }
  | { int: number }
  | { bool: boolean }
  | { float: number }
  | { ints: readonly number[] }
  | undefined
>;

/** An operator to write: a BuiltinOperator code, tensor indices (-1 for an omitted input), and its options table. */
export interface WrittenOperator {
  readonly builtin: number;
  /** Name of a custom operator. */
  readonly custom?: string;
  /** Of the operator in the schema: kernels for int8 have later ones than those for float32. 1 if absent. */
  readonly version?: number;
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
  /** Of the schema; 3 if absent. */
  readonly version?: number;
}

/** Codes up to this one also stand in the narrow field that old readers know. */
const NARROW_CODES = 127;

/** The bytes of a `.tflite` file: schema version 3, buffer 0 empty, one buffer per constant. The model is not checked. */
export function writeModel(model: WrittenModel): Uint8Array {
  const buffers: Fields[] = [[]];
  const tensors = model.tensors.map((tensor) => {
    if (tensor.data === undefined) return tensorFields(tensor, 0);
    const { buffer, byteOffset, byteLength } = tensor.data;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return tensorFields(tensor, buffers.push([{ bytes }]) - 1);
  });
  const codes = new Map<string, { readonly index: number; readonly fields: Fields }>();
  const operators = model.operators.map(
    ({ builtin, custom, version = 1, inputs, outputs, options }): Fields => {
      const key = `${builtin} ${version} ${custom ?? ""}`;
      const code = codes.get(key) ?? {
        index: codes.size,
        fields: [
          { byte: Math.min(builtin, NARROW_CODES) },
          custom === undefined ? undefined : { text: custom },
          { int: version },
          { int: builtin },
        ],
      };
      codes.set(key, code);
      return [
        { int: code.index },
        { ints: inputs },
        { ints: outputs },
        options === undefined ? undefined : { byte: OPTIONS_TYPES[builtin] ?? 0 },
        options === undefined ? undefined : { table: options },
      ];
    },
  );
  const subgraph: Fields = [
    { tables: tensors },
    { ints: model.inputs },
    { ints: model.outputs },
    { tables: operators },
    { text: "main" },
  ];
  const root: Fields = [
    { int: model.version ?? 3 },
    { tables: [...codes.values()].map(({ fields }) => fields) },
    { tables: [subgraph] },
    { text: "written by thimble" },
    { tables: buffers },
  ];
  return encodeFlatBuffer(root, "TFL3");
}

function tensorFields(
  { name, shape, type = "int8", scales, zeroPoints, axis = 0, isVariable }: WrittenTensor,
  buffer: number,
): Fields {
  const code = TENSOR_TYPES.indexOf(type);
  if (code < 0) throw new RangeError(`no tensor type "${type}"`);
  const quantization: Field =
    scales === undefined
      ? undefined
      : {
          table: [
            undefined,
            undefined,
            { floats: scales },
            { longs: zeroPoints ?? scales.map(() => 0) },
            undefined,
            undefined,
            { int: axis },
          ],
        };
  const variable = isVariable === true ? [{ bool: true }] : [];
  return [{ ints: shape }, { byte: code }, { int: buffer }, { text: name }, quantization, ...variable];
}
