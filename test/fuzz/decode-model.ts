import type { FileModel } from "../../src/tflite/read.ts";
import { readModel } from "../../src/tflite/read.ts";
import type { OptionField, WrittenModel, WrittenOperator } from "../model-writer.ts";
import { BUILTIN } from "../model-writer.ts";

/** What a valid file says, in the form in which it can be changed and written again. */
export function decodeModel(bytes: Uint8Array): WrittenModel {
  const { tensors, operators, inputs, outputs }: FileModel = readModel(bytes);
  const optionsOf = optionReader(bytes);
  return {
    tensors: tensors.map(({ name, shape, type, quantization, data, isVariable }) => ({
      name,
      shape,
      type,
      ...(quantization === undefined
        ? {}
        : {
            scales: [...quantization.scales],
            zeroPoints: [...quantization.zeroPoints],
            axis: quantization.axis,
          }),
      ...(data === undefined ? {} : { data }),
      ...(isVariable === true ? { isVariable } : {}),
    })),
    operators: operators.map(({ index, builtin, inputs, outputs }): WrittenOperator => {
      const options = optionsOf(index, builtin);
      return { builtin, inputs, outputs, ...(options === undefined ? {} : { options }) };
    }),
    inputs,
    outputs,
  };
}

/** Operators whose first option is a vector. */
const VECTOR_OPTIONS: readonly number[] = [BUILTIN.reshape, 43];

/**
 * Fields of an operator's options. A table does not say how large its fields are: each is taken to reach to the next one, and
 * what has four bytes is an int32, which writes a float's bits too.
 */
function optionReader(bytes: Uint8Array): (operator: number, builtin: number) => OptionField[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const follow = (at: number): number => at + view.getUint32(at, true);
  const fields = (table: number): Map<number, number> => {
    const vtable = table - view.getInt32(table, true);
    const count = (view.getUint16(vtable, true) - 4) / 2;
    const offsets = Array.from(
      { length: count },
      (_, id) => [id, view.getUint16(vtable + 4 + 2 * id, true)] as const,
    );
    return new Map(offsets.filter(([, offset]) => offset !== 0));
  };
  const field = (table: number, id: number): number => table + (fields(table).get(id) ?? NaN);
  const subgraph = follow(follow(field(follow(0), 2)) + 4);
  const operators = follow(field(subgraph, 3));
  return (operator, builtin) => {
    const table = follow(operators + 4 + 4 * operator);
    const at = field(table, 4);
    if (Number.isNaN(at)) return undefined;
    const options = follow(at);
    const tableBytes = view.getUint16(options - view.getInt32(options, true) + 2, true);
    const offsets = fields(options);
    const ends = [...offsets.values(), tableBytes];
    const decoded: OptionField[] = [];
    for (const [id, offset] of offsets) {
      const size = Math.min(...ends.filter((end) => end > offset)) - offset;
      while (decoded.length < id) decoded.push(undefined);
      if (size < 4) decoded.push({ byte: view.getUint8(options + offset) });
      else if (id === 0 && VECTOR_OPTIONS.includes(builtin)) {
        const vector = follow(options + offset);
        const length = view.getUint32(vector, true);
        decoded.push({
          ints: Array.from({ length }, (_, i) => view.getInt32(vector + 4 + 4 * i, true)),
        });
      } else decoded.push({ int: view.getInt32(options + offset, true) });
    }
    return decoded;
  };
}
