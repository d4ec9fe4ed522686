import { MemoryError, ThimbleError } from "thimble";
import type { Failure } from "./messages.ts";

/** An error as plain data, for `postMessage`. */
export function failureOf(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return {
    name,
    message,
    code: error instanceof ThimbleError ? error.code : "",
    neededBytes: error instanceof MemoryError ? error.neededBytes : undefined,
  };
}
