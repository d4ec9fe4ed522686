/** The shared models as an engine sees them: files of firmware, stored inputs and the reference's answers. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CompileOptions } from "../../../src/compile.ts";
import { compile } from "../../../src/compile.ts";
import type { Image, Port } from "../../../src/emit/image.ts";
import { UnsupportedError } from "../../../src/errors.ts";
import type { Engine, Firmware } from "../../../src/mcu/firmware.ts";
import { firmware } from "../../../src/mcu/firmware.ts";
import { kernelBytes } from "../../../src/runtime/kernels.ts";
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
  const { inputs, runs } = golden(name);
  return {
    image,
    firmware: written,
    folder,
    runs: runs.map(({ seed, kind, outputs }) => ({
      seed,
      inputs: goldenInputs(seed, kind, inputs).map((bytes, i) => stored(image.inputs[i], bytes)),
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
