import { ModelError, UnsupportedError } from "../errors.ts";
import type { BoundNode, Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import {
  GATE_SCALE_BYTES,
  GATES,
  lstmScratchBytes,
  type LstmSizes,
  lstmWeightBytes,
  matrixBytes,
  SIGMOID_TABLE_BYTES,
} from "../plan/recurrent-packing.ts";
import { align } from "../plan/packing.ts";
import {
  perTensor,
  requireConstant,
  requireInput,
  requireInputCount,
  requireMultiplier,
  requireOutput,
  requireRank,
  requireType,
  withShape,
} from "./check.ts";
import type { Multiplier } from "./fixed-point.ts";
import { quantizeMultiplier } from "./fixed-point.ts";
import { requireActivations, requireInteger } from "./int16.ts";
import { defineOp } from "./op.ts";
import { packMatrices, requireMatrix, requireState, vectorOverlapDistance } from "./recurrent.ts";
import { sigmoidTable } from "./sigmoid-table.ts";

export interface LstmAttrs {
  /** Bound of the cell state, in real units; 0: none. */
  readonly cellClip: number;
  /** The input is [time, batch, depth], not [batch, time, depth]. */
  readonly timeMajor: boolean;
}

interface LstmOptions extends LstmAttrs {
  readonly activation: number;
  readonly diagonal: boolean;
}

/** Inputs of the operator, by index. In the file gates are in the order input, forget, cell, output. */
const INPUT_GATE_FIRST = { weights: 1, recurrent: 5, bias: 12 } as const;
const HIDDEN = 18;
const CELL = 19;
const INPUT_COUNT = 24;
/** In the order in which they are computed and packed: forget, input, cell, output. */
const PACKED_GATES = [1, 0, 2, 3] as const;
/** Peepholes, projection and its bias, layer normalisation: neither the reference nor thimble has them. */
const VARIANTS_OF_LSTM = [9, 10, 11, 16, 17, 20, 21, 22, 23];

const TANH = 4;
/** A bound that no int16 exceeds. */
const NO_CLIP = 32768;
/** Gates before their activation are Q3.12, after it Q0.15. */
const GATE_SCALE = 2 ** -12;
const ACTIVATED_SCALE = 2 ** -15;

/**
 * UNIDIRECTIONAL_SEQUENCE_LSTM of int8 or int16 activations, int8 weights per tensor, an int16 cell state. Hidden and cell state
 * are variables. Reference: TFLM unidirectional_sequence_lstm.cc.
 */
export const unidirectionalSequenceLstm = defineOp<LstmAttrs>({
  name: "unidirectionalSequenceLstm",
  types: ["int8", "int16"],
  tflite: {
    builtin: 44,
    read: (options): LstmOptions => ({
      activation: options.byte(0, 0),
      cellClip: options.float(1, 0),
      timeMajor: options.bool(3, false),
      diagonal: options.bool(5, false),
    }),
  },
  states: { hidden: HIDDEN, cell: CELL },

  prepare(inputs, outputs, options) {
    const { activation, cellClip, timeMajor, diagonal } = options as LstmOptions;
    requireInputCount(inputs, INPUT_COUNT, INPUT_COUNT);
    const input = requireInput(inputs, 0, "input");
    const output = requireOutput(outputs);
    requireRank(input, "input", 3);
    requireInteger(input, "input");
    if (VARIANTS_OF_LSTM.some((index) => inputs[index] !== undefined)) {
      throw new UnsupportedError(
        "lstm-variant",
        `"${output.name}" has peepholes, a projection or layer normalisation; only the plain LSTM is run: export one`,
      );
    }
    if (activation !== TANH || diagonal) {
      throw new UnsupportedError(
        "unsupported-activation",
        `"${output.name}" has activation ${activation}${diagonal ? " and diagonal matrices" : ""}; only tanh is run: export a plain LSTM`,
      );
    }
    if (!(cellClip >= 0 && Number.isFinite(cellClip))) {
      throw new ModelError(
        "cell-clip",
        `"${output.name}" clips its cell state at ${cellClip}; 0 (none) and finite numbers above it are run: export the model again`,
      );
    }
    requireParts(inputs, output, timeMajor);
    return { cellClip, timeMajor };
  },

  infer([input, inputWeights], _attrs, [output]) {
    const [cells = 0] = inputWeights?.shape ?? [];
    return [withShape(output ?? { shape: [], type: "int8" }, [...(input?.shape.slice(0, 2) ?? []), cells])];
  },

  macs(node) {
    const { batches, steps, inputDepth, cells } = sizesOf(node.inputs, node.attrs.timeMajor);
    return batches * steps * GATES * cells * (inputDepth + cells);
  },

  overlapDistance(node, input) {
    const { batches, steps, inputDepth, cells, elementBytes } = sizesOf(node.inputs, node.attrs.timeMajor);
    // The kernel goes from batch to batch, which with time first is not in order of memory.
    if (input !== 0 || (node.attrs.timeMajor && batches > 1 && steps > 1)) return undefined;
    return vectorOverlapDistance(batches * steps, inputDepth * elementBytes, cells * elementBytes);
  },

  scratchBytes: (node, variant) => lstmScratchBytes(variant, sizesOf(node.inputs, node.attrs.timeMajor)),

  pack(node, variant) {
    const sizes = sizesOf(node.inputs, node.attrs.timeMajor);
    const bytes = new Uint8Array(align(lstmWeightBytes(variant, sizes), 16));
    const view = new DataView(bytes.buffer);
    for (const [i, value] of sigmoidTable().entries()) view.setInt16(2 * i, value, true);
    let scaleAt = SIGMOID_TABLE_BYTES;
    let matrixAt = SIGMOID_TABLE_BYTES + GATE_SCALE_BYTES;
    for (const part of ["input", "hidden"] as const) {
      const matrices = PACKED_GATES.map((gate) => {
        const { vector, weights, bias } = matrixOf(node.inputs, part, gate);
        const { multiplier, shift } = gateScale(vector, weights, requireOutput(node.outputs));
        view.setInt32(scaleAt, multiplier, true);
        view.setInt32(scaleAt + 4, shift, true);
        scaleAt += 8;
        const { zeroPoint } = perTensor(vector, part);
        return { weights, bias, zeroPoint, elementBytes: sizes.elementBytes };
      });
      packMatrices(bytes, matrixAt, variant, matrices);
      const depth = part === "input" ? sizes.inputDepth : sizes.cells;
      matrixAt += matrixBytes(variant, sizes.elementBytes, sizes.cells, depth, GATES);
    }
    return { bytes, blocks: 1, blockBytes: bytes.length, blockChannels: sizes.cells, fields: {} };
  },

  lower(node, at) {
    const { attrs, inputs, outputs } = node;
    const { batches, steps, inputDepth, cells, elementBytes } = sizesOf(inputs, attrs.timeMajor);
    const { scale: cellScale } = perTensor(requireInput(inputs, CELL, "cell state"), "cell state");
    const hidden = perTensor(requireInput(inputs, HIDDEN, "hidden state"), "hidden state");
    const { update, output } = stateScales(hidden.scale, cellScale, requireOutput(outputs));
    const strides = (bytes: number): { batch: number; step: number } =>
      attrs.timeMajor ? { batch: bytes, step: bytes * batches } : { batch: bytes * steps, step: bytes };
    const from = strides(inputDepth * elementBytes);
    const to = strides(cells * elementBytes);
    return {
      op: "unidirectionalSequenceLstm",
      input: at.inputs[0]?.address ?? 0,
      output: at.outputs[0]?.address ?? 0,
      weights: at.packed,
      hidden: at.inputs[HIDDEN]?.address ?? 0,
      cell: at.inputs[CELL]?.address ?? 0,
      batches,
      steps,
      inputDepth,
      cells,
      elementBytes,
      inputBatchBytes: from.batch,
      inputStepBytes: from.step,
      outputBatchBytes: to.batch,
      outputStepBytes: to.step,
      cellLeftShift: cellLeftShift(cellScale),
      cellClip: attrs.cellClip > 0 ? Math.min(Math.trunc(attrs.cellClip / cellScale), 32767) : NO_CLIP,
      updateMultiplier: update.multiplier,
      updateShift: update.shift,
      hiddenMultiplier: output.multiplier,
      hiddenShift: output.shift,
      hiddenZeroPoint: hidden.zeroPoint,
      scratch: at.scratch,
    };
  },
});

interface Sizes extends LstmSizes {
  readonly batches: number;
  readonly steps: number;
}

function sizesOf(inputs: readonly (Tensor | undefined)[], timeMajor: boolean): Sizes {
  const input = requireInput(inputs, 0, "input");
  const [first = 1, second = 1, inputDepth = 1] = input.shape;
  const [cells = 1] = requireInput(inputs, INPUT_GATE_FIRST.weights, "weights").shape;
  const [batches, steps] = timeMajor ? [second, first] : [first, second];
  return { batches, steps, inputDepth, cells, elementBytes: elementBytes(input.type) };
}

/** A gate's matrix and the vector it is multiplied with. */
function matrixOf(
  inputs: BoundNode["inputs"],
  part: "input" | "hidden",
  gate: number,
): { readonly vector: Tensor; readonly weights: Tensor; readonly bias: Tensor | undefined } {
  return part === "input"
    ? {
        vector: requireInput(inputs, 0, "input"),
        weights: requireInput(inputs, INPUT_GATE_FIRST.weights + gate, "input weights"),
        bias: requireInput(inputs, INPUT_GATE_FIRST.bias + gate, "gate bias"),
      }
    : {
        vector: requireInput(inputs, HIDDEN, "hidden state"),
        weights: requireInput(inputs, INPUT_GATE_FIRST.recurrent + gate, "recurrent weights"),
        bias: undefined,
      };
}

/** Checks of everything but the input. */
function requireParts(inputs: readonly (Tensor | undefined)[], output: Tensor, timeMajor: boolean): void {
  const input = requireInput(inputs, 0, "input");
  const { batches, cells, inputDepth } = sizesOf(inputs, timeMajor);
  const hidden = requireState(inputs, HIDDEN, "hidden state", [input.type], batches * cells);
  const cell = requireState(inputs, CELL, "cell state", ["int16"], batches * cells);
  requireType(output, "output", [input.type]);
  const isInt16 = input.type === "int16";
  for (const gate of PACKED_GATES) {
    for (const part of ["input", "hidden"] as const) {
      const { vector, weights, bias } = matrixOf(inputs, part, gate);
      requireMatrix(weights, cells, part === "input" ? inputDepth : cells);
      requireActivations([vector], part);
      if (bias !== undefined) requireGateBias(bias, cells, isInt16 ? "int64" : "int32");
      gateScale(vector, weights, output);
    }
  }
  cellLeftShift(cell.scale);
  stateScales(hidden.scale, cell.scale, output);
}

function requireGateBias(bias: Tensor, cells: number, type: "int32" | "int64"): void {
  requireConstant(bias, "gate bias");
  requireType(bias, "gate bias", [type]);
  if (bias.shape.join() === `${cells}`) return;
  throw new ModelError(
    "bias-length",
    `gate bias "${bias.name}" has shape [${bias.shape.join(", ")}] for ${cells} cells; export the model again`,
  );
}

/**
 * From a product of vector and matrix to the gate's scale. The scales' product is rounded to float32, as in the reference. With
 * int16 the multiplier is of 16 bits: x · multiplier / 2^(15 − shift), rounded half up.
 */
function gateScale(vector: Tensor, weights: Tensor, output: Tensor): Multiplier {
  const { scale } = perTensor(vector, "vector");
  const product = Math.fround(scale * (weights.quantization?.scales[0] ?? 1));
  const result = requireMultiplier(product / GATE_SCALE, output);
  if (vector.type !== "int16") return result;
  if (result.shift > 7) {
    throw new UnsupportedError(
      "multiplier-too-large",
      `the scales of "${vector.name}" and "${weights.name}" give the multiplier ${product / GATE_SCALE}; with int16 it ` +
        "must be below 128: quantise with a representative data set",
    );
  }
  const { multiplier, shift } = result;
  return { multiplier: multiplier < 0x7fff0000 ? (multiplier + 2 ** 15) >> 16 : 0x7fff, shift };
}

/** The shift, left if positive, that brings a cell state to Q3.12. */
function cellLeftShift(cellScale: number): number {
  const power = Math.log2(cellScale);
  const shift = 12 + Math.round(power);
  if (Math.abs(power - Math.round(power)) < 1e-3 && shift >= -15 && shift <= 14) return shift;
  throw new UnsupportedError(
    "cell-scale",
    `the cell state has scale ${cellScale}; a power of two from 2^-27 to 2^2 is needed: export with full integer quantisation`,
  );
}

/** input gate · cell gate → cell state; tanh · output gate → hidden state. */
function stateScales(
  hiddenScale: number,
  cellScale: number,
  output: Tensor,
): { readonly update: Multiplier; readonly output: Multiplier } {
  const product = ACTIVATED_SCALE * ACTIVATED_SCALE;
  requireMultiplier(product / hiddenScale, output);
  return {
    update: quantizeMultiplier(product / cellScale),
    output: quantizeMultiplier(product / hiddenScale),
  };
}
