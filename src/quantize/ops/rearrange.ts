/** RESHAPE and PAD: what moves values and keeps their scale. */
import type { PadNode, ReshapeNode } from "../float-model.ts";
import type { FloatOperator } from "../operator.ts";
import { readValue, requireShape } from "../operator.ts";
import { elementCount } from "../../plan/shape.ts";
import { readInts } from "./ints.ts";

export const reshape: FloatOperator<ReshapeNode> = {
  builtin: 22,
  int8Version: 1,
  scale: "operand",
  operands: ({ input, shape }) => [
    { kind: "value", name: input },
    { kind: "ints", values: shape, shape: [shape.length] },
  ],
  options: ({ shape }) => [{ ints: shape }],

  infer(node, [input]) {
    const elements = elementCount(input?.shape ?? []);
    const given = elementCount(node.shape.filter((size) => size !== -1));
    const shape = node.shape.map((size) => (size === -1 ? elements / given : size));
    requireShape(
      elementCount(shape) === elements && shape.every((size) => Number.isInteger(size) && size >= 1),
      node,
      `shape [${node.shape.join(", ")}] does not hold its input's ${elements} values`,
    );
    return shape;
  },

  run: (_node, [input], output) => {
    output.data.set(input?.data ?? []);
  },

  read: (node) => ({
    op: "reshape",
    name: node.name,
    input: readValue(node, 0),
    // Old files have the shape in the options alone.
    shape: node.operands.length > 1 ? readInts(node, 1, "shape") : (node.options?.ints(0, "new_shape") ?? []),
  }),
};

export const pad: FloatOperator<PadNode> = {
  builtin: 34,
  int8Version: 2,
  scale: "operand",
  operands: ({ input, paddings }) => [
    { kind: "value", name: input },
    { kind: "ints", values: paddings.flat(), shape: [paddings.length, 2] },
  ],
  options: () => [],

  infer(node, [input]) {
    const shape = input?.shape ?? [];
    const whole = node.paddings.flat().every((size) => Number.isInteger(size) && size >= 0);
    requireShape(
      whole && node.paddings.length === shape.length,
      node,
      `its paddings must be pairs of whole numbers from 0, one for each dimension of [${shape.join(", ")}]`,
    );
    return shape.map(
      (size, axis) => size + (node.paddings[axis]?.[0] ?? 0) + (node.paddings[axis]?.[1] ?? 0),
    );
  },

  run(node, [input], output) {
    const shape = input?.shape ?? [];
    output.data.fill(0);
    for (const [i, value] of (input?.data ?? new Float32Array(0)).entries()) {
      let rest = i;
      let stride = 1;
      let place = 0;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const size = shape[axis] ?? 1;
        place += ((rest % size) + (node.paddings[axis]?.[0] ?? 0)) * stride;
        rest = Math.floor(rest / size);
        stride *= output.shape[axis] ?? 1;
      }
      output.data[place] = value;
    }
  },

  read(node) {
    const values = readInts(node, 1, "paddings");
    const paddings = Array.from(
      { length: values.length / 2 },
      (_, axis) => [values[2 * axis] ?? 0, values[2 * axis + 1] ?? 0] as const,
    );
    return { op: "pad", name: node.name, input: readValue(node, 0), paddings };
  },
};
