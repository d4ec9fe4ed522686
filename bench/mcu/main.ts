/**
 * What models cost on microcontrollers: `npm run bench:mcu [-- MODEL.tflite …]`. Instructions per MAC on an emulated Cortex-M4 (wasm2c,
 * QEMU's -icount), per model and per kernel; milliseconds of the same kernels on this machine as C, on wasm3 and in V8. Needs what
 * `npm run test:mcu` needs.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report, StepReport } from "thimble";
import { decodeImage, load } from "thimble";
import { machine } from "../machine.ts";
import type { NamedModel } from "../models-at.ts";
import { modelsFrom } from "../models-at.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const host = join(root, "examples/mcu");
const board = join(host, "cortex-m4");
const folder = mkdtempSync(join(tmpdir(), "thimble-bench-mcu-"));
process.on("exit", () => {
  rmSync(folder, { recursive: true });
});

/** What `thimble compile --target --json` prints. */
interface Compiled {
  readonly folder: string;
  readonly report: Report;
  readonly calledBytes: number;
  readonly interpreter: { readonly stackBytes: number };
}

function compileTo(
  target: "mcu" | "wasm2c",
  { name, bytes }: NamedModel,
  options: readonly string[],
): Compiled {
  const model = join(folder, `${name}.tflite`);
  const output = join(folder, `${name}-${target}${options.join("")}`);
  writeFileSync(model, bytes);
  const main = join(root, "dist/cli/main.js");
  const args = ["compile", model, "--target", target, "-o", output, "--json", ...options];
  const printed = execFileSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { ...(JSON.parse(printed) as Compiled), folder: output };
}

/** Sources of steps.c with a model, and the header that tells it the steps. */
function sources({ folder, report }: Compiled): string[] {
  const ends = report.steps.map(({ endRecord }) => endRecord).join(", ");
  const first = report.steps[0]?.firstRecord ?? 0;
  writeFileSync(join(folder, "steps.h"), `#define STEP_ENDS ${ends}\n#define FIRST_RECORD ${first}u\n`);
  return [
    join(root, "bench/mcu/steps.c"),
    ...["thimble.c", "thimble-wasm2c.c"].map((name) => join(host, name)),
    ...["model.c", "thimble-kernels.c"].map((name) => join(folder, name)),
  ];
}

interface Ticks {
  readonly run: number;
  readonly steps: readonly number[];
}

function ticksOf(printed: string): Ticks {
  const values = (name: string): number[] =>
    [...printed.matchAll(new RegExp(`^${name} (\\d+)$`, "gm"))].map(([, value]) => Number(value));
  return { run: values("run")[0] ?? NaN, steps: values("step") };
}

const UNCHECKED = "-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=1";
const QEMU =
  "-machine netduinoplus2 -display none -monitor none -serial none -chardev stdio,id=text -icount shift=0 " +
  "-semihosting-config enable=on,target=native,chardev=text -kernel";

function onCortexM4(compiled: Compiled, flags: readonly string[]): Ticks {
  const program = join(compiled.folder, "steps.elf");
  const own = ["startup.c", "semihosting.c"].map((name) => join(board, name));
  const includes = [host, board, compiled.folder].flatMap((path) => ["-I", path]);
  execFileSync(
    "arm-none-eabi-gcc",
    [`@${join(board, "flags")}`, ...includes, "-T", join(board, "stm32f405.ld"), "-w", ...flags]
      .concat(own, sources(compiled))
      .concat(["-lm", "-o", program]),
    { stdio: "pipe" },
  );
  return ticksOf(execFileSync("qemu-system-arm", [...QEMU.split(" "), program], { encoding: "utf8" }));
}

function native(compiled: Compiled): Ticks {
  const program = join(compiled.folder, "steps");
  const args = ["-O3", "-march=native", "-w", "-DNATIVE", UNCHECKED, "-I", host, "-I", compiled.folder];
  execFileSync(process.env["CC"] ?? "gcc", [...args, ...sources(compiled), "-lm", "-o", program]);
  return ticksOf(execFileSync(program, { encoding: "utf8" }));
}

/** Milliseconds of the fastest of three runs on wasm3. */
function onWasm3(compiled: Compiled): number {
  const inputs = join(compiled.folder, "inputs");
  writeFileSync(inputs, new Uint8Array(4_000_000));
  const script = join(root, "test/mcu/engines/wasm3_host.py");
  const times = Array.from({ length: 3 }, () => {
    const args = [script, compiled.folder, String(compiled.interpreter.stackBytes), inputs, "1", "0"];
    const printed = execFileSync(process.env["PYTHON"] ?? "python3", args, { encoding: "utf8" });
    return 1000 * Number(printed.split("\n")[1]);
  });
  return Math.min(...times);
}

