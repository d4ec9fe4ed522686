import { ThimbleError } from "../../src/errors.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import { opOfBuiltin } from "../../src/ops/index.ts";
import type { Options } from "../../src/ops/op.ts";
import type { OptionField, WrittenModel, WrittenTensor } from "../model-writer.ts";

/**
 * The model with every output of the shape that its operator computes, so that what was changed before it is run and not only
 * refused. Operators that refuse their inputs are left as they are.
 */
export function repairShapes(model: WrittenModel): WrittenModel {
  const tensors = [...model.tensors];
  const bound = (id: number): Tensor | undefined => {
    const tensor = tensors[id];
    return tensor && asTensor(tensor, id);
  };
  for (const { builtin, inputs, outputs, options = [] } of model.operators) {
    const definition = opOfBuiltin(builtin);
    if (definition === undefined) continue;
    try {
      const operands = inputs.map(bound);
      const results = outputs.map(bound).filter((tensor) => tensor !== undefined);
      const attrs = definition.prepare(operands, results, definition.tflite.read(readerOf(options)));
      for (const [i, { shape }] of definition.infer(operands, attrs, results).entries()) {
        const id = outputs[i] ?? -1;
        const tensor = tensors[id];
        if (tensor !== undefined && tensor.data === undefined) tensors[id] = { ...tensor, shape };
      }
    } catch (error) {
      // What does not come from a check would come from the model as well, where it is found.
      if (!(error instanceof ThimbleError || error instanceof TypeError || error instanceof RangeError))
        throw error;
    }
  }
  return { ...model, tensors };
}

function asTensor(tensor: WrittenTensor, id: number): Tensor {
  const { name, shape, type = "int8", scales, zeroPoints = [], axis = 0, data, isVariable } = tensor;
  return {
    id,
    name,
    shape,
    type: type as Tensor["type"],
    ...(scales === undefined || scales.length === 0
      ? {}
      : {
          quantization: {
            scales: Float32Array.from(scales),
            zeroPoints: Int32Array.from(scales, (_, i) => zeroPoints[zeroPoints.length === 1 ? 0 : i] ?? 0),
            axis,
          },
        }),
    ...(data === undefined
      ? {}
      : { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice() }),
    ...(isVariable === true ? { isVariable } : {}),
  };
}

function readerOf(fields: readonly OptionField[]): Options {
  const number = (id: number): number | undefined => {
    const field = fields[id];
    if (field === undefined || "ints" in field) return undefined;
    if ("byte" in field) return field.byte;
    if ("int" in field) return field.int;
    return "bool" in field ? Number(field.bool) : field.float;
  };
  return {
    int: (id, fallback) => number(id) ?? fallback,
    byte: (id, fallback) => number(id) ?? fallback,
    bool: (id, fallback) => Boolean(number(id) ?? fallback),
    float: (id, fallback) => {
      const field = fields[id];
      // Decoded fields are the bits.
      return field !== undefined && "int" in field
        ? (new Float32Array(Int32Array.of(field.int).buffer)[0] ?? fallback)
        : (number(id) ?? fallback);
    },
    ints: (id) => {
      const field = fields[id];
      return field !== undefined && "ints" in field ? field.ints : [];
    },
  };
}
