/**
 * What `compile --target wasm2c` writes on an emulated Cortex-M4 (QEMU's netduinoplus2) without operating system: the linker script
 * gives it 1 MiB of flash and 128 KiB of SRAM, the answers come over semihosting. RAM is everything: stack, data, the model's memory.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { CompileOptions } from "../../../src/compile.ts";
import { buildCortexM4, engineCase, expectAnswers, translate } from "./cases.ts";

const parent = mkdtempSync(join(tmpdir(), "thimble-m4-"));
afterAll(() => {
  rmSync(parent, { recursive: true });
});

const KIB = 1024;

test.each<[string, number, CompileOptions]>([
  ["kws_dscnn_int8", 32 * KIB, { schedule: "minimum" }],
  ["person_detect_int8", 32 * KIB, { schedule: "minimum" }],
  ["mcunet_vww", 64 * KIB, { schedule: "minimum" }],
  ["ic_resnet8_int8", 64 * KIB, { schedule: "minimum" }],
  ["ad01_int8", 32 * KIB, { schedule: "minimum" }],
  ["mnist_lstm_int8", 32 * KIB, { schedule: "minimum" }],
  ["person_detect_int8", 32 * KIB, { schedule: "minimum", input: "streamed" }],
  ["mcunet_vww", 64 * KIB, { schedule: "minimum", input: "streamed" }],
])("%s answers as the reference in %i bytes of RAM, %j", (name, limit, options) => {
  const engine = engineCase(name, "wasm2c", parent, options);
  translate(engine.folder);
  const { run, mapRamBytes } = buildCortexM4(engine.folder, ["goldens.c", "cortex-m4.c"]);
  const printed = run();
  expectAnswers(engine, printed);
  const figure = (what: string): number => Number(new RegExp(`^${what} (\\d+)$`, "m").exec(printed)?.[1]);
  expect(figure("ram")).toBe(mapRamBytes);
  expect(mapRamBytes).toBeLessThanOrEqual(limit);
  expect(figure("stack")).toBeGreaterThan(200);
  console.log(
    `${name}, input ${engine.image.report.input}: ${mapRamBytes} bytes of RAM by the linker's map, ` +
      `${engine.firmware.ramBytes} the model's, ${figure("stack")} of 2048 the stack's`,
  );
});
