import { load } from "../../src/index.ts";
import type { Variant } from "../../src/index.ts";
import { crc32 } from "../../src/plan/crc32.ts";
import { goldenInputs, typed } from "../golden-inputs.ts";
import type { Golden } from "../shared.ts";

/** What a page or a worker is asked to check. */
export interface GoldenRequest {
  readonly model: Uint8Array;
  readonly golden: Golden;
  readonly variant: Variant;
  /** Compile the graph as it stands, and compare every operator. */
  readonly asItStands: boolean;
}

/** How many values were compared, and the first that differs. */
export interface GoldenResult {
  readonly compared: number;
  readonly difference: string | undefined;
}

function hex(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}

/** Runs all seeds and compares tensors and outputs by CRC. */
export async function checkGoldens({
  model: bytes,
  golden,
  variant,
  asItStands,
}: GoldenRequest): Promise<GoldenResult> {
  const model = await load(bytes, { variant, sram: "unbounded", ...(asItStands ? { passes: [] } : {}) });
  let compared = 0;
  for (const { seed, kind, outputs } of golden.runs) {
    const values = goldenInputs(seed, kind, golden.inputs).map((data, i) =>
      typed(golden.inputs[i]?.type ?? "", data),
    );
    model.reset();
    for (const { step, tensor, bytes: result } of model.trace(values)) {
      if (golden.trace.ops[tensor.source]?.outputs[0]?.tensor !== tensor.id) continue;
      compared++;
      if (hex(result) !== golden.op_crc32_by_seed[String(seed)]?.[tensor.source]) {
        return { compared, difference: `seed ${seed}, operator ${tensor.source} (${step.op})` };
      }
    }
    model.reset();
    for (const [i, answer] of model.run(values).entries()) {
      compared++;
      const result = new Uint8Array(answer.buffer, answer.byteOffset, answer.byteLength);
      if (hex(result) !== outputs[i]?.crc32) return { compared, difference: `seed ${seed}, output ${i}` };
    }
  }
  return { compared, difference: undefined };
}
