import { ModelError, UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { elementBytes } from "../graph/graph.ts";
import { svdfScratchBytes, type SvdfSizes, svdfWeightParts } from "../plan/recurrent-packing.ts";
import { align } from "../plan/packing.ts";
import {
  perTensor,
  requireConstant,
  requireInput,
  requireInputCount,
  requireInt8,
  requireMultiplier,
  requireOutput,
  requireRank,
  requireType,
  withShape,
} from "./check.ts";
import { requireBias } from "./convolution.ts";
import type { Multiplier } from "./fixed-point.ts";
import { defineOp } from "./op.ts";
import {
  onlyScale,
  packMatrices,
  requireMatrix,
  requireShape,
  requireState,
  vectorOverlapDistance,
} from "./recurrent.ts";

export interface SvdfAttrs {
  /** Filters that make one output. */
  readonly rank: number;
}

const STATE = 4;

/**
 * SVDF: int8 input [batch, depth], feature weights int8 [filters, depth], time weights [filters, memory] of the state's type,
 * bias int32 [units] or none, state int8 or int16 [batch, filters · memory], output int8 [batch, units]. The reference does not
 * apply the fused activation. Reference: TFLM svdf_common.cc.
 */
export const svdf = defineOp<SvdfAttrs>({
  name: "svdf",
  tflite: { builtin: 27, read: (options) => options.int(0, 0) },
  states: { state: STATE },

  prepare(inputs, outputs, options) {
    const rank = options as number;
    requireInputCount(inputs, 5, 5);
    const input = requireInput(inputs, 0, "input");
    const features = requireInput(inputs, 1, "feature weights");
    const time = requireInput(inputs, 2, "time weights");
    const output = requireOutput(outputs);
    requireInt8(input, "input");
    requireInt8(output, "output");
    requireRank(input, "input", 2);
    requireRank(features, "feature weights", 2);
    requireRank(time, "time weights", 2);
    const [batches = 0, depth = 0] = input.shape;
    const [filters = 0] = features.shape;
    const [, memory = 0] = time.shape;
    if (!(rank >= 1 && filters >= 1 && filters % rank === 0)) {
      throw new ModelError(
        "svdf-rank",
        `"${output.name}" has rank ${rank} and ${filters} filters; the rank must divide their number: export again`,
      );
    }
    requireMatrix(features, filters, depth);
    requireShape(time, [filters, memory]);
    requireTimeWeights(time);
    if (memory < 1)
      throw new ModelError("weight-shape", `time weights "${time.name}" are empty; export again`);
    requireState(inputs, STATE, "state", [time.type], batches * filters * memory);
    requireBias(inputs[3], filters / rank);
    svdfMultipliers(inputs, output);
    return { rank };
  },

  infer: ([input, features], { rank }, [output]) => [
    withShape(output ?? { shape: [], type: "int8" }, [
      input?.shape[0] ?? 0,
      Math.floor((features?.shape[0] ?? 0) / rank),
    ]),
  ],

  macs({ inputs, attrs }) {
    const { inputDepth, filters, memory } = sizesOf(inputs, attrs);
    return (inputs[0]?.shape[0] ?? 1) * filters * (inputDepth + memory);
  },

  overlapDistance({ inputs, attrs }, input) {
    const { inputDepth, filters } = sizesOf(inputs, attrs);
    const batches = inputs[0]?.shape[0] ?? 1;
    return input === 0 ? vectorOverlapDistance(batches, inputDepth, filters / attrs.rank) : undefined;
  },

  scratchBytes: ({ inputs, attrs }, variant) => svdfScratchBytes(variant, sizesOf(inputs, attrs)),

  pack({ inputs, attrs }, variant) {
    const parts = svdfWeightParts(variant, sizesOf(inputs, attrs));
    const bytes = new Uint8Array(align(parts.end, 16));
    const input = requireInput(inputs, 0, "input");
    bytes.set(inputs[3]?.data ?? []);
    bytes.set(requireInput(inputs, 2, "time weights").data ?? [], parts.time);
    packMatrices(bytes, parts.features, variant, [
      {
        weights: requireInput(inputs, 1, "feature weights"),
        bias: undefined,
        zeroPoint: perTensor(input, "input").zeroPoint,
        elementBytes: 1,
      },
    ]);
    return { bytes, blocks: 1, blockBytes: bytes.length, blockChannels: 1, fields: {} };
  },

  lower({ inputs, outputs, attrs }, at) {
    const output = requireOutput(outputs);
    const { feature, result } = svdfMultipliers(inputs, output);
    return {
      op: "svdf",
      input: at.inputs[0]?.address ?? 0,
      output: at.outputs[0]?.address ?? 0,
      weights: at.packed,
      state: at.inputs[STATE]?.address ?? 0,
      batches: requireInput(inputs, 0, "input").shape[0] ?? 1,
      ...sizesOf(inputs, attrs),
      featureMultiplier: feature.multiplier,
      featureShift: feature.shift,
      stateZeroPoint: perTensor(requireInput(inputs, STATE, "state"), "state").zeroPoint,
      outputMultiplier: result.multiplier,
      outputShift: result.shift,
      outputZeroPoint: perTensor(output, "output").zeroPoint,
      scratch: at.scratch,
    };
  },
});

function sizesOf(inputs: readonly (Tensor | undefined)[], { rank }: SvdfAttrs): SvdfSizes {
  const [filters = 1, inputDepth = 1] = requireInput(inputs, 1, "feature weights").shape;
  const time = requireInput(inputs, 2, "time weights");
  return { inputDepth, filters, rank, memory: time.shape[1] ?? 1, stateBytes: elementBytes(time.type) };
}

/** @throws UnsupportedError not-constant, unsupported-type, asymmetric-weights, per-channel-weights */
function requireTimeWeights(time: Tensor): void {
  requireType(time, "time weights", ["int8", "int16"]);
  requireConstant(time, "time weights");
  onlyScale(time);
  if (perTensor(time, "time weights").zeroPoint !== 0) {
    throw new UnsupportedError(
      "asymmetric-weights",
      `time weights "${time.name}" have a zero point other than 0; quantise weights symmetrically`,
    );
  }
}

/** Products and quotients of scales are each rounded to float32, as in the reference. */
function svdfMultipliers(
  inputs: readonly (Tensor | undefined)[],
  output: Tensor,
): { readonly feature: Multiplier; readonly result: Multiplier } {
  const scaleOf = (index: number): number => perTensor(requireInput(inputs, index, "input"), "input").scale;
  const state = scaleOf(STATE);
  const quotient = (a: number, b: number, c: number): number => Math.fround(Math.fround(a * b) / c);
  return {
    feature: requireMultiplier(quotient(scaleOf(0), scaleOf(1), state), output),
    result: requireMultiplier(quotient(state, scaleOf(2), perTensor(output, "output").scale), output),
  };
}
