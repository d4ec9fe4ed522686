import { readFile, writeFile } from "node:fs/promises";
import { InputError } from "../index.ts";

/** @throws InputError which file could not be read, and why */
export async function readFileOrFail(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new InputError("unreadable", `${path} could not be read (${reason(cause)}); check the path`, {
      cause,
    });
  }
}

/** @throws InputError which file could not be written, and why */
export async function writeFileOrFail(path: string, data: Uint8Array | string): Promise<void> {
  try {
    await writeFile(path, data);
  } catch (cause) {
    throw new InputError(
      "unwritable",
      `${path} could not be written (${reason(cause)}); give a path in a folder that exists and may be written to`,
      { cause },
    );
  }
}

export function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
