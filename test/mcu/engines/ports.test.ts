/** Inputs and outputs of every type through the C API: thimble-wasm2c.c under sanitizers, and thimble-wasm3.c. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compile } from "../../../src/compile.ts";
import type { Engine } from "../../../src/mcu/firmware.ts";
import { firmware } from "../../../src/mcu/firmware.ts";
import { kernelBytes } from "../../../src/runtime/kernel-bytes.ts";
import { BUILTIN, writeModel } from "../../model-writer.ts";
import { buildNative, buildWithWasm3, translate, wasm3Include } from "./cases.ts";

const parent = mkdtempSync(join(tmpdir(), "thimble-ports-"));
afterAll(() => {
  rmSync(parent, { recursive: true });
});

/** Type, its number and bytes in the C API, zero point, and what ports.c's real values are as stored. */
const PORTS = [
  ["int8", 0, 1, 5, [-128, 2, 4, 5, 5, 7, 127]],
  ["uint8", 2, 1, 100, [0, 97, 99, 100, 100, 102, 255]],
  ["int16", 3, 2, 0, [-32768, -3, -1, 0, 0, 2, 32767]],
  ["int32", 4, 4, 0, undefined],
  ["bool", 5, 1, 0, undefined],
] as const;
const LENGTH = 6;

const image = compile(
  writeModel({
    tensors: PORTS.flatMap(([type, , , zeroPoint]) =>
      ["in", "out"].map((side, i) => ({
        name: `${type}-${side}`,
        shape: i === 0 ? [2, 3] : [3, 2],
        type,
        ...(type === "bool" ? {} : { scales: [0.25], zeroPoints: [zeroPoint] }),
      })),
    ),
    operators: PORTS.map((_, i) => ({
      builtin: BUILTIN.reshape,
      inputs: [2 * i],
      outputs: [2 * i + 1],
      options: [],
    })),
    inputs: PORTS.map((_, i) => 2 * i),
    outputs: PORTS.map((_, i) => 2 * i + 1),
  }),
  { variant: "mcu" },
);

test.each<Engine>(wasm3Include === undefined ? ["wasm2c"] : ["wasm2c", "wasm3"])("with %s", (engine) => {
  const folder = join(parent, engine);
  mkdirSync(folder);
  for (const [name, data] of firmware(image, kernelBytes("mcu"), engine).files)
    writeFileSync(join(folder, name), data);
  if (engine === "wasm2c") translate(folder);
  const run =
    engine === "wasm3"
      ? buildWithWasm3(folder, ["ports.c"])
      : buildNative(folder, ["ports.c"], ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
  const lines = run().trimEnd().split("\n");

  const described = lines.filter((line) => line.startsWith("port"));
  const wanted = PORTS.map(([, number, bytes, , stored]) => {
    const head = `port ${number} ${number} ${LENGTH} ${LENGTH * bytes}`;
    return stored === undefined ? head : `${head} ${stored.join(" ")}`;
  });
  for (const [i, line] of described.entries()) expect(line).toContain(wanted[i % PORTS.length]);
  expect(described).toHaveLength(2 * PORTS.length);

  let count = 0;
  const outputs = PORTS.map(([type, , bytes]) =>
    Buffer.from(
      Array.from({ length: LENGTH * bytes }, (_, at) => (type === "bool" ? at & 1 : ++count)),
    ).toString("hex"),
  );
  expect(lines.filter((line) => line.startsWith("output"))).toEqual(outputs.map((hex) => `output ${hex}`));
});
