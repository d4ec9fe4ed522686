import { describe, expect, test } from "vitest";
import type { Variant } from "../src/index.ts";
import type { CompileOptions } from "../src/index.ts";
import { load, PASSES, provesVariant, VARIANTS } from "../src/index.ts";
import { goldenInputs, typed } from "./golden-inputs.ts";
import type { ConformanceCase } from "./shared.ts";
import { conformanceCases, crc32Hex, hasShared, sharedBytes } from "./shared.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

/** How many cases each folder has; all are run. */
const OPERATORS: Readonly<Record<string, number>> = {
  abs: 6,
  add: 18,
  add_n: 4,
  arg_max: 7,
  arg_min: 7,
  average_pool_2d: 13,
  batch_matmul: 12,
  batch_to_space_nd: 7,
  broadcast_to: 3,
  cast: 13,
  concatenation: 13,
  conv_2d: 22,
  cumsum: 4,
  depth_to_space: 7,
  depthwise_conv_2d: 18,
  dequantize: 9,
  div: 2,
  elu: 7,
  equal: 4,
  expand_dims: 7,
  fill: 1,
  fully_connected: 15,
  gather: 12,
  gather_nd: 4,
  greater: 4,
  greater_equal: 4,
  hard_swish: 10,
  int16_abs: 3,
  int16_add: 10,
  int16_average_pool_2d: 7,
  int16_batch_matmul: 5,
  int16_concatenation: 7,
  int16_conv_2d: 16,
  int16_depthwise_conv_2d: 12,
  int16_fully_connected: 10,
  int16_leaky_relu: 7,
  int16_logistic: 7,
  int16_max_pool_2d: 7,
  int16_maximum: 3,
  int16_mean: 10,
  int16_minimum: 3,
  int16_mul: 10,
  int16_pad: 6,
  int16_prelu: 4,
  int16_relu: 2,
  int16_relu6: 2,
  int16_softmax: 7,
  int16_squared_difference: 4,
  int16_strided_slice: 6,
  int16_sub: 10,
  int16_sum: 4,
  int16_tanh: 7,
  int16_transpose_conv: 8,
  int16_unidirectional_sequence_lstm: 2,
  l2_normalization: 8,
  leaky_relu: 9,
  less: 4,
  less_equal: 4,
  log_softmax: 7,
  logistic: 8,
  max_pool_2d: 13,
  maximum: 18,
  mean: 12,
  minimum: 18,
  mirror_pad: 10,
  mul: 18,
  net: 30,
  not_equal: 4,
  pack: 9,
  pad: 12,
  padv2: 12,
  prelu: 10,
  quantize: 31,
  reduce_max: 12,
  reduce_min: 6,
  relu: 7,
  relu6: 7,
  relu_same: 3,
  reshape: 7,
  resize_bilinear: 15,
  resize_nearest_neighbor: 15,
  reverse_v2: 4,
  rsqrt: 5,
  select_v2: 4,
  slice: 10,
  softmax: 10,
  softmax_int16out: 4,
  space_to_batch_nd: 7,
  space_to_depth: 7,
  split: 10,
  split_v: 9,
  squared_difference: 18,
  squeeze: 7,
  strided_slice: 14,
  sub: 18,
  sum: 12,
  svdf: 8,
  tanh: 8,
  transpose: 19,
  transpose_conv: 14,
  unidirectional_sequence_lstm: 7,
  unpack: 9,
  zeros_like: 2,
};

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
    const model = await load(bytes, { guard: true, variant, sram: "unbounded", ...options });
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

describe.skipIf(!hasShared).each(Object.entries(OPERATORS))("conformance of %s", (operator, count) => {
  const cases = hasShared ? conformanceCases(operator) : [];

  test("no case is missing", () => {
    expect(cases.length).toBe(count);
  });

  describe.each(proved)("%s", (variant) => {
    test.each(cases)("$file $desc", async (c) => {
      await check(operator, c, variant);
    });
  });
});
