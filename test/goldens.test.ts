import { describe, expect, test } from "vitest";
import type { CompileOptions, Model } from "../src/index.ts";
import { load, MemoryError, provesVariant, UnsupportedError, VARIANTS } from "../src/index.ts";
import { goldenInputs, typed } from "./golden-inputs.ts";
import { crc32Hex, golden, hasShared, modelBytes } from "./shared.ts";

/** The models, the operators that the default passes do away with, and the activation bytes to reach. */
const MODELS = {
  ad01_int8: { removed: 0, arenaBytes: 768 },
  hello_world_int8: { removed: 0, arenaBytes: undefined },
  ic_resnet8_int8: { removed: 1, arenaBytes: 49_152 },
  kws_dscnn_int8: { removed: 1, arenaBytes: 16_000 },
  mcunet_vww: { removed: 9, arenaBytes: 89_600 },
  mcunetv2_large: { removed: 10, arenaBytes: 1_404_928 },
  micro_speech_int8: { removed: 1, arenaBytes: undefined },
  person_detect_int8: { removed: 1, arenaBytes: 55_296 },
  vww_mobilenet_int8: { removed: 1, arenaBytes: 55_296 },
};

const proved = new Map(await Promise.all(VARIANTS.map(async (v) => [v, await provesVariant(v)] as const)));

/** In 256 KiB, or in what it takes. */
async function loadSomehow(name: string, options: CompileOptions): Promise<Model> {
  try {
    return await load(modelBytes(name), options);
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    return load(modelBytes(name), { ...options, sram: "unbounded" });
  }
}

/** Compares every tensor and output of every seed; gives the number of operators compared per seed. */
function compare(name: string, model: Model): number {
  const { inputs, runs, trace, op_crc32_by_seed: crcs } = golden(name);
  let compared = 0;
  for (const { seed, kind, input_crc32, outputs } of runs) {
    const bytes = goldenInputs(seed, kind, inputs);
    expect(bytes.map(crc32Hex)).toEqual(input_crc32);
    const values = bytes.map((data, i) => typed(inputs[i]?.type ?? "", data));
    for (const entry of model.trace(values)) {
      const { source } = entry.step;
      const wanted = trace.ops[source]?.outputs[0];
      if (wanted?.tensor !== entry.tensor.id) continue;
      compared++;
      const place = `seed ${seed}, operator ${source} (${wanted.name})`;
      expect(crc32Hex(entry.bytes), place).toBe(crcs[String(seed)]?.[source]);
    }
    const answers = model
      .run(values)
      .map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    expect(answers.map(crc32Hex)).toEqual(outputs.map((output) => output.crc32));
  }
  return compared / runs.length;
}

describe.skipIf(!hasShared).each(Object.entries(MODELS))(
  "%s equals the reference",
  (name, { removed, arenaBytes }) => {
    describe.each(VARIANTS)("in %s", (variant) => {
      const skip = proved.get(variant) !== true;

      test.skipIf(skip)("every operator of every seed, with passes: []", { timeout: 120_000 }, async () => {
        const model = await loadSomehow(name, { variant, passes: [] });
        // RESHAPE alone has no step: its bytes are its input's.
        const operators = golden(name).trace.ops.filter((op) => op.name !== "RESHAPE");
        expect(compare(name, model)).toBe(operators.length);
      });

      test.skipIf(skip)(
        "every tensor that is left and all outputs, by default",
        { timeout: 120_000 },
        async () => {
          const model = await loadSomehow(name, { variant });
          expect(compare(name, model)).toBe(golden(name).trace.ops.length - removed);
          if (arenaBytes !== undefined) expect(model.report.arenaBytes).toBeLessThanOrEqual(arenaBytes);
        },
      );
    });
  },
);

describe.skipIf(!hasShared).each([
  ["mcunet_vww", 128],
  ["kws_dscnn_int8", 64],
  ["kws_dscnn_int8", 32],
] as const)("%s in %i KiB", (name, kibibytes) => {
  test.each(VARIANTS.filter((variant) => proved.get(variant)))(
    "weights streamed, same bits (%s)",
    async (variant) => {
      const model = await load(modelBytes(name), { variant, sram: kibibytes * 1024 });
      expect(model.report.ramBytes).toBeLessThanOrEqual(kibibytes * 1024);
      compare(name, model);
      if (name === "mcunet_vww" || kibibytes === 32) expect(model.report.streamedBytes).toBeGreaterThan(0);
    },
  );
});

test.skipIf(!hasShared)("an unsupported operator is named", async () => {
  const loading = load(modelBytes("mnist_lstm_int8"));
  await expect(loading).rejects.toBeInstanceOf(UnsupportedError);
  await expect(loading).rejects.toMatchObject({ code: "unsupported-operators" });
  await expect(loading).rejects.toThrow("UNIDIRECTIONAL_SEQUENCE_LSTM");
});
