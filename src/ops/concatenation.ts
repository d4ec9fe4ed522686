import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import { elementCount } from "../plan/shape.ts";
import {
  requireAxis,
  requireInput,
  requireMovable,
  requireOutput,
  sameQuantization,
  withShape,
} from "./check.ts";
import { copyRecords } from "./copy.ts";
import type { RowAccess } from "./op.ts";
import { ANY_TYPE, defineOp, NOWHERE } from "./op.ts";
import { operandPlace, packConstants } from "./constants.ts";
import { MAX_PARTS } from "./parts.ts";
import { ONE_ROW, rowCount, rowFields } from "./view.ts";

/** The dimension along which the inputs follow each other. */
export interface ConcatenationAttrs {
  readonly axis: number;
}

/** CONCATENATION without rescaling. Reference: TFLite Micro kernels/concatenation.cc. */
export const concatenation = defineOp<ConcatenationAttrs>({
  name: "concatenation",
  tflite: { builtin: 2, read: (options) => ({ axis: options.int(0, 0), activation: options.byte(1, 0) }) },

  types: ANY_TYPE,
  moves: true,
  prepare(inputs, outputs, options) {
    const output = requireOutput(outputs);
    requireMovable(output, "output");
    if (inputs.length < 1 || inputs.length > MAX_PARTS) {
      throw new ModelError(
        "input-count",
        `${inputs.length} tensors are joined to "${output.name}"; 1 to ${MAX_PARTS} can be: join them in several steps`,
      );
    }
    const { axis, activation } = options as { axis: number; activation: number };
    if (activation !== 0) {
      throw new UnsupportedError(
        "unsupported-activation",
        `joining to "${output.name}" has fused activation ${activation}; only NONE is run: export the activation as an operator of its own`,
      );
    }
    for (const index of inputs.keys()) {
      const input = requireInput(inputs, index, "operand");
      requireMovable(input, "operand");
      if (input.type !== output.type) {
        throw new ModelError(
          "type-mismatch",
          `operand "${input.name}" is ${input.type}, output "${output.name}" is ${output.type}; they must be of one type: export the model again`,
        );
      }
      if (!sameQuantization(input, output)) {
        throw new UnsupportedError(
          "unequal-quantization",
          `operand "${input.name}" has another scale or zero point than output "${output.name}"; joining rescales nothing: ` +
            "quantise them alike, or put a QUANTIZE between",
        );
      }
    }
    return { axis: requireAxis(axis, output) };
  },

  infer(inputs, { axis }, outputs) {
    const output = requireOutput(outputs);
    const first = requireInput(inputs, 0, "operand");
    let size = 0;
    for (const index of inputs.keys()) {
      const { shape, name } = requireInput(inputs, index, "operand");
      const fits =
        shape.length === first.shape.length && shape.every((n, i) => i === axis || n === first.shape[i]);
      if (!fits || axis >= shape.length) {
        throw new ModelError(
          "shape-mismatch",
          `operand "${name}" [${shape.join(", ")}] cannot be joined to "${first.name}" [${first.shape.join(", ")}] along dimension ${axis}; export the model again`,
        );
      }
      size += shape[axis] ?? 0;
    }
    return [withShape(output, first.shape.with(axis, size))];
  },

  isIdentity: ({ inputs }) => inputs.length === 1,

  rows({ attrs: { axis }, inputs, outputs }): RowAccess | undefined {
    const output = requireOutput(outputs);
    const rows = rowCount(output);
    if (rows < 2 || axis < 2) return undefined;
    const isConstant = (input: Tensor | undefined): boolean => input?.data !== undefined;
    const row = { stride: 1, first: 0, last: 0 };
    // Constants have all their columns.
    const inColumns = axis === 3 && !inputs.some(isConstant);
    const window = inColumns ? { ...row, columns: row } : row;
    return { rows, inputs: inputs.map((input) => (isConstant(input) ? undefined : window)) };
  },

  macs: () => 0,
  pack: packConstants,

  lower(node, at) {
    const { attrs, inputs, outputs } = node;
    const output = requireOutput(outputs);
    const inRows = at.accumulators !== undefined;
    const target = at.outputs[0] ?? NOWHERE;
    const first = inRows ? 2 : 0;
    const blockOf = ({ shape, type }: Tensor): number =>
      elementCount(shape.slice(Math.max(attrs.axis, first))) * elementBytes(type);
    const outer = output.shape.slice(first, attrs.axis);
    if (target.columns !== undefined) outer[0] = target.columns.width;
    let offset = 0;
    return inputs.flatMap((_, index) => {
      const input = requireInput(inputs, index, "operand");
      const isConstant = input.data !== undefined;
      const place = operandPlace(node, at, index);
      const bytes = blockOf(input);
      const records = copyRecords(
        [
          { size: elementCount(outer), input: bytes, output: blockOf(output) },
          { size: bytes, input: 1, output: 1 },
        ],
        {
          address: place.address,
          ...(inRows ? rowFields(place, input) : ONE_ROW),
          index: isConstant ? "packed" : index,
        },
        { address: target.address + offset, ...(inRows ? rowFields(target, output) : ONE_ROW) },
        inRows ? rowCount(output) : 1,
      );
      offset += bytes;
      return records;
    });
  },
});
