import { UnsupportedError } from "../errors.ts";
import type { BoundNode, Tensor } from "../graph/graph.ts";
import type { RecordOf } from "../plan/record.ts";
import {
  perTensor,
  requireActivation,
  requireInputCount,
  requireInput,
  requireOutput,
  requireRank,
  requireWindow,
  withShape,
} from "./check.ts";
import { activationRange, type FusedActivation } from "./fixed-point.ts";
import { int16Range, isInt16, requireActivations } from "./int16.ts";
import type { Addresses, OpDefinition, Options, Window } from "./op.ts";
import { NOWHERE } from "./op.ts";
import { type ResolvedPadding, resolvePadding } from "./padding.ts";
import { placedView } from "./view.ts";
import { rowOverlapDistance, windowRows } from "./window.ts";

/** Attributes of both pools. The padding stays a mode: its bytes follow from the shapes. */
export interface Pool2dAttrs {
  /** Of the file format: src/ops/padding.ts. */
  readonly padding: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly activation: FusedActivation;
}

/** The attributes before they are checked. */
type FileOptions = { readonly [K in keyof Pool2dAttrs]: number };

/** A sum of so many int8 stays within int32. */
const MAX_CELLS = 2 ** 23;

/** All of a pool but its name, its code in the file and its record's operator. */
export function pool2d(): Omit<OpDefinition<Pool2dAttrs>, "name" | "tflite" | "lower"> {
  return {
    types: ["int8", "int16"],

    prepare(inputs, outputs, options) {
      const { input, output } = operandsOf(inputs, outputs);
      const pool = options as FileOptions;
      requireActivations([input, output], "operand");
      requireRank(input, "input", 4);
      requireWindow(
        input,
        pool.padding,
        { kernel: pool.kernelHeight, stride: pool.strideY, dilation: 1 },
        { kernel: pool.kernelWidth, stride: pool.strideX, dilation: 1 },
      );
      const [, height = 1, width = 1] = input.shape;
      const cells = Math.min(pool.kernelHeight, height) * Math.min(pool.kernelWidth, width);
      if (cells > MAX_CELLS) {
        throw new UnsupportedError(
          "window-too-large",
          `the window over input "${input.name}" covers ${cells} values, at most ${MAX_CELLS} are run; pool in two steps`,
        );
      }
      const { activation, ...sizes } = pool;
      return { ...sizes, activation: requireActivation(activation, output) };
    },

    infer(inputs, attrs, outputs) {
      const { input, output } = operandsOf(inputs, outputs);
      const [batches = 1, , , channels = 1] = input.shape;
      const { rows, columns } = resolve(input, attrs);
      return [withShape(output, [batches, rows.output, columns.output, channels])];
    },

    // What is not padding counts, and a mean of equal numbers is that number.
    carriesChannels: () => true,
    pitched: (node) => !isInt16(node),
    rows: (node) => (isInt16(node) ? undefined : windowRows(windowOf(node), requireOutput(node.outputs), 1)),
    macs: () => 0,

    overlapDistance(node) {
      if (isInt16(node)) return undefined;
      const { input, output } = operandsOf(node.inputs, node.outputs);
      return rowOverlapDistance(windowOf(node), input, output);
    },
  };
}

/** Pool2DOptions of the file. */
export function readPool2dOptions(options: Options): FileOptions {
  return {
    padding: options.byte(0, 0),
    strideX: options.int(1, 0),
    strideY: options.int(2, 0),
    kernelWidth: options.int(3, 0),
    kernelHeight: options.int(4, 0),
    activation: options.byte(5, 0),
  };
}

/** The fields of either pool's record. */
export function pool2dFields(node: BoundNode<Pool2dAttrs>, at: Addresses): Omit<RecordOf<"maxPool2d">, "op"> {
  const { input, output } = operandsOf(node.inputs, node.outputs);
  const { kernelHeight, kernelWidth, strideY, strideX, padTop, ...window } = windowOf(node);
  const { padLeft = window.padLeft } = at;
  const { scale, zeroPoint } = perTensor(output, "output");
  const range = activationRange(node.attrs.activation, scale, zeroPoint);
  const inputView = placedView(at.inputs[0] ?? NOWHERE, input);
  const outputView = placedView(at.outputs[0] ?? NOWHERE, output);
  return {
    inputView,
    outputView,
    y0: 0,
    y1: outputView.height,
    c0: at.c0,
    c1: at.c1,
    batches: input.shape[0] ?? 1,
    inputBatchBytes: inputView.height * inputView.rowBytes,
    outputBatchBytes: outputView.height * outputView.rowBytes,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    padTop,
    padLeft,
    activationMin: range.min,
    activationMax: range.max,
  };
}

/** The record of a pool of int16. */
export function pool2dInt16(
  node: BoundNode<Pool2dAttrs>,
  at: Addresses,
  isMaximum: boolean,
): RecordOf<"pool2dInt16"> {
  const { input, output } = operandsOf(node.inputs, node.outputs);
  const { kernelHeight, kernelWidth, strideY, strideX, padTop, padLeft } = windowOf(node);
  const [batches = 1, inputHeight = 1, inputWidth = 1, channels = 1] = input.shape;
  const [, outputHeight = 1, outputWidth = 1] = output.shape;
  const range = int16Range(node.attrs.activation, output);
  return {
    op: "pool2dInt16",
    input: (at.inputs[0] ?? NOWHERE).address,
    output: (at.outputs[0] ?? NOWHERE).address,
    batches,
    inputHeight,
    inputWidth,
    channels,
    outputHeight,
    outputWidth,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    padTop,
    padLeft,
    maximum: isMaximum ? 1 : 0,
    activationMin: range.min,
    activationMax: range.max,
  };
}

export function windowOf(node: BoundNode<Pool2dAttrs>): Window {
  const { kernelHeight, kernelWidth, strideY, strideX } = node.attrs;
  const { rows, columns } = resolve(requireInput(node.inputs, 0, "input"), node.attrs);
  return {
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    dilationY: 1,
    dilationX: 1,
    padTop: rows.before,
    padLeft: columns.before,
  };
}

function resolve(input: Tensor, attrs: Pool2dAttrs): { rows: ResolvedPadding; columns: ResolvedPadding } {
  const [, height = 1, width = 1] = input.shape;
  return {
    rows: resolvePadding(attrs.padding, height, attrs.kernelHeight, attrs.strideY, 1),
    columns: resolvePadding(attrs.padding, width, attrs.kernelWidth, attrs.strideX, 1),
  };
}

function operandsOf(
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly Tensor[],
): { input: Tensor; output: Tensor } {
  requireInputCount(inputs, 1, 1);
  return { input: requireInput(inputs, 0, "input"), output: requireOutput(outputs) };
}
