import { describe, expect, test } from "vitest";
import type { Variant } from "../src/index.ts";
import { compile, load, provesVariant, UnsupportedError, VARIANTS } from "../src/index.ts";
import type { InputKind } from "./golden-inputs.ts";
import { goldenInputs, typed } from "./golden-inputs.ts";
import type { ConformanceCase } from "./shared.ts";
import { conformanceCases, crc32Hex, hasShared, sharedBytes } from "./shared.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

/**
 * Folders of the operators that are run, and how many of their cases use what is not run yet: grouped convolutions, uint8 and
 * int16 quantisation, and in networks other operators.
 */
const OPERATORS: Readonly<Record<string, number>> = {
  conv_2d: 4,
  depthwise_conv_2d: 0,
  fully_connected: 0,
  add: 0,
  mul: 0,
  average_pool_2d: 0,
  max_pool_2d: 0,
  mean: 0,
  softmax: 0,
  reshape: 0,
  pad: 0,
  transpose: 0,
  quantize: 19,
  dequantize: 4,
  net: 19,
};

/** Whether the case is refused as not run yet; anything else must compile. */
function isRefused(bytes: Uint8Array): boolean {
  try {
    compile(bytes, { sram: "unbounded" });
    return false;
  } catch (error) {
    if (error instanceof UnsupportedError) return true;
    throw error;
  }
}

async function check(
  operator: string,
  { file, inputs, runs }: ConformanceCase,
  variant: Variant,
): Promise<void> {
  const bytes = sharedBytes("conformance", operator, file);
  for (const options of [{}, { passes: [] }]) {
    const model = await load(bytes, { variant, sram: "unbounded", ...options });
    for (const run of runs) {
      const data =
        run.inputs?.map((text) => new Uint8Array(Buffer.from(text, "base64"))) ??
        goldenInputs(run.seed ?? 0, run.kind as InputKind, inputs);
      if (run.input_crc32 !== undefined) expect(data.map(crc32Hex)).toEqual(run.input_crc32);
      const results = model.run(data.map((input, i) => typed(inputs[i]?.type ?? "", input)));
      const crcs = results.map((values) =>
        crc32Hex(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
      );
      expect(crcs, `${file} seed ${run.seed ?? "–"}`).toEqual(run.outputs.map((output) => output.crc32));
    }
  }
}

describe.skipIf(!hasShared).each(Object.entries(OPERATORS))("conformance of %s", (operator, refused) => {
  const cases = hasShared ? conformanceCases(operator) : [];
  const runnable = cases.filter(({ file }) => !isRefused(sharedBytes("conformance", operator, file)));

  test("what is not run yet is refused, and nothing else", () => {
    expect(cases.length - runnable.length).toBe(refused);
    expect(runnable.length).toBeGreaterThan(0);
  });

  describe.each(proved)("%s", (variant) => {
    test.each(runnable)("$file $desc", async (c) => {
      await check(operator, c, variant);
    });
  });
});
