import { describe, expect, test } from "vitest";
import type { CompileOptions, InputValues, Model } from "../src/index.ts";
import { load, provesVariant, VARIANTS } from "../src/index.ts";
import { goldenInputs, typed } from "./golden-inputs.ts";
import { crc32Hex, golden, hasShared, modelBytes } from "./shared.ts";

interface Expectation {
  /** Operators that the default passes do away with. */
  readonly removed: number;
  /** Bytes of activations to reach: by whole layers, and by streams with the input resident and streamed. */
  readonly arenaBytes?: readonly [layer: number, resident: number, streamed: number];
  /** Where the default of 256 KiB is too little. */
  readonly sram?: "unbounded";
}

const MODELS: Readonly<Record<string, Expectation>> = {
  ad01_int8: { removed: 0, arenaBytes: [768, 768, 768] },
  hello_world_int8: { removed: 0 },
  ic_resnet8_int8: { removed: 1, arenaBytes: [49_152, 13_824, 11_104] },
  kws_dscnn_int8: { removed: 1, arenaBytes: [16_000, 5_930, 5_604] },
  mcunet_vww: { removed: 9, arenaBytes: [89_600, 21_760, 16_832] },
  mcunetv2_large: { removed: 10, arenaBytes: [1_404_928, 220_544, 220_544], sram: "unbounded" },
  micro_speech_int8: { removed: 1 },
  mnist_lstm_int8: { removed: 1, arenaBytes: [852, 852, 852] },
  person_detect_int8: { removed: 1, arenaBytes: [55_296, 14_592, 14_496] },
  vww_mobilenet_int8: { removed: 1, arenaBytes: [55_296, 28_032, 14_592] },
};

const proved = new Map(await Promise.all(VARIANTS.map(async (v) => [v, await provesVariant(v)] as const)));

/** The variants, those that are skipped with the reason. */
const TITLED = VARIANTS.map(
  (v) => [proved.get(v) ? v : `${v}, which this engine does not prove`, v] as const,
);

/** Compares every tensor and output of every seed; gives the number of operators compared per seed. */
function compare(name: string, model: Model): number {
  const { inputs, runs, trace, op_crc32_by_seed: crcs } = golden(name);
  expect(runs.map(({ seed }) => seed)).toEqual([1, 2, 3, 4, 5, 6]);
  let compared = 0;
  for (const { seed, kind, input_crc32, outputs } of runs) {
    const bytes = goldenInputs(seed, kind, inputs);
    expect(bytes.map(crc32Hex)).toEqual(input_crc32);
    const values = bytes.map((data, i): InputValues => {
      const whole = typed(inputs[i]?.type ?? "", data);
      const rows = model.inputs[i]?.rows;
      if (rows === undefined) return whole;
      let next = 0;
      return (row, into) => {
        // Each once, in order.
        expect(row).toBe(next);
        next = (next + 1) % rows;
        into.set(whole.subarray((row * whole.length) / rows, ((row + 1) * whole.length) / rows));
      };
    });
    model.reset();
    for (const entry of model.trace(values)) {
      const { source } = entry.tensor;
      const wanted = trace.ops[source]?.outputs[0];
      if (wanted?.tensor !== entry.tensor.id) continue;
      compared++;
      const place = `seed ${seed}, operator ${source} (${wanted.name})`;
      expect(crc32Hex(entry.bytes), place).toBe(crcs[String(seed)]?.[source]);
    }
    model.reset();
    const answers = model
      .run(values)
      .map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    expect(answers.map(crc32Hex)).toEqual(outputs.map((output) => output.crc32));
  }
  return compared / runs.length;
}

