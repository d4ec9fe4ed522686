/** What examples/mcu tells: main.c on inputs resident and in rows, and several models in one program. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compile } from "../../../src/compile.ts";
import type { Image } from "../../../src/emit/image.ts";
import { firmware } from "../../../src/mcu/firmware.ts";
import { inlineKernels } from "../../../src/runtime/inline-kernels.ts";
import { kernelBytes } from "../../../src/runtime/kernel-bytes.ts";
import { startSession } from "../../../src/runtime/session.ts";
import { depthwiseNet } from "../../depthwise-net.ts";
import { writeModel } from "../../model-writer.ts";
import { ONE_OPERATOR } from "../../written-models.ts";
import { buildNative, gcc, host, programSources, translate } from "./cases.ts";

const parent = mkdtempSync(join(tmpdir(), "thimble-examples-"));
afterAll(() => {
  rmSync(parent, { recursive: true });
});

/** Writes a model's files into a folder of that name. */
function written(name: string, image: Image): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  for (const [file, data] of firmware(image, kernelBytes("mcu"), "wasm2c").files)
    writeFileSync(join(folder, file), data);
  translate(folder);
  return folder;
}

/** The first output for inputs of one value. */
async function answer(model: Uint8Array, value: number): Promise<number[]> {
  const image = compile(model, { variant: "mcu" });
  const inputs = image.inputs.map(({ shape }) => new Int8Array(shape.reduce((a, b) => a * b, 1)).fill(value));
  const [output = []] = (await startSession(inlineKernels, image)).run(inputs);
  return [...output];
}

const net = depthwiseNet(3);

test.each(["resident", "streamed"] as const)("main.c, input %s", async (input) => {
  const image = compile(net, { variant: "mcu", schedule: "minimum", input });
  const run = buildNative(
    written(input, image),
    [join(host, "main.c"), "native.c"],
    ["-Wall", "-Wextra", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
  );
  const scores = await answer(net, image.inputs[0]?.zeroPoint ?? NaN);
  const largest = Math.max(...scores);
  expect(run()).toBe(`class ${scores.indexOf(largest)}, value ${largest}\n`);
});

test("models of different kernels in one program, each linked by itself first", async () => {
  const models = { first: net, second: writeModel(ONE_OPERATOR.softmax) };
  const objects = Object.entries(models).map(([name, model]) => {
    const folder = written(name, compile(model, { variant: "mcu" }));
    const object = join(folder, `${name}.o`);
    const includes = ["-I", host, "-I", folder];
    const sources = programSources(folder, ["several.c"]);
    execFileSync(gcc, ["-std=gnu11", "-O1", "-r", `-DNAME=${name}`, ...includes, ...sources, "-o", object]);
    execFileSync("objcopy", [`--keep-global-symbol=${name}`, object]);
    return object;
  });
  const answers = { first: await answer(net, 7), second: await answer(models.second, -9) };
  const main = join(parent, "main.c");
  const print = (name: string, value: number, length: number): string =>
    `  values = ${name}(${value}); for (int i = 0; i < ${length}; i++) printf("%d ", values[i]);\n`;
  const both = print("first", 7, answers.first.length) + print("second", -9, answers.second.length);
  writeFileSync(
    main,
    `#include <stdio.h>\nconst signed char *first(signed char), *second(signed char), *values;\nint main(void) {\n${both}${both}}\n`,
  );
  const program = join(parent, "program");
  execFileSync(gcc, [main, ...objects, "-lm", "-o", program]);
  const expected = [...answers.first, ...answers.second];
  const printed = execFileSync(program, { encoding: "utf8" }).trim().split(" ").map(Number);
  expect(printed).toEqual([...expected, ...expected]);
});
