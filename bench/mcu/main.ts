/**
 * What models cost on microcontrollers: `npm run bench:mcu [-- MODEL.tflite …]`. Instructions per MAC on an emulated Cortex-M4 (QEMU's
 * -icount), per model and per kernel, as C (wasm2c) and on wasm3; milliseconds of the same kernels on this machine as C, in V8 and on
 * wasm3; and models on wasm3 with all weights in memory beside what bare loops would take for as many products. Needs what
 * `npm run test:mcu` needs, and WASM3_SOURCE: the folder of wasm3's C files (of pywasm3's source package).
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  const main = join(root, "dist/cli/main.node.js");
  const args = ["compile", model, "--target", target, "-o", output, "--json", ...options];
  const printed = execFileSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { ...(JSON.parse(printed) as Compiled), folder: output };
}

type Engine = "wasm2c" | "wasm3";

/** Sources of steps.c with a model, and the header that tells it the steps. */
function sources({ folder, report }: Compiled, engine: Engine): string[] {
  const ends = report.steps.map(({ endRecord }) => endRecord).join(", ");
  const first = report.steps[0]?.firstRecord ?? 0;
  writeFileSync(join(folder, "steps.h"), `#define STEP_ENDS ${ends}\n#define FIRST_RECORD ${first}u\n`);
  return [
    join(root, "bench/mcu/steps.c"),
    ...["thimble.c", `thimble-${engine}.c`].map((name) => join(host, name)),
    ...["model.c", ...(engine === "wasm2c" ? ["thimble-kernels.c"] : [])].map((name) => join(folder, name)),
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
  "-display none -monitor none -serial none -chardev stdio,id=text -icount shift=0 " +
  "-semihosting-config enable=on,target=native,chardev=text";

function inQemu(machine: string, program: string): Ticks {
  const args = ["-machine", machine, ...QEMU.split(" "), "-kernel", program];
  return ticksOf(execFileSync("qemu-system-arm", args, { encoding: "utf8" }));
}

function buildForM4(compiled: Compiled, engine: Engine, script: string, flags: readonly string[]): string {
  const program = join(compiled.folder, "steps.elf");
  const own = ["startup.c", "semihosting.c"].map((name) => join(board, name));
  const includes = [host, board, compiled.folder].flatMap((path) => ["-I", path]);
  execFileSync(
    "arm-none-eabi-gcc",
    [`@${join(board, "flags")}`, ...includes, "-T", script, "-w", ...flags]
      .concat(own, sources(compiled, engine))
      .concat(["-lm", "-o", program]),
    { stdio: "pipe" },
  );
  return program;
}

function onCortexM4(compiled: Compiled, flags: readonly string[]): Ticks {
  const script = join(board, "stm32f405.ld");
  return inQemu("netduinoplus2", buildForM4(compiled, "wasm2c", script, flags));
}

const wasm3Source = process.env["WASM3_SOURCE"];
/** As wasm3's own advice for microcontrollers. */
const WASM3_FLAGS = ["-Dd_m3MaxFunctionStackHeight=256", "-Dd_m3CodePageAlignSize=1024"];

/** wasm3's object files for a Cortex-M4, compiled once, and a linker script with memory for its heap. */
const forWasm3OnM4 = (() => {
  if (wasm3Source === undefined) return undefined;
  const objects = join(folder, "wasm3");
  mkdirSync(objects);
  const files = readdirSync(wasm3Source).filter((name) => name.endsWith(".c"));
  const architecture = readFileSync(join(board, "flags"), "utf8").split("\n")[0] ?? "";
  execFileSync(
    "arm-none-eabi-gcc",
    [
      ...architecture.split(" "),
      "-std=gnu11",
      "-O3",
      "-w",
      "--specs=nano.specs",
      ...WASM3_FLAGS,
      "-c",
    ].concat(files.map((name) => join(wasm3Source, name))),
    { cwd: objects },
  );
  const script = join(folder, "mps2-an386.ld");
  const lengths = readFileSync(join(board, "stm32f405.ld"), "utf8")
    .replace("ORIGIN = 0x08000000, LENGTH = 1024K", "ORIGIN = 0x00000000, LENGTH = 4096K")
    .replace("ORIGIN = 0x20000000, LENGTH = 128K", "ORIGIN = 0x20000000, LENGTH = 4096K")
    .replace("STACK_BYTES : 2048", "STACK_BYTES : 32768");
  writeFileSync(script, lengths);
  return { source: wasm3Source, script, objects: readdirSync(objects).map((name) => join(objects, name)) };
})();

/** Without wasm3's sources every figure is NaN. */
function onWasm3OnCortexM4(compiled: Compiled): Ticks {
  if (forWasm3OnM4 === undefined) return { run: NaN, steps: [] };
  const { source, script, objects } = forWasm3OnM4;
  return inQemu(
    "mps2-an386",
    buildForM4(compiled, "wasm3", script, ["-I", source, ...WASM3_FLAGS, ...objects]),
  );
}

/** Builds the kernels as C for this machine; gives a function that takes the milliseconds of the fastest of some runs. */
function native(compiled: Compiled): () => number {
  const program = join(compiled.folder, "steps");
  const args = ["-O2", "-w", "-DNATIVE", UNCHECKED, "-I", host, "-I", compiled.folder];
  execFileSync(process.env["CC"] ?? "gcc", [...args, ...sources(compiled, "wasm2c"), "-lm", "-o", program]);
  return () => ticksOf(execFileSync(program, { encoding: "utf8" })).run / 1e6;
}

/** Milliseconds of a run on wasm3. */
function onWasm3(compiled: Compiled): () => number {
  const inputs = join(compiled.folder, "inputs");
  writeFileSync(inputs, new Uint8Array(4_000_000));
  const script = join(root, "test/mcu/engines/wasm3_host.py");
  const args = [script, compiled.folder, String(compiled.interpreter.stackBytes), inputs, "1", "0"];
  return () => {
    const printed = execFileSync(process.env["PYTHON"] ?? "python3", args, { encoding: "utf8" });
    return 1000 * Number(printed.split("\n")[1]);
  };
}

/** The bare loops of assembly/limits/interpreter.ts. */
const LOOPS = ["pointwise", "depthwise", "matrixVector"] as const;

/** The one whose products an operator's are. */
function loopOf(op: StepReport["op"]): (typeof LOOPS)[number] {
  if (op === "conv2d") return "pointwise";
  return op === "depthwiseConv2d" ? "depthwise" : "matrixVector";
}

/** Of besideLoops: the least differs from process to process by a quarter, since where wasm3 and its code lie does. */
const PROCESSES = 8;
const ROUNDS_OF_PROCESS = 4;

/**
 * What the kernels' design measured of the best loops that it had, in million MAC/s on another machine: its 1×1 loop is the one here; its matrix ×
 * vector one takes a row at a time.
 */
const DESIGN = { pointwise: 949, depthwise: 350, matrixVector: 492 };

/** Prints what models take on wasm3, and what bare loops would take for their products, run in turns in the same processes. */
function besideLoops(models: readonly NamedModel[]): void {
  const loops = join(folder, "loops.wasm");
  const source = join(root, "assembly/limits/interpreter.ts");
  const flags =
    "--config none --runtime stub --noAssert --use abort= --initialMemory 8 -O3 --disableWarning 112";
  const compiler = join(root, "node_modules/assemblyscript/bin/asc.js");
  execFileSync(process.execPath, [compiler, source, ...flags.split(" "), "-o", loops]);
  const compiled = models.map((model) => compileTo("mcu", model, ["--sram", "unbounded"]));
  const folders = compiled.map((model) => `${model.folder}:${model.interpreter.stackBytes}`);
  const script = join(root, "bench/mcu/wasm3_models.py");
  const args = [script, String(ROUNDS_OF_PROCESS), loops, ...folders];
  const best = new Map<string, number>();
  for (let i = 0; i < PROCESSES; i++) {
    const printed = execFileSync(process.env["PYTHON"] ?? "python3", args, { encoding: "utf8" });
    for (const line of printed.trimEnd().split("\n")) {
      const [seconds, ...names] = line.split(" ");
      const name = names.join(" ");
      best.set(name, Math.min(best.get(name) ?? Infinity, Number(seconds)));
    }
  }
  const rates = new Map(LOOPS.map((name) => [name, 1 / (best.get(name) ?? NaN)]));
  console.log(
    [...rates].map(([name, rate]) => `${name} ${(rate / 1e6).toFixed(0)} million MAC/s`).join(", "),
  );
  row(["model, weights in memory", "MACs", "wasm3 ms", "bare loops", "wasm3 / bare loops", "/ the design's"]);
  row(["---", ...new Array<string>(5).fill("---:")]);
  const designed = new Map(
    LOOPS.map((name) => [name, ((rates.get("pointwise") ?? NaN) * DESIGN[name]) / DESIGN.pointwise]),
  );
  for (const [i, model] of compiled.entries()) {
    const milliseconds = 1000 * (best.get(model.folder) ?? NaN);
    const [bare, design] = [rates, designed].map((own) =>
      model.report.steps.reduce((sum, { op, macs }) => sum + (1000 * macs) / (own.get(loopOf(op)) ?? NaN), 0),
    );
    const ratios = [bare, design].map((loops = NaN) => milliseconds / loops);
    const cells = [milliseconds, bare ?? NaN, ...ratios].map((value) => value.toFixed(2));
    row([models[i]?.name ?? "", model.report.macs, ...cells]);
  }
}

/** Milliseconds of the fastest of some runs in V8. */
async function inV8({ bytes }: NamedModel, variant: "mcu" | "simd"): Promise<() => number> {
  const model = await load(bytes, { variant, schedule: "minimum" });
  const inputs = model.inputs.map(({ type, length }) =>
    type === "int8" ? new Int8Array(length) : new Float32Array(length),
  );
  return () => {
    let least = Infinity;
    for (let i = 0; i < 10; i++) {
      const begin = performance.now();
      model.run(inputs);
      least = Math.min(least, performance.now() - begin);
    }
    return least;
  };
}

const ROUNDS = 9;

/** The least that each takes, in turns, so that what else the machine does meets all alike. */
function leastOf(timed: readonly (() => number)[]): number[] {
  const least = timed.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, time] of timed.entries()) least[i] = Math.min(least[i] ?? NaN, time());
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
  /** Instructions as C, checked and unchecked, and on wasm3. */
  readonly instructions: [number, number, number];
}

