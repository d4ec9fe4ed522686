import type { Image } from "../emit/image.ts";
import { encodeImage } from "../emit/image-file.ts";
import { ExecutionError } from "../errors.ts";
import { PAGE_BYTES } from "../plan/format.ts";
import { bundleModule } from "./bundle.ts";
import type { ByteArray } from "./c-source.ts";
import { cHeader, cSource } from "./c-source.ts";
import type { InterpreterRam } from "./ram.ts";
import { interpreterRam } from "./ram.ts";
import { firmwareReadme } from "./readme.ts";
import { calledBytes, operatorsOf, shakeKernels } from "./shake.ts";
import type { WasmModule } from "./wasm-module.ts";
import { readModule, writeModule } from "./wasm-module.ts";

/** What runs the kernels on the microcontroller: the wasm3 interpreter, or C that wasm2c made of them. */
export type Engine = "wasm3" | "wasm2c";

/** A model for a microcontroller. */
export interface Firmware {
  readonly engine: Engine;
  /** Files by name; `wasm2c` adds the kernels' C. */
  readonly files: ReadonlyMap<string, Uint8Array | string>;
  /** Bytes of linear memory: wasm3's `memoryLimit`, or the array that holds it. */
  readonly ramBytes: number;
  /** Bytes of WebAssembly that the model can call. */
  readonly calledBytes: number;
  readonly interpreter: InterpreterRam;
}

/**
 * Files that firmware needs to run a model: the image, the kernels cut down to the model's operators, both as C, and what to do
 * with them. `kernels` is the whole `mcu` module.
 * @throws ExecutionError an image of another variant
 */
export function firmware(image: Image, kernels: Uint8Array, engine: Engine): Firmware {
  // C has a name for every import, called or not.
  const module = kernelsOf(image, kernels, engine === "wasm2c" ? "all" : "called");
  const wasm = writeModule(module);
  const file = encodeImage(withoutSteps(image));
  const { ramBytes } = image.report;
  const interpreter = interpreterRam(module, image.sram);
  const called = calledBytes(module);
  const arrays: ByteArray[] = [
    { name: "thimble_model", bytes: file, comment: "model.thimble: plan and weights, read in place" },
  ];
  const constants = [
    { name: "THIMBLE_RAM_BYTES", value: ramBytes, comment: "linear memory: all that the model writes" },
  ];
  if (engine === "wasm3") {
    arrays.push({ name: "thimble_kernels", bytes: wasm, comment: "thimble-mcu.wasm, read in place" });
    constants.push(
      { name: "THIMBLE_STACK_BYTES", value: interpreter.stackBytes, comment: "wasm3's value stack" },
      { name: "THIMBLE_CODE_BYTES", value: interpreter.codeBytes, comment: "wasm3's own code, about" },
    );
  }
  const facts = {
    engine,
    ramBytes,
    calledBytes: called,
    interpreter,
    imageBytes: file.length,
    kernelsBytes: wasm.length,
  };
  return {
    engine,
    ramBytes,
    calledBytes: called,
    interpreter,
    files: new Map<string, Uint8Array | string>([
      ["model.thimble", file],
      ["thimble-mcu.wasm", wasm],
      ["model.h", cHeader("THIMBLE_MODEL_H", arrays, constants)],
      ["model.c", cSource("model.h", arrays)],
      ["README.md", firmwareReadme(image, facts)],
    ]),
  };
}

/**
 * Kernels and image as one module: see `bundleModule`.
 * @throws ExecutionError an image of another variant
 */
export function bundle(image: Image, kernels: Uint8Array): Uint8Array {
  return writeModule(bundleModule(kernelsOf(image, kernels, "called"), image));
}

function kernelsOf(image: Image, kernels: Uint8Array, imports: "all" | "called"): WasmModule {
  if (image.variant !== "mcu") {
    throw new ExecutionError(
      "image-variant",
      `the image is packed for ${image.variant}, microcontrollers run mcu; compile the model for mcu`,
    );
  }
  return shakeKernels(
    readModule(kernels),
    operatorsOf(image.sram),
    image.report.linearMemoryBytes / PAGE_BYTES,
    imports,
  );
}

/** What a report tells of every step is not worth its bytes of flash. */
function withoutSteps(image: Image): Image {
  return { ...image, report: { ...image.report, steps: [], map: [] } };
}
