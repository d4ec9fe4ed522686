import { encodeImage } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { writeFileOrFail } from "./files.ts";
import { imageOf } from "./model.ts";
import { grouped } from "./table.ts";

/** `thimble compile`: writes the image of a model. */
export async function compileToFile(path: string, { options, output, json }: Arguments): Promise<string> {
  if (output === undefined) throw new UsageError("compile needs -o IMAGE, the file to write");
  const image = await imageOf(path, options);
  const bytes = encodeImage(image);
  await writeFileOrFail(output, bytes);
  const { report } = image;
  if (json) return JSON.stringify({ output, bytes: bytes.length, report }, undefined, 2);
  return (
    `${output}: ${grouped(bytes.length)} bytes, ${report.model} for ${report.variant}, ` +
    `${grouped(report.ramBytes)} bytes of SRAM, ${grouped(report.flashBytes)} of flash`
  );
}
