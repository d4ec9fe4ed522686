/** The shared models as an engine sees them: files of firmware, stored inputs and the reference's answers. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { CompileOptions } from "../../../src/compile.ts";
import { compile } from "../../../src/compile.ts";
import type { Image, Port } from "../../../src/emit/image.ts";
import { UnsupportedError } from "../../../src/errors.ts";
import type { Engine, Firmware } from "../../../src/mcu/firmware.ts";
import { firmware } from "../../../src/mcu/firmware.ts";
import { kernelBytes } from "../../../src/runtime/kernel-bytes.ts";
import { dequantizeInto, quantizeInto } from "../../../src/runtime/quantize.ts";
import { goldenInputs, typed } from "../../golden-inputs.ts";
import { crc32Hex, golden, modelBytes, modelNames } from "../../shared.ts";

export interface EngineRun {
  readonly seed: number;
  /** Bytes of every input as they lie in linear memory. */
  readonly inputs: readonly Uint8Array[];
  /** CRC-32 of every output as the model gives it. */
  readonly outputs: readonly string[];
}

export interface EngineCase {
  readonly image: Image;
  readonly firmware: Firmware;
  /** The folder that the files are in. */
  readonly folder: string;
  readonly runs: readonly EngineRun[];
  /** So many of the runs begin with the state as loaded, and the next; others go on. */
  readonly resets: number;
}

/** Compiles a shared model for an engine and writes its files into a folder of its own below `parent`. */
export function engineCase(
  name: string,
  engine: Engine,
  parent: string,
  options: CompileOptions,
): EngineCase {
  const image = compile(modelBytes(name), { ...options, variant: "mcu", name });
  const written = firmware(image, kernelBytes("mcu"), engine);
  const folder = join(parent, `${name}-${image.report.input}`);
  mkdirSync(folder, { recursive: true });
  for (const [file, data] of written.files) writeFileSync(join(folder, file), data);
  const { inputs, runs, sequence = [] } = golden(name);
  return {
    image,
    firmware: written,
    folder,
    resets: runs.length,
    // Then, of a model with a state, one run after the other.
    runs: [...runs, ...sequence].map(({ seed, outputs }) => ({
      seed,
      inputs: goldenInputs(seed, seed > 3 ? "smooth" : "noise", inputs).map((bytes, i) =>
        stored(image.inputs[i], bytes),
      ),
      outputs: outputs.map(({ crc32 }) => crc32),
    })),
  };
}

function stored(port: Port | undefined, bytes: Uint8Array): Uint8Array {
  if (port === undefined || port.type === port.storedType) return bytes;
  const values = typed(port.type, bytes);
  const into = new Int8Array(values.length);
  quantizeInto(into, values, port.scale, port.zeroPoint);
  return new Uint8Array(into.buffer);
}

/** CRC-32 of an output that lies in linear memory as `bytes`. */
export function outputCrc(port: Port | undefined, bytes: Uint8Array): string {
  if (port === undefined || port.type === port.storedType) return crc32Hex(bytes);
  const values = new Float32Array(bytes.length);
  dequantizeInto(values, new Int8Array(Uint8Array.from(bytes).buffer), port.scale, port.zeroPoint);
  return crc32Hex(new Uint8Array(values.buffer));
}

/** Shared models that thimble runs. */
export function runnableModels(): string[] {
  return modelNames().filter((name) => {
    try {
      compile(modelBytes(name), { variant: "mcu", sram: "unbounded", schedule: "layer" });
      return true;
    } catch (error) {
      if (error instanceof UnsupportedError) return false;
      throw error;
    }
  });
}

const here = fileURLToPath(new URL(".", import.meta.url));
/** The C host. */
export const host = fileURLToPath(new URL("../../../examples/mcu/", import.meta.url));

/** Turns a folder's kernels into C, as `compile --target wasm2c` does. */
export function translate(folder: string): void {
  const source = join(folder, "thimble-kernels.c");
  execFileSync("wasm2c", [join(folder, "thimble-mcu.wasm"), "-n", "thimble", "-o", source]);
}

