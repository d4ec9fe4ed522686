import { describe, expect, test } from "vitest";
import type { Variant } from "../src/index.ts";
import type { CompileOptions } from "../src/index.ts";
import { compile, load, PASSES, provesVariant, UnsupportedError, VARIANTS } from "../src/index.ts";
import { goldenInputs, typed } from "./golden-inputs.ts";
import type { ConformanceCase } from "./shared.ts";
import { conformanceCases, crc32Hex, hasShared, sharedBytes } from "./shared.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

/**
 * How many cases of each folder are run, and how many use what is not run yet: ADD_N, and some operators of int16.
 */
const OPERATORS: Readonly<Record<string, readonly [run: number, refused: number]>> = {
  abs: [6, 0],
  add: [18, 0],
  add_n: [4, 0],
  arg_max: [7, 0],
  arg_min: [7, 0],
  average_pool_2d: [13, 0],
  batch_matmul: [12, 0],
  batch_to_space_nd: [7, 0],
  broadcast_to: [3, 0],
  cast: [13, 0],
  concatenation: [13, 0],
  conv_2d: [22, 0],
  cumsum: [4, 0],
  depth_to_space: [7, 0],
  depthwise_conv_2d: [18, 0],
  dequantize: [9, 0],
  div: [2, 0],
  elu: [7, 0],
  equal: [4, 0],
  expand_dims: [7, 0],
  fill: [1, 0],
  fully_connected: [15, 0],
  gather: [12, 0],
  gather_nd: [4, 0],
  greater: [4, 0],
  greater_equal: [4, 0],
  hard_swish: [10, 0],
  int16_abs: [3, 0],
  int16_add: [10, 0],
  int16_average_pool_2d: [7, 0],
  int16_batch_matmul: [5, 0],
  int16_concatenation: [7, 0],
  int16_conv_2d: [16, 0],
  int16_depthwise_conv_2d: [12, 0],
  int16_fully_connected: [10, 0],
  int16_leaky_relu: [7, 0],
  int16_logistic: [7, 0],
  int16_max_pool_2d: [7, 0],
  int16_maximum: [3, 0],
  int16_mean: [10, 0],
  int16_minimum: [3, 0],
  int16_mul: [10, 0],
  int16_pad: [6, 0],
  int16_prelu: [4, 0],
  int16_relu: [2, 0],
  int16_relu6: [2, 0],
  int16_softmax: [7, 0],
  int16_squared_difference: [4, 0],
  int16_strided_slice: [6, 0],
  int16_sub: [10, 0],
  int16_sum: [4, 0],
  int16_tanh: [7, 0],
  int16_transpose_conv: [8, 0],
  int16_unidirectional_sequence_lstm: [2, 0],
  l2_normalization: [8, 0],
  leaky_relu: [9, 0],
  less: [4, 0],
  less_equal: [4, 0],
  log_softmax: [7, 0],
  logistic: [8, 0],
  max_pool_2d: [13, 0],
  maximum: [18, 0],
  mean: [12, 0],
  minimum: [18, 0],
  mirror_pad: [10, 0],
  mul: [18, 0],
  net: [30, 0],
  not_equal: [4, 0],
  pack: [9, 0],
  pad: [12, 0],
  padv2: [12, 0],
  prelu: [10, 0],
  quantize: [31, 0],
  reduce_max: [12, 0],
  reduce_min: [6, 0],
  relu: [7, 0],
  relu6: [7, 0],
  relu_same: [3, 0],
  reshape: [7, 0],
  resize_bilinear: [15, 0],
  resize_nearest_neighbor: [15, 0],
  reverse_v2: [4, 0],
  rsqrt: [5, 0],
  select_v2: [4, 0],
  slice: [10, 0],
  softmax: [10, 0],
  softmax_int16out: [4, 0],
  space_to_batch_nd: [7, 0],
  space_to_depth: [7, 0],
  split: [10, 0],
  split_v: [9, 0],
  squared_difference: [18, 0],
  squeeze: [7, 0],
  strided_slice: [14, 0],
  sub: [18, 0],
  sum: [12, 0],
  svdf: [8, 0],
  tanh: [8, 0],
  transpose: [19, 0],
  transpose_conv: [14, 0],
  unidirectional_sequence_lstm: [7, 0],
  unpack: [9, 0],
  zeros_like: [2, 0],
};

/** What a refusal may give as its reason. */
const REFUSALS = ["unsupported-type", "unsupported-operators"];

/** Whether the case is refused as not run yet; anything else must compile. */
function isRefused(bytes: Uint8Array): boolean {
  try {
    compile(bytes, { sram: "unbounded" });
    return false;
  } catch (error) {
    if (error instanceof UnsupportedError && REFUSALS.includes(error.code)) return true;
    throw error;
  }
}

const SCHEDULES: readonly CompileOptions[] = [
  { passes: PASSES },
  { passes: [] },
  { schedule: "minimum" },
  { schedule: "minimum", passes: [] },
  { schedule: "minimum", input: "streamed", maxRecompute: 0.5 },
];

/**
 * Runs every run of the case, with passes and without, whole and in streams; by layers without passes, every operator of a
 * network is compared too.
 */
async function check(operator: string, c: ConformanceCase, variant: Variant): Promise<void> {
  const bytes = sharedBytes("conformance", operator, c.file);
  for (const options of SCHEDULES) {
    const model = await load(bytes, { variant, sram: "unbounded", ...options });
    for (const { kind, seed = 0, inputs, input_crc32, op_crc32, outputs } of c.runs) {
      if (c.sequence !== true) model.reset();
      const data =
        kind === "explicit"
          ? (inputs ?? []).map((text) => new Uint8Array(Buffer.from(text, "base64")))
          : goldenInputs(seed, kind, c.inputs);
      if (input_crc32 !== undefined) expect(data.map(crc32Hex)).toEqual(input_crc32);
      const values = data.map((input, i) => typed(c.inputs[i]?.type ?? "", input));
      const place = `${c.file}, seed ${seed}, ${JSON.stringify(options)}`;
      if (op_crc32 !== undefined && options.passes?.length === 0 && options.schedule === undefined) {
        const traced = [...model.trace(values)];
        // A RESHAPE has no step, and a network at most one.
        expect(traced.length).toBeGreaterThanOrEqual(op_crc32.length - 1);
        const wanted = traced.map(({ tensor }) => op_crc32[tensor.source]);
        expect(
          traced.map((entry) => crc32Hex(entry.bytes)),
          place,
        ).toEqual(wanted);
      }
      const crcs = model
        .run(values)
        .map((result) => crc32Hex(new Uint8Array(result.buffer, result.byteOffset, result.byteLength)));
      expect(crcs, place).toEqual(outputs.map((output) => output.crc32));
    }
  }
}

describe.skipIf(!hasShared).each(Object.entries(OPERATORS))(
  "conformance of %s",
  (operator, [run, refused]) => {
    const cases = hasShared ? conformanceCases(operator) : [];
    const runnable = cases.filter(({ file }) => !isRefused(sharedBytes("conformance", operator, file)));

    test("what is not run yet is refused, and nothing else", () => {
      expect([runnable.length, cases.length - runnable.length]).toEqual([run, refused]);
    });

    describe.skipIf(run === 0).each(proved)("%s", (variant) => {
      test.each(runnable)("$file $desc", async (c) => {
        await check(operator, c, variant);
      });
    });
  },
);
