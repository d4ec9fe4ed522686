import { InputError } from "../errors.ts";
import { bytesOf, kindOf, mendOf } from "../given/bytes.ts";

/** Where a model comes from: a path (Node) or URL, a response, a stream, or bytes. */
export type Source = string | URL | Response | ReadableStream<Uint8Array> | ArrayBuffer | Uint8Array;

/** Bytes of a source, and a name for messages: the last part of its path. */
export interface SourceBytes {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/**
 * Reads a source whole. Paths and file URLs are read with node:fs, other URLs with fetch; both are looked for only when
 * needed, so that worklets, which have neither, can pass bytes.
 * @throws InputError what cannot be read, and why
 */
export async function readSource(source: Source): Promise<SourceBytes> {
  const given = bytesOf(source);
  if (given !== undefined) return { bytes: given, name: "model" };
  if (typeof source === "string" || (typeof URL !== "undefined" && source instanceof URL)) {
    return readLocation(String(source));
  }
  if (typeof Response !== "undefined" && source instanceof Response) {
    requireOk(source, source.url === "" ? "the response" : source.url);
    return readResponse(source, source.url);
  }
  if (typeof ReadableStream !== "undefined" && source instanceof ReadableStream) {
    if (source.locked) throw used("the stream");
    return { bytes: await bodyOf(() => new Response(source), "the stream"), name: "model" };
  }
  const mend = mendOf(source);
  throw new InputError(
    "source",
    `a model is loaded from a path, a URL, a Response, a ReadableStream, an ArrayBuffer or a Uint8Array; ${kindOf(source)} was given` +
      (mend === undefined ? "" : `: ${mend}`),
  );
}

async function readLocation(location: string): Promise<SourceBytes> {
  if (location === "") {
    throw new InputError(
      "source",
      "the path of the model is empty; give that of a .tflite file, or of an image",
    );
  }
  const opened = await openLocation(location);
  if (ArrayBuffer.isView(opened)) return { bytes: opened, name: lastPart(location) };
  return readResponse(opened, location);
}

/**
 * The bytes of a file, or the answer of a server before its body has come.
 * @throws InputError what cannot be read, and why
 * @internal
 */
export async function openLocation(location: string): Promise<Response | Uint8Array<ArrayBuffer>> {
  const inNode = typeof process !== "undefined" && typeof process.versions.node === "string";
  if (!inNode || /^(https?|blob|data):/.test(location)) {
    let response: Response;
    try {
      response = await fetch(location);
    } catch (cause) {
      throw new InputError("unreadable", `${location} could not be fetched; check the address`, { cause });
    }
    requireOk(response, location);
    return response;
  }
  // Not by `import`, which bundlers for the browser would follow.
  const fs = process.getBuiltinModule("node:fs/promises");
  try {
    return await fs.readFile(location.startsWith("file:") ? new URL(location) : location);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError("unreadable", `${location} could not be read (${reason}); check the path`, {
      cause,
    });
  }
}

function requireOk(response: Response, location: string): void {
  if (response.ok) return;
  throw new InputError(
    "unreadable",
    `${location} answered ${`${response.status} ${response.statusText}`.trim()}; check the address`,
  );
}

async function readResponse(response: Response, location: string): Promise<SourceBytes> {
  const what = location === "" ? "the response" : location;
  if (response.bodyUsed) throw used(what);
  return { bytes: await bodyOf(() => response, what), name: lastPart(location) };
}

/** @throws InputError `unreadable`: it breaks off, or is no stream of bytes */
async function bodyOf(open: () => Response, what: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await open().arrayBuffer());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError("unreadable", `${what} could not be read to the end (${reason}); get it anew`, {
      cause,
    });
  }
}

function used(what: string): InputError {
  return new InputError(
    "source-used",
    `${what} has been read, or is being read, elsewhere; get it anew, or give what was read: \`load\` takes bytes too`,
  );
}

function lastPart(location: string): string {
  return /([^/\\?#]+)[^/\\]*$/.exec(location)?.[1]?.replace(/\.tflite$/, "") ?? "model";
}
