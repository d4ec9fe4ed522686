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
  if (typeof Response !== "undefined" && source instanceof Response) return readResponse(source, source.url);
  if (typeof ReadableStream !== "undefined" && source instanceof ReadableStream) {
    return { bytes: new Uint8Array(await new Response(source).arrayBuffer()), name: "model" };
  }
  throw new InputError(
    "source",
    "a model is loaded from a path, a URL, a Response, a ReadableStream, an ArrayBuffer or a Uint8Array",
  );
}

async function readLocation(location: string): Promise<SourceBytes> {
  const inNode = typeof process !== "undefined" && typeof process.versions.node === "string";
  if (!inNode || /^(https?|blob|data):/.test(location)) {
    let response: Response;
    try {
      response = await fetch(location);
    } catch (cause) {
      throw new InputError("unreadable", `${location} could not be fetched; check the address`, { cause });
    }
    return readResponse(response, location);
  }
  // Named indirectly, so that bundlers for the browser do not look for it.
  const fs = (await import(/* @vite-ignore */ /* webpackIgnore: true */ "node:fs/promises")) as {
    readFile(path: string | URL): Promise<Uint8Array>;
  };
  try {
    const bytes = await fs.readFile(location.startsWith("file:") ? new URL(location) : location);
    return { bytes, name: lastPart(location) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError("unreadable", `${location} could not be read (${reason}); check the path`, {
      cause,
    });
  }
}

async function readResponse(response: Response, location: string): Promise<SourceBytes> {
  if (!response.ok) {
    throw new InputError(
      "unreadable",
      `${location} answered ${response.status} ${response.statusText}; check the address`,
    );
  }
  return { bytes: new Uint8Array(await response.arrayBuffer()), name: lastPart(location) };
}

function lastPart(location: string): string {
  return /([^/\\?#]+)[^/\\]*$/.exec(location)?.[1]?.replace(/\.tflite$/, "") ?? "model";
}
