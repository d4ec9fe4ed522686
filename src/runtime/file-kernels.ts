import { ExecutionError, InputError } from "../errors.ts";
import type { Variant } from "../plan/variant.ts";
import type { Kernels } from "./kernels.ts";
import { kernelsFrom } from "./kernels.ts";
import { openLocation } from "./source.ts";

/** "\0asm". */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/** The kernels in files, fetched (read, in Node) when a variant is first needed. */
export function fileKernels(urls: Readonly<Record<Variant, URL>>): Kernels {
  return kernelsFrom((variant) => compileFile(urls[variant].href));
}

async function compileFile(url: string): Promise<WebAssembly.Module> {
  const opened = await openLocation(url).catch((error: unknown) => {
    throw error instanceof InputError ? unreadable(error.message, error) : error;
  });
  if (ArrayBuffer.isView(opened)) return WebAssembly.compile(opened);
  // Compiling while it arrives is for files that the server calls WebAssembly.
  if (opened.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(opened);
  const bytes = new Uint8Array(await opened.arrayBuffer());
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw unreadable(`${url} answered something else than WebAssembly`);
  }
  return WebAssembly.compile(bytes);
}

function unreadable(reason: string, cause?: Error): ExecutionError {
  return new ExecutionError(
    "kernels-unreadable",
    `the kernels' file is not there: ${reason}; put thimble's dist/wasm beside the script as wasm/, as bundlers that ` +
      'follow `new URL` do by themselves, or import "thimble", whose code has the kernels inside',
    { cause },
  );
}
