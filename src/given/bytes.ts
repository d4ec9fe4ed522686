import { InputError } from "../errors.ts";

/**
 * The bytes of an array, a view or an ArrayBuffer, not copied; undefined of anything else.
 * @throws InputError `bytes`: its memory is gone
 */
export function bytesOf(given: unknown): Uint8Array | undefined {
  try {
    // Not by `instanceof`: test runners and frames hand over arrays of another realm.
    if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
    return tagOf(given) === "ArrayBuffer" ? new Uint8Array(given as ArrayBuffer) : undefined;
  } catch (cause) {
    throw new InputError(
      "bytes",
      "the buffer of the bytes was transferred (detached) or resized; pass an array that still has its values",
      { cause },
    );
  }
}

/**
 * The bytes that a function was given; `mend` says where else they come from.
 * @throws InputError `bytes`: something else, and what to do with it
 */
export function requireBytes(
  caller: string,
  given: unknown,
  mend = "read the file first (`load` also takes a path, a URL, a Response or a ReadableStream)",
): Uint8Array {
  const bytes = bytesOf(given);
  if (bytes !== undefined) return bytes;
  throw new InputError(
    "bytes",
    `${caller} takes the bytes of a file, a Uint8Array or an ArrayBuffer; ${kindOf(given)} was given: ${mendOf(given) ?? mend}`,
  );
}

/** What makes bytes, or something that is read for them, of what was given instead. */
export function mendOf(given: unknown): string | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  if ("then" in given) return "await it";
  if ("arrayBuffer" in given && tagOf(given) !== "Response") return "give `await blob.arrayBuffer()`";
  if ("pipe" in given) return "of a stream of Node give `Readable.toWeb(stream)` to `load`";
  return undefined;
}

/** The class of a value, or its type, for messages. */
export function kindOf(given: unknown): string {
  if (given === null) return "null";
  return typeof given === "object" ? tagOf(given) : typeof given;
}

function tagOf(given: unknown): string {
  return Object.prototype.toString.call(given).slice("[object ".length, -1);
}
