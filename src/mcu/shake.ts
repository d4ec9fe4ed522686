import type { ConvStrip, DepthwiseStrip, PoolStrip } from "../plan/packing.ts";
import {
  CONV_STRIPS,
  convStrips,
  DEPTHWISE_STRIPS,
  depthwiseStrip,
  POOL_STRIPS,
  poolStrip,
} from "../plan/packing.ts";
import type { RecordOp } from "../plan/record.ts";
import { FIELDS, planRecords } from "../plan/record.ts";
import { calls, renumberCalls, trapCalls } from "./instructions.ts";
import { mergeTraps } from "./merge-traps.ts";
import type { WasmFunction, WasmModule } from "./wasm-module.ts";

/** What a host calls. */
const ENTRIES = ["run", "step", "planVersion"] as const;

type Kernel = RecordOp | ConvStrip | DepthwiseStrip | PoolStrip;

const STRIPS: readonly string[] = [...CONV_STRIPS, ...DEPTHWISE_STRIPS, ...POOL_STRIPS];

/** Operators of a proved plan, and the strips that they call. */
export function operatorsOf(sram: Uint8Array): ReadonlySet<Kernel> {
  const found = new Set<Kernel>();
  for (const { record } of planRecords(sram)) {
    found.add(record.op);
    if (record.op === "depthwiseConv2d") found.add(depthwiseStrip(record));
    if (record.op === "averagePool2d" || record.op === "maxPool2d") found.add(poolStrip(record));
    if (record.op === "conv2d") for (const strip of convStrips(record)) found.add(strip);
  }
  return found;
}

/**
 * The kernels without what a plan of the given operators cannot reach: calls of other operators' kernels trap, and they and whatever
 * only they call are gone, imports too unless all are to be kept. The module exports `run`, `step`, `planVersion` and its memory of `pages` pages, which does not grow.
 */
export function shakeKernels(
  kernels: WasmModule,
  operators: ReadonlySet<Kernel>,
  pages: number,
  keptImports: "all" | "called" = "called",
): WasmModule {
  const { imports, exports } = kernels;
  const unused = new Set(
    [...exports]
      .filter(([name]) => (name in FIELDS || STRIPS.includes(name)) && !operators.has(name as Kernel))
      .map(([, index]) => index),
  );
  const trapped = kernels.functions.map((known) => ({
    ...known,
    body: mergeTraps(trapCalls(known.body, unused)),
  }));
  const bodyOf = (index: number): WasmFunction | undefined => trapped[index - imports.length];

  const reached = new Set<number>();
  const reach = (index: number): void => {
    if (reached.has(index)) return;
    reached.add(index);
    const known = bodyOf(index);
    if (known) for (const callee of calls(known.body)) reach(callee);
  };
  const entries = ENTRIES.map((name) => [name, exports.get(name) ?? NaN] as const);
  for (const [, index] of entries) reach(index);
  if (keptImports === "all") for (const index of imports.keys()) reach(index);

  const kept = [...reached].sort((a, b) => a - b);
  const numbers = new Map(kept.map((index, number) => [index, number]));
  const renumber = (index: number): number => numbers.get(index) ?? NaN;
  const functions = kept.flatMap((index) => {
    const known = bodyOf(index);
    return known === undefined ? [] : [{ ...known, body: renumberCalls(known.body, renumber) }];
  });
  return {
    ...kernels,
    imports: imports.filter((_, index) => reached.has(index)),
    functions,
    pages,
    exports: new Map(entries.map(([name, index]) => [name, renumber(index)])),
  };
}

/** Bytes of the functions, all of which can run. */
export function calledBytes({ functions }: WasmModule): number {
  return functions.reduce((sum, { body }) => sum + body.length, 0);
}
