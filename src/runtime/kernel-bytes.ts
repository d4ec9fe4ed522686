import { ExecutionError } from "../errors.ts";
import type { Variant } from "../plan/variant.ts";
import * as inline from "./kernels.generated.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

interface Decoders {
  readonly Uint8Array: { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  readonly Buffer?: { from: (text: string, encoding: "base64") => Uint8Array };
}

/** Base64 as the engine decodes it, or else bit by bit: a loop that runs for the first time takes as long as compiling the module. */
export function decodeBase64(
  text: string,
  { Uint8Array: native, Buffer: node }: Decoders = globalThis as unknown as Decoders,
): Uint8Array<ArrayBuffer> {
  if (native.fromBase64 !== undefined) return native.fromBase64(text);
  return node === undefined ? decodeInLoop(text) : new Uint8Array(node.from(text, "base64"));
}

/** Without `atob`, which audio worklets lack. */
function decodeInLoop(text: string): Uint8Array<ArrayBuffer> {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const values = new Uint8Array(128);
  for (let i = 0; i < ALPHABET.length; i++) values[ALPHABET.charCodeAt(i)] = i;
  for (let i = 0, at = 0; i < text.length; i += 4) {
    const group =
      ((values[text.charCodeAt(i)] ?? 0) << 18) |
      ((values[text.charCodeAt(i + 1)] ?? 0) << 12) |
      ((values[text.charCodeAt(i + 2)] ?? 0) << 6) |
      (values[text.charCodeAt(i + 3)] ?? 0);
    bytes[at++] = group >> 16;
    bytes[at++] = group >> 8;
    bytes[at++] = group;
  }
  return bytes;
}

/**
 * The WebAssembly module of a variant, as shipped inside the package.
 * @throws ExecutionError variant-elsewhere, for the one that comes as a file alone
 */
export function kernelBytes(variant: Variant): Uint8Array<ArrayBuffer> {
  if (variant !== "signed") return decodeBase64(inline[variant]);
  throw new ExecutionError(
    "variant-elsewhere",
    'the signed kernels come as a file: import "thimble/asset" instead, or compile the model for "simd"',
  );
}