/** C sources of a program: the host, a folder's model and kernels, and files of this folder or by their whole path. */
export function programSources(folder: string, own: readonly string[], engine: Engine = "wasm2c"): string[] {
  const kernels = engine === "wasm2c" ? ["thimble-kernels.c"] : [];
  return [
    ...own.map((name) => resolve(here, name)),
    ...["thimble.c", `thimble-${engine}.c`].map((name) => join(host, name)),
    ...["model.c", ...kernels].map((name) => join(folder, name)),
  ];
}

/** Runs a program with arguments, and returns what it prints. */
export type Program = (args?: readonly string[]) => string;

export const gcc = process.env["CC"] ?? "gcc";
/** Folder of wasm3.h and m3_env.h, for tests of thimble-wasm3.c. */
export const wasm3Include = process.env["WASM3_INCLUDE"];
if (wasm3Include === undefined) {
  const message = "thimble-wasm3.c is not tested: set WASM3_INCLUDE to the folder of wasm3.h";
  if (process.env["CI"]) throw new Error(message);
  console.warn(`\n*** ${message} ***\n`);
}

/** What pywasm3 is compiled with: some of it changes the layout of wasm3's structures. */
const PYWASM3 = ["-DDEBUG", "-DNASSERTS", "-Dd_m3RecordBacktraces=1"];

/** Builds a program with thimble-wasm3.c for this machine; wasm3 itself is the one inside pywasm3. */
export function buildWithWasm3(folder: string, own: readonly string[]): Program {
  const library = join(folder, "program.so");
  const options = [
    "-std=gnu11",
    "-O2",
    "-Wall",
    "-Werror",
    "-I",
    host,
    "-I",
    folder,
    "-I",
    wasm3Include ?? "",
    ...PYWASM3,
  ];
  execFileSync(gcc, [...options, ...programSources(folder, own, "wasm3"), "-fPIC", "-shared", "-o", library]);
  const python = process.env["PYTHON"] ?? "python3";
  return (args = []) =>
    execFileSync(python, [join(here, "wasm3_library.py"), library, ...args], { encoding: "utf8" });
}

/** Builds a program for this machine; gives a function that runs it and returns what it prints. */
export function buildNative(folder: string, own: readonly string[], flags: readonly string[]): Program {
  const program = join(folder, "program");
  const options = ["-std=gnu11", "-O2", "-g", "-I", host, "-I", folder, ...flags];
  execFileSync(gcc, [...options, ...programSources(folder, own), "-lm", "-o", program], { stdio: "pipe" });
  return (args = []) => execFileSync(program, [...args], { encoding: "utf8" });
}

const QEMU =
  "-machine netduinoplus2 -display none -monitor none -serial none -chardev stdio,id=text " +
  "-semihosting-config enable=on,target=native,chardev=text";

/** A program for a Cortex-M4, and all RAM that it takes by the linker's map. */
export interface CortexM4Program {
  readonly mapRamBytes: number;
  /** Runs it in QEMU, with these options, and returns what it prints. */
  readonly run: (options?: readonly string[]) => string;
}

export function buildCortexM4(folder: string, own: readonly string[]): CortexM4Program {
  const board = join(host, "cortex-m4");
  const program = join(folder, "program.elf");
  const map = join(folder, "program.map");
  execFileSync(
    "arm-none-eabi-gcc",
    [
      `@${join(board, "flags")}`,
      ...["-I", host, "-I", board, "-I", folder],
      ...["-T", join(board, "stm32f405.ld"), `-Wl,-Map=${map}`],
      ...["startup.c", "semihosting.c"].map((name) => join(board, name)),
      ...programSources(folder, own),
      ...["-lm", "-o", program],
    ],
    { stdio: "pipe" },
  );
  const symbol = (name: string): number =>
    Number(new RegExp(`(0x[0-9a-f]+) +${name} = `).exec(readFileSync(map, "utf8"))?.[1]);
  return {
    mapRamBytes: symbol("_ram_end") - symbol("_stack_start"),
    run: (options = []) =>
      execFileSync("qemu-system-arm", [...QEMU.split(" "), ...options, "-kernel", program], {
        encoding: "utf8",
      }),
  };
}

/** Compares the lines `output CRC` of goldens.c with the reference. */
export function expectAnswers({ runs }: EngineCase, printed: string): void {
  const crcs = [...printed.matchAll(/^output ([0-9a-f]{8})$/gm)].map(([, crc]) => crc);
  expect(crcs, printed.slice(0, 1000)).toEqual(runs.flatMap(({ outputs }) => outputs));
}
