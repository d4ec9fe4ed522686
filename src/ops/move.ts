import { ModelError } from "../errors.ts";
import type { BoundNode, Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import { requireMovable, requireOutput } from "./check.ts";
import { operandPlace, packConstants } from "./constants.ts";
import type { CopyLoop } from "./copy.ts";
import { byteStrides, copyRecords, elementLoop } from "./copy.ts";
import { fillRecords, packElement } from "./fill-records.ts";
import type { LoweredRecord, OpDefinition } from "./op.ts";
import { ANY_TYPE, defineOp, NOWHERE } from "./op.ts";
import { ONE_ROW } from "./view.ts";

/** Elements that go from one tensor to another in nested loops (outermost first), strides and offsets in elements. */
export interface Move {
  /** Index of the node's input. Default 0. */
  readonly input?: number;
  /** Index of the node's output. Default 0. */
  readonly output?: number;
  /** The first element that is read, and the first that is written. */
  readonly from: number;
  readonly to: number;
  readonly loops: readonly CopyLoop[];
}

/** What an operator that moves elements without looking at them says of itself. */
export type MovingDefinition<Attrs> = Pick<
  OpDefinition<Attrs>,
  "name" | "tflite" | "prepare" | "infer" | "isIdentity"
> & {
  /** They write every element, each once, but for what has the background. */
  readonly moves: (node: BoundNode<Attrs>) => readonly Move[];
  /** Inputs that are moved may be constants: they lie beside the records. */
  readonly constants?: true;
  /** What elements of the output have that no move writes; undefined where all are written. */
  readonly background?: (node: BoundNode<Attrs>) => number | undefined;
};

/** An operator of whole tensors whose records are copies. */
export function defineMove<Attrs>({
  moves,
  constants,
  background,
  ...definition
}: MovingDefinition<Attrs>): OpDefinition {
  return defineOp<Attrs>({
    ...definition,
    types: ANY_TYPE,
    moves: true,
    macs: () => 0,
    ...(constants === true && { pack: packConstants }),
    ...(background !== undefined && {
      pack(node, variant) {
        const value = background(node);
        return value === undefined ? undefined : packElement(requireOutput(node.outputs), value, variant);
      },
    }),

    lower(node, at): readonly LoweredRecord[] {
      const target = (at.outputs[0] ?? NOWHERE).address;
      const isFilled = background?.(node) !== undefined;
      const filled = isFilled ? fillRecords(requireOutput(node.outputs), at.packed, target) : [];
      const moved = moves(node).flatMap(({ input = 0, output = 0, from, to, loops }) => {
        const tensor = node.inputs[input];
        const bytes = elementBytes(tensor?.type ?? "int8");
        const isPacked = constants === true && tensor?.data !== undefined;
        const source = operandPlace(node, at, input).address;
        const target = (at.outputs[output] ?? NOWHERE).address;
        return copyRecords(
          [
            ...loops.map((loop) => ({
              size: loop.size,
              input: loop.input * bytes,
              output: loop.output * bytes,
            })),
            elementLoop(bytes),
          ],
          { address: source + from * bytes, ...ONE_ROW, index: isPacked ? "packed" : input },
          { address: target + to * bytes, ...ONE_ROW },
          1,
          output,
        );
      });
      return [...filled, ...moved];
    },
  });
}

/**
 * The one output of an operator that moves elements: of the input's type.
 * @throws ModelError type-mismatch, missing-output
 * @throws UnsupportedError empty-tensor, unsupported-rank
 */
export function requireMoved(input: Tensor, outputs: readonly Tensor[]): Tensor {
  const output = requireOutput(outputs);
  requireMovable(input, "input");
  requireSameType(input, output);
  return output;
}

/** @throws ModelError type-mismatch */
export function requireSameType(input: Tensor, output: Tensor): void {
  if (input.type === output.type) return;
  throw new ModelError(
    "type-mismatch",
    `"${input.name}" is ${input.type}, "${output.name}" ${output.type}; moving elements keeps their type: export the model again`,
  );
}

/** Elements from one index of each dimension of a dense tensor to the next. */
export function strides(shape: readonly number[]): number[] {
  return byteStrides(shape, 1);
}
