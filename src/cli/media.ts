import type { Picture, PictureOptions } from "../front/image.ts";
import { pictureInput } from "../front/image.ts";
import { readWav, soundInput } from "../front/audio.ts";
import type { ModelPort, TensorArray } from "../index.ts";
import { InputError, ThimbleError } from "../index.ts";
import { reason } from "./files.ts";

/** Pictures of more pixels are refused before they are decoded: 4 bytes each. */
const MOST_PIXELS = 1 << 26;

/** The values of an input from a picture or a sound, which the file's name tells; undefined if it is neither. */
export async function mediaInput(
  path: string,
  bytes: Uint8Array,
  port: ModelPort,
  options: PictureOptions,
): Promise<TensorArray | undefined> {
  const kind = /\.(png|jpe?g|wav)$/i.exec(path)?.[1]?.toLowerCase();
  if (kind === undefined) return undefined;
  try {
    if (kind === "wav") return soundInput(port, readWav(bytes));
    return pictureInput(port, await (kind === "png" ? readPng(bytes) : readJpeg(bytes)), options);
  } catch (error) {
    if (!(error instanceof ThimbleError)) throw error;
    throw new InputError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}

/**
 * pngjs bounds what it inflates by the picture's size, but for interlaced files, of which a small one may hold gigabytes:
 * those are refused.
 */
async function readPng(bytes: Uint8Array): Promise<Picture> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isPng = bytes.length >= 33 && view.getUint32(0) === 0x89504e47 && view.getUint32(12) === 0x49484452;
  if (!isPng)
    throw new InputError("png", "this is no PNG file; name a file after what it is, or save it as PNG");
  refuseHuge(view.getUint32(16), view.getUint32(20));
  if (view.getUint8(28) !== 0) {
    throw new InputError("png", "this PNG file is interlaced; save it without interlacing");
  }
  const { PNG } = await import("pngjs");
  return decoded("png", () => PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
}

async function readJpeg(bytes: Uint8Array): Promise<Picture> {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) {
    throw new InputError("jpeg", "this is no JPEG file; name a file after what it is, or save it as JPEG");
  }
  const { decode } = await import("jpeg-js");
  const options = {
    useTArray: true,
    maxResolutionInMP: MOST_PIXELS / 1e6,
    maxMemoryUsageInMB: 2048,
  } as const;
  return decoded("jpeg", () => decode(bytes, options));
}

function refuseHuge(width: number, height: number): void {
  if (width * height <= MOST_PIXELS) return;
  throw new InputError(
    "picture-size",
    `${width} × ${height} pixels are too many; make it smaller than 64 megapixels`,
  );
}

/** The decoders' errors are of many kinds. */
function decoded(code: string, read: () => Picture): Picture {
  try {
    return read();
  } catch (cause) {
    throw new InputError(
      code,
      `the file is damaged, or of a kind that is not read (${reason(cause)}); save it again`,
      {
        cause,
      },
    );
  }
}
