import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { CompileOptions, Image } from "../index.ts";
import { compile, decodeImage, InputError } from "../index.ts";
import { isImageFile } from "../emit/image.ts";
import { bestVariant } from "../runtime/variant.ts";

/** Reads a file, with an error that says which. */
export async function readFileOrFail(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError("unreadable", `${path} could not be read (${reason}); check the path`, { cause });
  }
}

/** The image of a `.tflite` model, compiled now, or of a `.thimble` file. */
export async function imageOf(path: string, options: CompileOptions): Promise<Image> {
  const bytes = await readFileOrFail(path);
  if (isImageFile(bytes)) return decodeImage(bytes);
  const variant = options.variant ?? (await bestVariant());
  return compile(bytes, { name: basename(path).replace(/\.tflite$/, ""), ...options, variant });
}
