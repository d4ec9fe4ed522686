import type { Image } from "../emit/image.ts";
import { decodeImage, isImageFile, verifyImage } from "../emit/image.ts";
import { InputError } from "../errors.ts";
import type { Model } from "./session.ts";
import { startSession } from "./session.ts";
import type { Source } from "./source.ts";
import { readSource } from "./source.ts";

/**
 * Loads a compiled image, or the bytes of a `.thimble` file from wherever `readSource` reads.
 * @throws InputError the bytes are something else
 * @throws ExecutionError, MemoryError as `startSession` and `decodeImage`
 */
export async function loadImage(source: Source | Image): Promise<Model> {
  if (isImage(source)) {
    verifyImage(source);
    return startSession(source);
  }
  const { bytes, name } = await readSource(source);
  if (!isImageFile(bytes)) {
    throw new InputError(
      "not-an-image",
      `${name} is not a .thimble image; compile the model first, or load it with \`load\` of "thimble"`,
    );
  }
  return startSession(decodeImage(bytes));
}

/** Whether a source is an image in memory already. */
export function isImage(source: unknown): source is Image {
  return typeof source === "object" && source !== null && "sram" in source && "report" in source;
}
