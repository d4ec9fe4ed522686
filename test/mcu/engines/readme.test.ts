/** The C of the README that `compile --target` writes: compiled as it stands, it answers as a session does. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { CompileOptions } from "../../../src/compile.ts";
import { compile } from "../../../src/compile.ts";
import type { Engine } from "../../../src/mcu/firmware.ts";
import { firmware } from "../../../src/mcu/firmware.ts";
import { inlineKernels } from "../../../src/runtime/inline-kernels.ts";
import { kernelBytes } from "../../../src/runtime/kernel-bytes.ts";
import { startSession } from "../../../src/runtime/session.ts";
import { depthwiseNet } from "../../depthwise-net.ts";
import { BUILTIN, options as optionsOf, SAME, writeModel } from "../../model-writer.ts";
import { float32, int8, named, ONE_OPERATOR, weights } from "../../written-models.ts";
import { buildNative, buildWithWasm3, gcc, host, translate, wasm3Include } from "./cases.ts";

const parent = mkdtempSync(join(tmpdir(), "thimble-readme-"));
afterAll(() => {
  rmSync(parent, { recursive: true });
});

/** A convolution whose input and output are float32 to the caller, and int8 in memory. */
const betweenFloats = writeModel(
  named(
    {
      in: float32([1, 9, 7, 3]),
      quantized: int8([1, 9, 7, 3], 0.4, -12),
      w: weights([4, 3, 3, 3]),
      sums: int8([1, 9, 7, 4], 0.5, 4),
      out: float32([1, 9, 7, 4]),
    },
    [
      { builtin: BUILTIN.quantize, inputs: ["in"], output: "quantized" },
      {
        builtin: BUILTIN.conv2d,
        inputs: ["quantized", "w", ""],
        output: "sums",
        options: optionsOf.conv2d(SAME, 1),
      },
      { builtin: BUILTIN.dequantize, inputs: ["sums"], output: "out" },
    ],
    ["in"],
    ["out"],
  ),
);

/** What the README leaves to the reader: values that count, and outputs printed. */
function rest(type: "float" | "int8_t", streamed: boolean, rowLength: number): string {
  const value = (at: string): string =>
    type === "float" ? `(${at}) * 0.37f - 7.0f` : `(int8_t)((${at}) * 37)`;
  return `#include <stdio.h>
#include "thimble.h"
thimble_status start(${streamed ? "void *user" : "void"});
thimble_status infer(void);
${
  streamed
    ? `${type} input_0(void *user, uint32_t row, uint32_t i) { return ${value(`*(uint32_t *)user * row + i`)}; }`
    : `${type} input_0(uint32_t i) { return ${value("i")}; }`
}
${type} input_1(uint32_t i) { return ${value("i")}; }
void output_0(uint32_t i, ${type} value) { printf("%s%.9g", i == 0 ? "" : " ", (double)value); }
int main(void) {
  ${streamed ? `uint32_t length = ${rowLength};` : ""}
  return start(${streamed ? "&length" : ""}) || infer();
}
`;
}

const MODELS: readonly (readonly [string, Uint8Array, CompileOptions])[] = [
  ["int8", depthwiseNet(3), {}],
  ["int8 in rows", depthwiseNet(3), { input: "streamed" }],
  ["float32", betweenFloats, {}],
  ["float32 in rows", betweenFloats, { input: "streamed" }],
  ["two inputs", writeModel(ONE_OPERATOR.mul), {}],
  ["a state", writeModel(ONE_OPERATOR.svdf), {}],
];

const engines: readonly Engine[] = ["wasm2c", "wasm3"];
test.each(engines.flatMap((engine) => MODELS.map((model) => [engine, ...model] as const)))(
  "%s, %s",
  async (engine, name, bytes, options) => {
    const image = compile(bytes, { ...options, variant: "mcu", schedule: "minimum" });
    const folder = join(parent, `${engine} ${name}`);
    mkdirSync(folder);
    const { files } = firmware(image, kernelBytes("mcu"), engine);
    for (const [file, data] of files) writeFileSync(join(folder, file), data);
    const [, code = ""] = /^```c\n([^]*?)^```$/m.exec(files.get("README.md") as string) ?? [];
    const source = join(folder, "snippet.c");
    writeFileSync(source, code);
    const warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror"];
    execFileSync(gcc, ["-std=c11", "-fsyntax-only", ...warnings, "-I", host, "-I", folder, source]);
    if (engine === "wasm3" && wasm3Include === undefined) return;

    const [input] = image.inputs;
    if (input === undefined) throw new Error("no input");
    const { type, rows, shape } = input;
    expect(rows !== undefined).toBe(options.input === "streamed");
    const length = shape.reduce((a, b) => a * b, 1);
    const main = join(folder, "main.c");
    writeFileSync(
      main,
      rest(type === "float32" ? "float" : "int8_t", rows !== undefined, length / (rows ?? 1)),
    );
    if (engine === "wasm2c") translate(folder);
    const own = [source, main];
    const run =
      engine === "wasm3"
        ? buildWithWasm3(folder, own)
        : buildNative(folder, own, ["-fsanitize=address,undefined"]);

    const values =
      type === "float32"
        ? Float32Array.from({ length }, (_, i) => Math.fround(Math.fround(i * Math.fround(0.37)) - 7))
        : Int8Array.from({ length }, (_, i) => i * 37);
    const session = await startSession(inlineKernels, compile(bytes, { variant: "mcu" }));
    const [answer = []] = session.run(image.inputs.map(() => values));
    expect(run().split(" ").map(Number)).toEqual([...answer].map((value) => Number(value.toPrecision(9))));
  },
);