/** Adds the costs of a model's steps to those of their kernels: as fast as fits the board, which are whole layers here. */
function addKernels(model: NamedModel, kernels: Map<string, Cost>): void {
  const options = ["--sram", "104K"];
  const compiled = compileTo("wasm2c", model, options);
  const { sram } = decodeImage(readFileSync(join(compiled.folder, "model.thimble")));
  const words = new Int32Array(sram.slice(0, sram.length & ~3).buffer);
  const ticks = [
    onCortexM4(compiled, []),
    onCortexM4(compiled, [UNCHECKED]),
    onWasm3OnCortexM4(compileTo("mcu", model, options)),
  ];
  for (const [i, step] of compiled.report.steps.entries()) {
    const name = kernelOf(step, words);
    const cost = kernels.get(name) ?? { macs: 0, instructions: [0, 0, 0] };
    kernels.set(name, cost);
    cost.macs += step.macs;
    for (const [engine, { steps }] of ticks.entries()) {
      cost.instructions[engine] = (cost.instructions[engine] ?? NaN) + (steps[i] ?? NaN);
    }
  }
}

function row(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.map((cell) => cell.toLocaleString("en")).join(" | ")} |`);
}

/** What fits the board: 1 MiB of flash, 128 KiB of SRAM. */
const FLASH_BYTES = 900_000;
const MINIMUM = ["--schedule", "minimum"];

const paths = process.argv.slice(2);
const models = modelsFrom(paths).filter(({ bytes }) => bytes.length < FLASH_BYTES);
const kernels = new Map<string, Cost>();
console.log(`${machine()}\n`);
const costs = ["M4 instructions/MAC", "unchecked", "on wasm3"];
row([
  "model",
  "MACs",
  "RAM",
  "called code",
  ...costs,
  "native ms",
  "V8 simd",
  "V8 mcu",
  "wasm3",
  "wasm3 / V8 mcu",
]);
row(["---", ...new Array<string>(11).fill("---:")]);
for (const model of models) {
  const compiled = compileTo("wasm2c", model, MINIMUM);
  const { macs, ramBytes } = compiled.report;
  const forWasm3 = compileTo("mcu", model, MINIMUM);
  const perMac = (ticks: Ticks): string => (ticks.run / macs).toFixed(1);
  const [asC = NaN, simd = NaN, mcu = NaN, wasm3 = NaN] = leastOf([
    native(compiled),
    await inV8(model, "simd"),
    await inV8(model, "mcu"),
    onWasm3(forWasm3),
  ]);
  row([
    model.name,
    macs,
    ramBytes,
    forWasm3.calledBytes,
    perMac(onCortexM4(compiled, [])),
    perMac(onCortexM4(compiled, [UNCHECKED])),
    perMac(onWasm3OnCortexM4(forWasm3)),
    ...[asC, simd, mcu].map((ms) => ms.toFixed(2)),
    wasm3.toFixed(1),
    (wasm3 / mcu).toFixed(1),
  ]);
  addKernels(model, kernels);
}

console.log();
row(["kernel, whole layers", "MACs", ...costs]);
row(["---", ...new Array<string>(4).fill("---:")]);
for (const [name, { macs, instructions }] of kernels) {
  if (macs > 0) row([name, macs, ...instructions.map((count) => (count / macs).toFixed(1))]);
}

console.log();
besideLoops(models);
