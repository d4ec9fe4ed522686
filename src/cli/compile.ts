import type { CompileOptions, Image } from "../index.ts";
import { encodeImage } from "../index.ts";
import { bundle } from "../mcu/firmware.ts";
import { grouped } from "../memory/grouped.ts";
import { kernelBytes } from "../runtime/kernel-bytes.ts";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { writeFileOrFail } from "./files.ts";
import { writeFirmware } from "./firmware.ts";
import { imageOf } from "./model.ts";

/** `thimble compile`: writes the image of a model, or what microcontrollers need to run it. */
export async function compileToFile(path: string, args: Arguments): Promise<string> {
  const { options, output, json, target } = args;
  if (target !== undefined && args.bundle) throw new UsageError("give --target or --bundle, not both");
  if (output === undefined) {
    const wanted = target === undefined ? "FILE, the file" : "DIR, the folder";
    throw new UsageError(`compile needs -o ${wanted} to write`);
  }
  const forMcu = target === undefined ? (args.bundle ? "--bundle" : undefined) : `--target ${target}`;
  const image = await imageOf(path, forMcu === undefined ? options : mcuOptions(options, forMcu));
  if (target !== undefined) return writeFirmware(path, image, target, output, json);
  const bytes = args.bundle ? bundle(image, kernelBytes("mcu")) : encodeImage(image);
  await writeFileOrFail(output, bytes);
  return written(output, bytes.length, image, json);
}

function mcuOptions(options: CompileOptions, option: string): CompileOptions {
  const { variant = "mcu" } = options;
  if (variant === "mcu") return { ...options, variant };
  throw new UsageError(
    `${option} takes no --variant ${variant}: microcontrollers run mcu; leave --variant out`,
  );
}

function written(output: string, bytes: number, { report }: Image, json: boolean): string {
  if (json) return JSON.stringify({ output, bytes, report }, undefined, 2);
  return (
    `${output}: ${grouped(bytes)} bytes, ${report.model} for ${report.variant}, ` +
    `${grouped(report.ramBytes)} bytes of SRAM, ${grouped(report.flashBytes)} of flash`
  );
}