/** Milliseconds of the fastest of many runs in V8. */
async function inV8(compiled: Compiled): Promise<number> {
  const model = await load(new Uint8Array(readFileSync(join(compiled.folder, "model.thimble"))));
  const inputs = model.inputs.map(({ type, length }) =>
    type === "int8" ? new Int8Array(length) : new Float32Array(length),
  );
  let least = Infinity;
  for (let i = 0; i < 30; i++) {
    const begin = performance.now();
    model.run(inputs);
    least = Math.min(least, performance.now() - begin);
  }
  return least;
}

/** Words of a convolution's record, and its opcode: src/plan/format.ts. */
const RECORD = { op: 0, words: 1, kernelHeight: 23, kernelWidth: 24 } as const;
const CONV2D = 3;

/** What a step of one operator runs: a convolution's record says what its kernel is. */
function kernelOf(step: StepReport, words: Int32Array): string {
  if (step.macs === 0 || step.op !== "conv2d") return step.macs === 0 ? "other" : step.op;
  let at = step.firstRecord >> 2;
  while (words[at + RECORD.op] !== CONV2D) at += words[at + RECORD.words] ?? NaN;
  const taps = (words[at + RECORD.kernelHeight] ?? 0) * (words[at + RECORD.kernelWidth] ?? 0);
  return taps === 1 ? "conv2d 1×1" : "conv2d k×k";
}

interface Cost {
  macs: number;
  checked: number;
  unchecked: number;
}

/** Adds the costs of a model's steps, whole layers, to those of their kernels. */
function addKernels(model: NamedModel, kernels: Map<string, Cost>): void {
  const compiled = compileTo("wasm2c", model, ["--schedule", "layer", "--sram", "104K"]);
  const { sram } = decodeImage(readFileSync(join(compiled.folder, "model.thimble")));
  const words = new Int32Array(sram.slice(0, sram.length & ~3).buffer);
  const [checked, unchecked] = [onCortexM4(compiled, []), onCortexM4(compiled, [UNCHECKED])];
  for (const [i, step] of compiled.report.steps.entries()) {
    const name = kernelOf(step, words);
    const cost = kernels.get(name) ?? { macs: 0, checked: 0, unchecked: 0 };
    kernels.set(name, cost);
    cost.macs += step.macs;
    cost.checked += checked.steps[i] ?? NaN;
    cost.unchecked += unchecked.steps[i] ?? NaN;
  }
}

/** What fits the board: 1 MiB of flash, 128 KiB of SRAM. */
const FLASH_BYTES = 900_000;
const MINIMUM = ["--schedule", "minimum"];

const paths = process.argv.slice(2);
const models = modelsFrom(paths).filter(({ bytes }) => bytes.length < FLASH_BYTES);
const kernels = new Map<string, Cost>();
console.log(`${machine()}\n`);
console.log(
  "| model | MACs | RAM | called code | M4 instructions/MAC | unchecked | native ms | V8 ms | wasm3 ms |",
);
console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const model of models) {
  const compiled = compileTo("wasm2c", model, MINIMUM);
  const { macs, ramBytes } = compiled.report;
  const forWasm3 = compileTo("mcu", model, MINIMUM);
  const perMac = (ticks: Ticks): string => (ticks.run / macs).toFixed(1);
  const cells = [
    model.name,
    macs.toLocaleString("en"),
    ramBytes.toLocaleString("en"),
    forWasm3.calledBytes.toLocaleString("en"),
    perMac(onCortexM4(compiled, [])),
    perMac(onCortexM4(compiled, [UNCHECKED])),
    (native(compiled).run / 1e6).toFixed(2),
    (await inV8(compiled)).toFixed(2),
    onWasm3(forWasm3).toFixed(1),
  ];
  console.log(`| ${cells.join(" | ")} |`);
  addKernels(model, kernels);
}

console.log(
  "\n| kernel, whole layers | MACs | M4 instructions/MAC | unchecked |\n| --- | ---: | ---: | ---: |",
);
for (const [name, { macs, checked, unchecked }] of kernels) {
  if (macs === 0) continue;
  const figures = [(checked / macs).toFixed(1), (unchecked / macs).toFixed(1)];
  console.log(`| ${[name, macs.toLocaleString("en"), ...figures].join(" | ")} |`);
}
