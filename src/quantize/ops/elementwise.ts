import type { ElementwiseNode, FloatTensor } from "../float-model.ts";
import type { FileNode, FloatOperator, Operand } from "../operator.ts";
import {
  activationField,
  clampOf,
  readActivation,
  readConstant,
  readValue,
  requireShape,
} from "../operator.ts";

export const add = elementwise("add", 0, (a, b) => a + b);
export const mul = elementwise("mul", 18, (a, b) => a * b);

function elementwise(
  op: ElementwiseNode["op"],
  builtin: number,
  combine: (a: number, b: number) => number,
): FloatOperator<ElementwiseNode> {
  return {
    builtin,
    int8Version: 2,
    operands: ({ inputs }) => inputs.map(operand),
    options: ({ activation }) => [activationField(activation)],

    infer(node, operands) {
      requireShape(
        node.inputs.some((input) => typeof input === "string"),
        node,
        "both of its operands are constant; fold them",
      );
      const [a = [], b = []] = operands.map(({ shape }) => shape);
      const rank = Math.max(a.length, b.length);
      return Array.from({ length: rank }, (_, i) => {
        const [p, q] = [a.at(i - rank) ?? 1, b.at(i - rank) ?? 1];
        const [m, n] = [i < rank - a.length ? 1 : p, i < rank - b.length ? 1 : q];
        requireShape(
          m === n || m === 1 || n === 1,
          node,
          `shapes [${a.join(", ")}] and [${b.join(", ")}] do not broadcast`,
        );
        return Math.max(m, n);
      });
    },

    run(node, [a, b], output) {
      const [low, high] = clampOf(node.activation);
      const [placeA, placeB] = [placeIn(a, output), placeIn(b, output)];
      for (let i = 0; i < output.data.length; i++) {
        const value = combine(a?.data[placeA(i)] ?? 0, b?.data[placeB(i)] ?? 0);
        output.data[i] = Math.min(Math.max(value, low), high);
      }
    },

    read: (node) => ({
      op,
      name: node.name,
      inputs: [readOperand(node, 0), readOperand(node, 1)],
      activation: readActivation(node, 0),
    }),
  };
}

function operand(input: string | FloatTensor): Operand {
  return typeof input === "string" ? { kind: "value", name: input } : { kind: "constant", tensor: input };
}

function readOperand(node: FileNode, index: number): string | FloatTensor {
  return node.operands[index]?.data === undefined
    ? readValue(node, index)
    : readConstant(node, index, "constant operand");
}

/** Index into the broadcast operand for an index into the output. */
function placeIn(from: FloatTensor | undefined, output: FloatTensor): (index: number) => number {
  const shape = from?.shape ?? [];
  const loops: { size: number; stride: number }[] = [];
  let stride = 1;
  for (let axis = 1; axis <= output.shape.length; axis++) {
    const own = axis <= shape.length ? (shape.at(-axis) ?? 1) : 1;
    loops.push({ size: output.shape.at(-axis) ?? 1, stride: own === 1 ? 0 : stride });
    stride *= own;
  }
  return (index) => {
    let place = 0;
    for (const loop of loops) {
      place += (index % loop.size) * loop.stride;
      index = Math.floor(index / loop.size);
    }
    return place;
  };
}
