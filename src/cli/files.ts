import { readFile, stat, writeFile } from "node:fs/promises";
import { InputError } from "../index.ts";
import { UsageError } from "./arguments.ts";

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

/**
 * Before anything is written: a file that is read is not written over, whatever its path to write is (a link, for one).
 * @throws UsageError which file would be lost
 */
export async function refuseOverwriting(
  inputs: readonly string[],
  outputs: readonly string[],
): Promise<void> {
  const read = new Map<string, string>();
  for (const path of inputs) {
    const file = await fileOf(path);
    if (file !== undefined) read.set(file, path);
  }
  for (const path of outputs) {
    const input = read.get((await fileOf(path)) ?? "");
    if (input !== undefined)
      throw new UsageError(
        `${path} would be written over ${input}, which is read; name another file to write`,
      );
  }
}

/** Device and inode of a file; undefined if there is none, or if nothing is lost by writing: terminals, pipes. */
async function fileOf(path: string): Promise<string | undefined> {
  try {
    const status = await stat(path, { bigint: true });
    return status.isFile() ? `${status.dev}:${status.ino}` : undefined;
  } catch {
    return undefined;
  }
}

export function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
