import type { Model, TensorArray, Variant } from "thimble";
import { bestVariant, load, MemoryError, provesVariant, VARIANTS } from "thimble";
import { meanMs, median } from "./measure.ts";
import type { Benched, ModelRequest } from "./messages.ts";

/** The kernels of the others come as files, which this page does not host. */
const SHOWN: readonly Variant[] = VARIANTS.filter((variant) => variant !== "signed");

/** In the first rounds V8's baseline code still runs: the median leaves them out. */
const ROUNDS = 15;
const BURST_MS = 20;
const PROFILE_MS = 400;
const LEAST_PROFILED_RUNS = 3;

/** The model in every variant that the engine proves, in turns, on the same noise; then the steps of the fastest. */
export async function bench(request: ModelRequest): Promise<Benched> {
  const models = new Map<Variant, Model>();
  const remarks = new Map<Variant, string>();
  for (const variant of SHOWN) {
    const model = await loadIfPossible(request, variant);
    if (typeof model === "string") remarks.set(variant, model);
    else models.set(variant, model);
  }
  try {
    const outputs = new Map<Variant, string>();
    for (const [variant, model] of models) outputs.set(variant, String(model.run(noise(model))));
    const [first] = outputs.values();
    for (const [variant, output] of outputs)
      remarks.set(variant, output === first ? "the same" : "different");
    const times = new Map(SHOWN.map((variant) => [variant, [] as number[]]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [variant, model] of models) {
        const inputs = noise(model);
        times.get(variant)?.push(meanMs(() => void model.run(inputs), BURST_MS));
      }
    }
    const shown = models.get(await bestVariant());
    return {
      variants: SHOWN.map((variant) => ({
        variant,
        medianMs: median(times.get(variant) ?? []),
        remark: remarks.get(variant) ?? "",
      })),
      stepMs: shown === undefined ? [] : profile(shown),
    };
  } finally {
    for (const model of models.values()) model[Symbol.dispose]();
  }
}

/** The model, or why it cannot be measured: variants need a few bytes more or less than each other. */
async function loadIfPossible(request: ModelRequest, variant: Variant): Promise<Model | string> {
  if (!(await provesVariant(variant))) return "this browser does not prove it";
  const { bytes, name, sram, schedule } = request;
  try {
    return await load(bytes, { name, sram, schedule, variant });
  } catch (error) {
    if (error instanceof MemoryError) return "does not fit";
    throw error;
  }
}

/** Mean of each step; the first includes copying the inputs in. */
function profile(model: Model): number[] {
  const inputs = noise(model);
  const sums = model.report.steps.map(() => 0);
  const start = performance.now();
  let runs = 0;
  let last = start;
  while (runs < LEAST_PROFILED_RUNS || last - start < PROFILE_MS) {
    last = performance.now();
    model.runSteps(inputs, (step) => {
      const now = performance.now();
      sums[step] = (sums[step] ?? 0) + now - last;
      last = now;
    });
    runs++;
  }
  return sums.map((sum) => sum / runs);
}

const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
} as const;

/** The same for every variant: a Weyl sequence over the bytes, small in float32 and bits in bool. */
function noise({ inputs }: Model): TensorArray[] {
  return inputs.map(({ type, length }) => {
    const values = new ARRAYS[type](length);
    for (let i = 0; i < length; i++) {
      const byte = (i * 158 + 31) & 255;
      if (type === "float32") values[i] = byte / 128 - 1;
      else values[i] = type === "bool" ? byte & 1 : byte - (type === "uint8" ? 0 : 128);
    }
    return values;
  });
}