describe.skipIf(!hasShared).each(Object.entries(MODELS))(
  "%s equals the reference",
  (name, { removed, arenaBytes, sram = 262_144 }) => {
    describe.each(TITLED)("in %s", (_, variant) => {
      const skip = proved.get(variant) !== true;

      test.skipIf(skip)("every operator of every seed, with passes: []", async () => {
        const model = await load(modelBytes(name), {
          guard: true,
          variant,
          sram,
          passes: [],
          schedule: "layer",
        });
        // RESHAPE alone has no step: its bytes are its input's.
        const operators = golden(name).trace.ops.filter((op) => op.name !== "RESHAPE");
        expect(compare(name, model)).toBe(operators.length);
      });

      test.skipIf(skip)("every tensor that is left and all outputs, with the default passes", async () => {
        const model = await load(modelBytes(name), { guard: true, variant, sram, schedule: "layer" });
        if (sram !== "unbounded") expect(model.report.ramBytes).toBeLessThanOrEqual(sram);
        expect(compare(name, model)).toBe(golden(name).trace.ops.length - removed);
        if (arenaBytes !== undefined) expect(model.report.arenaBytes).toBeLessThanOrEqual(arenaBytes[0]);
      });

      const small = name === "mcunetv2_large" ? 640 * 1024 : 64 * 1024;
      test.skipIf(skip).each<[string, CompileOptions]>([
        ["auto, all of memory", { sram }],
        ["auto, little memory", { sram: name === "mcunet_vww" ? 2 * small : small }],
        ["auto, little memory, rows of input", { sram: small, input: "streamed" }],
        ["minimum, weights resident", { schedule: "minimum", sram: "unbounded" }],
        ["minimum, weights streamed", { schedule: "minimum", sram: 2 ** 20 }],
        ["minimum, rows of input", { schedule: "minimum", sram: "unbounded", input: "streamed" }],
        ["minimum as it stands", { schedule: "minimum", sram: "unbounded", passes: [] }],
      ])("outputs and what is left whole, scheduled %s", async (_, options) => {
        const model = await load(modelBytes(name), { guard: true, variant, ...options });
        compare(name, model);
        const { arenaBytes: bytes, ramBytes, budgetBytes } = model.report;
        expect(ramBytes).toBeLessThanOrEqual(budgetBytes ?? Infinity);
        if (arenaBytes === undefined || variant !== "mcu" || options.passes !== undefined) return;
        if (options.schedule !== "minimum" || options.sram !== "unbounded") return;
        expect(bytes).toBeLessThanOrEqual(arenaBytes[options.input === "streamed" ? 2 : 1]);
      });
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
      const model = await load(modelBytes(name), {
        guard: true,
        variant,
        sram: kibibytes * 1024,
        schedule: "layer",
      });
      expect(model.report.ramBytes).toBeLessThanOrEqual(kibibytes * 1024);
      expect(compare(name, model)).toBe(golden(name).trace.ops.length - (MODELS[name]?.removed ?? NaN));
      if (name === "mcunet_vww" || kibibytes === 32) expect(model.report.streamedBytes).toBeGreaterThan(0);
    },
  );
});

describe.skipIf(!hasShared)("mnist_lstm_int8 keeps its state from run to run", () => {
  test.each(VARIANTS.filter((variant) => proved.get(variant)))(
    "as one invocation after the other, until it is reset (%s)",
    async (variant) => {
      const { inputs, sequence = [] } = golden("mnist_lstm_int8");
      expect(sequence.length).toBe(6);
      const model = await load(modelBytes("mnist_lstm_int8"), { guard: true, variant });
      for (const round of ["as loaded", "after a reset"]) {
        for (const { seed, outputs } of sequence) {
          const kind = seed < 4 ? "noise" : "smooth";
          const values = goldenInputs(seed, kind, inputs).map((data) => typed("int8", data));
          const crcs = model.run(values).map(({ buffer, byteOffset, byteLength }) => {
            return crc32Hex(new Uint8Array(buffer, byteOffset, byteLength));
          });
          expect(crcs, `seed ${seed}, ${round}`).toEqual(outputs.map(({ crc32 }) => crc32));
        }
        model.reset();
      }
    },
  );
});
