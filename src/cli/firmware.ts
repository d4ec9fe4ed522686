import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import type { Image } from "../index.ts";
import { InputError } from "../index.ts";
import { firmware } from "../mcu/firmware.ts";
import { C_MARK, isWritten } from "../mcu/written.ts";
import { grouped } from "../memory/grouped.ts";
import { kernelBytes } from "../runtime/kernel-bytes.ts";
import type { Target } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { reason, refuseOverwriting, writeFileOrFail } from "./files.ts";

/** `thimble compile --target`: writes into a folder what firmware needs to run a model. */
export async function writeFirmware(
  path: string,
  image: Image,
  target: Target,
  folder: string,
  json: boolean,
): Promise<string> {
  const {
    files: made,
    engine,
    ramBytes,
    calledBytes,
    interpreter,
  } = firmware(image, kernelBytes("mcu"), target === "mcu" ? "wasm3" : "wasm2c");
  const files = new Map([...made, ...(engine === "wasm2c" ? await translated(made) : [])]);
  await refuseOverwriting(
    [path],
    [...files.keys()].map((name) => join(folder, name)),
  );
  await refuseForeign(folder, [...files.keys()]);
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new InputError(
      "unwritable",
      `${folder} is no folder to write in (${reason(cause)}); give one that may be written to, or a new name`,
      { cause },
    );
  }
  for (const [name, data] of files) await writeFileOrFail(join(folder, name), data);
  // Kernels that this target has no use for, and that were made for another model.
  for (const name of [SOURCE, HEADER])
    if (!files.has(name) && (await isOurs(join(folder, name)))) await rm(join(folder, name));
  const names = [...files.keys()];
  if (json) {
    const { report } = image;
    return JSON.stringify(
      { output: folder, files: names, ramBytes, calledBytes, interpreter, report },
      undefined,
      2,
    );
  }
  const more =
    engine === "wasm3"
      ? `, and about ${grouped(interpreter.codeBytes + interpreter.stackBytes)} of wasm3's code and stack`
      : "";
  return `${folder}: ${names.join(", ")}\n${grouped(ramBytes)} bytes of RAM${more}; ${grouped(calledBytes)} bytes of kernels`;
}

/**
 * Before anything is written: a folder may hold more than firmware, a README of its own for one.
 * @throws UsageError which files are somebody else's
 */
async function refuseForeign(folder: string, names: readonly string[]): Promise<void> {
  const foreign: string[] = [];
  for (const name of names) if ((await isOurs(join(folder, name))) === false) foreign.push(name);
  if (foreign.length === 0) return;
  throw new UsageError(
    `${folder} has ${foreign.join(", ")} that thimble has not written, and would write; name another folder, or move what is there`,
  );
}

/** Whether a file was written by an earlier run; undefined if there is none. */
async function isOurs(path: string): Promise<boolean | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    return code === "ENOENT" || code === "ENOTDIR" ? undefined : false;
  }
  return isWritten(basename(path), bytes);
}

const MODULE = "thimble-mcu.wasm";
const [SOURCE, HEADER] = ["thimble-kernels.c", "thimble-kernels.h"] as const;

/**
 * The kernels as C, by wabt's wasm2c, made in a folder of its own: the user's has all files or none.
 * @throws InputError there is no wasm2c, or it writes C that examples/mcu does not know
 */
async function translated(
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<[string, Uint8Array | string][]> {
  const folder = await mkdtemp(join(tmpdir(), "thimble-"));
  try {
    const [module, source] = [join(folder, MODULE), join(folder, SOURCE)];
    await writeFileOrFail(module, files.get(MODULE) ?? "");
    await runWasm2c([module, "-n", "thimble", "-o", source]);
    const header = await readFile(join(folder, HEADER), "utf8");
    if (header.includes("Z_thimbleZ_run(Z_thimble_instance_t*")) {
      return [
        [SOURCE, `${C_MARK}\n${await readFile(source, "utf8")}`],
        [HEADER, `${C_MARK}\n${header}`],
      ];
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  throw new InputError(
    "wasm2c",
    "this wasm2c writes C with other names than wabt 1.0.32, which examples/mcu is written for; install that version",
  );
}

async function runWasm2c(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)("wasm2c", args);
  } catch (cause) {
    throw new InputError(
      "wasm2c",
      `wasm2c could not be run (${reason(cause)}); install wabt 1.0.32 (Debian: apt-get install wabt)`,
      { cause },
    );
  }
}
