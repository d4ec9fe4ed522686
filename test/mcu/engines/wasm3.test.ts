/** The real wasm3, from PyPI's pywasm3, runs what `compile --target mcu` writes. Needs python3 with pywasm3, or PYTHON. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { compile } from "../../../src/compile.ts";
import { firmware } from "../../../src/mcu/firmware.ts";
import { PLAN_VERSION } from "../../../src/plan/format.ts";
import { PORT_BYTES } from "../../../src/plan/port-type.ts";
import { kernelBytes } from "../../../src/runtime/kernel-bytes.ts";
import { writeModel } from "../../model-writer.ts";
import { ONE_OPERATOR, OPERATOR_NAMES } from "../../written-models.ts";
import type { EngineCase } from "./cases.ts";
import {
  buildWithWasm3,
  engineCase,
  expectAnswers,
  outputCrc,
  runnableModels,
  wasm3Include,
} from "./cases.ts";

const python = process.env["PYTHON"] ?? "python3";
const host = fileURLToPath(new URL("wasm3_host.py", import.meta.url));
const parent = mkdtempSync(join(tmpdir(), "thimble-wasm3-"));
afterAll(() => {
  rmSync(parent, { recursive: true });
});

const models = runnableModels();

test("there are models to run", () => {
  expect(models.length).toBeGreaterThanOrEqual(9);
});

/** Runs all inputs on wasm3 with a value stack of `stackBytes`; its lines, or what it died of. */
function onWasm3(
  { folder, runs, resets }: Pick<EngineCase, "folder" | "runs" | "resets">,
  stackBytes: number,
): { lines: string[]; error: string } {
  const inputs = join(folder, "inputs.bin");
  writeFileSync(inputs, Buffer.concat(runs.flatMap((run) => run.inputs)));
  const { stdout, stderr } = spawnSync(
    python,
    [host, folder, String(stackBytes), inputs, String(runs.length), String(resets)],
    { encoding: "utf8" },
  );
  return { lines: stdout.trimEnd().split("\n"), error: stderr };
}

const MODES = [
  ["in 256 KiB, or as little as it needs", { schedule: "minimum" }],
  ["input in rows, all weights in SRAM", { input: "streamed", sram: "unbounded" }],
] as const;

// The largest takes half a minute: once is enough.
const cases = models.flatMap((name) => MODES.map(([how, options]) => [name, how, options] as const));
test.each(cases.filter(([name, how]) => name !== "mcunetv2_large" || how === MODES[0][0]))(
  "%s answers as the reference, %s",
  (name, _, options) => {
    const engine = engineCase(name, "wasm3", parent, options);
    const { outputs } = engine.image;
    const { lines, error } = onWasm3(engine, engine.firmware.interpreter.stackBytes);
    expect(error).toBe("");
    const [version, , ...answers] = lines;
    expect(version).toBe(String(PLAN_VERSION));
    const crcs = answers.map((hex, i) => outputCrc(outputs[i % outputs.length], Buffer.from(hex, "hex")));
    expect(crcs).toEqual(engine.runs.flatMap((run) => run.outputs));
  },
);

test("a value stack that is too small is an error of wasm3, and the estimate is not three times too large", () => {
  const engine = engineCase("kws_dscnn_int8", "wasm3", parent, { schedule: "minimum" });
  const { error } = onWasm3(engine, Math.floor(engine.firmware.interpreter.stackBytes / 3));
  expect(error).toContain("stack overflow");
});

test.each(OPERATOR_NAMES)(
  "the estimate of the value stack is enough for a model of one operator: %s",
  (name) => {
    const image = compile(writeModel(ONE_OPERATOR[name]), { variant: "mcu" });
    const { files, interpreter } = firmware(image, kernelBytes("mcu"), "wasm3");
    const folder = join(parent, `operator-${name}`);
    mkdirSync(folder);
    for (const [file, data] of files) writeFileSync(join(folder, file), data);
    const inputs = image.inputs.map(
      ({ shape, storedType }) => new Uint8Array(shape.reduce((a, b) => a * b, PORT_BYTES[storedType])),
    );
    const runs = [{ seed: 1, inputs, outputs: [] }];
    expect(onWasm3({ folder, runs, resets: 0 }, interpreter.stackBytes).error).toBe("");
  },
);

test.skipIf(wasm3Include === undefined).each<[string, "resident" | "streamed"]>([
  ["kws_dscnn_int8", "resident"],
  ["mnist_lstm_int8", "resident"],
  ["mcunet_vww", "resident"],
  ["mcunet_vww", "streamed"],
])("%s answers as the reference in examples/mcu with thimble-wasm3.c, input %s", (name, input) => {
  const engine = engineCase(name, "wasm3", parent, { schedule: "minimum", input });
  expectAnswers(engine, buildWithWasm3(engine.folder, ["goldens.c", "native.c"])());
});
