import { ModelError } from "../errors.ts";
import type { BoundNode, Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import type { RecordOf } from "../plan/record.ts";
import {
  listed,
  requireInput,
  requireInputCount,
  requireInts,
  requireOutput,
  requireRank,
  sameQuantization,
  withShape,
} from "./check.ts";
import type { Addresses, OpDefinition, Options, RowAccess } from "./op.ts";
import { NOWHERE } from "./op.ts";
import { placedView, rowCount } from "./view.ts";

/** Where an output position lies in the input: the corners on each other, or the centres of cells half a cell in. */
export interface ResizeAttrs {
  readonly height: number;
  readonly width: number;
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** The first and last index of an input dimension that an index of the output's needs. */
export type Sources = (index: number) => readonly [number, number];

/** Larger sizes could not be told from each other by the reference's arithmetic. */
const MAX_SIZE = 2 ** 15 - 1;

/** All of a resize but its name, its code in the file and its record. */
export function resize(): Pick<
  OpDefinition<ResizeAttrs>,
  "prepare" | "infer" | "pitched" | "macs" | "isIdentity"
> {
  return {
    prepare(inputs, outputs, options) {
      requireInputCount(inputs, 2, 2);
      const input = requireInput(inputs, 0, "input");
      const output = requireOutput(outputs);
      requireRank(input, "input", 4);
      const sizes = requireInts(requireInput(inputs, 1, "size"), "size");
      const [height = 0, width = 0] = sizes;
      const all = [...sizes, ...input.shape.slice(1, 3)];
      if (sizes.length !== 2 || all.some((size) => size < 1 || size > MAX_SIZE)) {
        throw new ModelError(
          "bad-size",
          `"${input.name}" [${input.shape.join(", ")}] is resized to ${listed(sizes)}; height and width must be 1 to ${MAX_SIZE}: export the model again`,
        );
      }
      if (input.type !== output.type) {
        throw new ModelError(
          "type-mismatch",
          `"${input.name}" is ${input.type}, "${output.name}" ${output.type}; resizing keeps the type: export the model again`,
        );
      }
      const { alignCorners, halfPixelCenters } = options as ReturnType<typeof readResizeOptions>;
      return { height, width, alignCorners, halfPixelCenters };
    },

    infer: ([input], { height, width }, [output]) => [
      withShape(output ?? { shape: [], type: "int8" }, [
        input?.shape[0] ?? 1,
        height,
        width,
        input?.shape[3] ?? 1,
      ]),
    ],

    isIdentity: ({ inputs: [input], outputs: [output], attrs }) =>
      input?.shape[1] === attrs.height &&
      input.shape[2] === attrs.width &&
      output !== undefined &&
      sameQuantization(input, output),

    pitched: () => true,
    macs: () => 0,
  };
}

/** ResizeBilinearOptions and ResizeNearestNeighborOptions of the file, from field `first` on. */
export function readResizeOptions(
  options: Options,
  first: number,
): { readonly alignCorners: boolean; readonly halfPixelCenters: boolean } {
  return { alignCorners: options.bool(first, false), halfPixelCenters: options.bool(first + 1, false) };
}

/**
 * How rows of the output follow those of the input: the narrowest window of the ratio of their sizes that holds what each
 * row needs. undefined where the ratio is none of small numbers.
 */
export function resizedRows(node: BoundNode, sources: Sources): RowAccess | undefined {
  const input = requireInput(node.inputs, 0, "input");
  const rows = rowCount(requireOutput(node.outputs));
  const inputRows = rowCount(input);
  if (rows < 2 || input.shape[0] !== 1) return undefined;
  const common = greatestCommonDivisor(inputRows, rows);
  const [stride, divisor] = [inputRows / common, rows / common];
  let first = Infinity;
  let last = -Infinity;
  for (let y = 0; y < rows; y++) {
    const [low, high] = sources(y);
    first = Math.min(first, low * divisor + divisor - 1 - y * stride);
    last = Math.max(last, high * divisor - y * stride);
  }
  return { rows, inputs: [{ stride, divisor, first, last }, undefined] };
}

/** The fields that both records have. Views are of bytes: an element may have several. */
export function resizeFields(
  node: BoundNode<ResizeAttrs>,
  at: Addresses,
): Pick<
  RecordOf<"resizeNearest">,
  "y0" | "y1" | "inputView" | "outputView" | "batches" | "inputBatchBytes" | "outputBatchBytes"
> {
  const input = requireInput(node.inputs, 0, "input");
  const output = requireOutput(node.outputs);
  const inputView = placedView(at.inputs[0] ?? NOWHERE, bytesOf(input));
  const outputView = placedView(at.outputs[0] ?? NOWHERE, bytesOf(output));
  return {
    y0: 0,
    y1: outputView.height,
    inputView,
    outputView,
    batches: input.shape[0] ?? 1,
    inputBatchBytes: inputView.height * inputView.rowBytes,
    outputBatchBytes: outputView.height * outputView.rowBytes,
  };
}

function bytesOf(tensor: Tensor): Tensor {
  return { ...tensor, shape: tensor.shape.with(3, (tensor.shape[3] ?? 1) * elementBytes(tensor.type)) };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
