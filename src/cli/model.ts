import { basename } from "node:path";
import { isImageFile } from "../emit/image-file.ts";
import type { CompileOptions, Image } from "../index.ts";
import { bestVariant } from "../asset.ts";
import { decodeImage, ExecutionError } from "../index.ts";
import { compileForEngine } from "../load.ts";
import { UsageError } from "./arguments.ts";
import { readFileOrFail } from "./files.ts";

/** What messages and reports call a model: its file's name. */
export function modelName(path: string): string {
  return basename(path).replace(/\.tflite$/, "");
}

/**
 * The image of a `.tflite` model, compiled now, or of a `.thimble` file.
 * @throws UsageError an option that a compiled image cannot follow
 * @throws ExecutionError an image of another variant than asked for, or a damaged one
 */
export async function imageOf(path: string, options: CompileOptions): Promise<Image> {
  const bytes = await readFileOrFail(path);
  if (!isImageFile(bytes)) {
    return compileForEngine(
      bytes,
      { name: modelName(path), ...options },
      options.variant ?? (await bestVariant()),
    );
  }
  if (Object.keys(options).some((option) => option !== "variant")) {
    throw new UsageError(
      `${path} is a compiled image: give --sram, --schedule, --rows, --max-recompute and --no-passes to ` +
        "`thimble compile` of its .tflite model",
    );
  }
  const image = decodeImage(bytes);
  if (options.variant !== undefined && options.variant !== image.variant) {
    throw new ExecutionError(
      "image-variant",
      `${path} is packed for ${image.variant}, ${options.variant} was asked for; compile the model for ${options.variant}`,
    );
  }
  return image;
}
