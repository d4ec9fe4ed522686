import { InputError } from "../errors.ts";

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
  // Not by `instanceof`: test runners and frames hand over arrays of another realm.
  if (ArrayBuffer.isView(source)) {
    return { bytes: new Uint8Array(source.buffer, source.byteOffset, source.byteLength), name: "model" };
  }
  if (Object.prototype.toString.call(source) === "[object ArrayBuffer]") {
    return { bytes: new Uint8Array(source as ArrayBuffer), name: "model" };
  }
  if (typeof source === "string" || (typeof URL !== "undefined" && source instanceof URL)) {
    return readLocation(String(source));
  }
  if (typeof Response !== "undefined" && source instanceof Response) {
    requireOk(source, source.url);
    return readResponse(source, source.url);
  }
  if (typeof ReadableStream !== "undefined" && source instanceof ReadableStream) {
    return { bytes: new Uint8Array(await new Response(source).arrayBuffer()), name: "model" };
  }
  throw new InputError(
    "source",
    "a model is loaded from a path, a URL, a Response, a ReadableStream, an ArrayBuffer or a Uint8Array",
  );
}

async function readLocation(location: string): Promise<SourceBytes> {
  const opened = await openLocation(location);
  if (ArrayBuffer.isView(opened)) return { bytes: opened, name: lastPart(location) };
  return readResponse(opened, location);
}

/**
 * The bytes of a file, or the answer of a server before its body has come.
 * @throws InputError what cannot be read, and why
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
    `${location} answered ${response.status} ${response.statusText}; check the address`,
  );
}

async function readResponse(response: Response, location: string): Promise<SourceBytes> {
  return { bytes: new Uint8Array(await response.arrayBuffer()), name: lastPart(location) };
}

function lastPart(location: string): string {
  return /([^/\\?#]+)[^/\\]*$/.exec(location)?.[1]?.replace(/\.tflite$/, "") ?? "model";
}
