import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** A model to measure. */
export interface NamedModel {
  readonly name: string;
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The `.tflite` files named on the command line, or else the shared models (THIMBLE_SHARED or ../shared). */
export function modelsFrom(paths: readonly string[]): NamedModel[] {
  const files = paths.length > 0 ? paths : sharedModels();
  return files.map((path) => ({ name: basename(path, ".tflite"), path, bytes: readFileSync(path) }));
}

function sharedModels(): string[] {
  const folder = join(process.env["THIMBLE_SHARED"] ?? "../shared", "models");
  if (!existsSync(folder)) {
    console.error("no models: pass .tflite files, or set THIMBLE_SHARED to the folder of shared data");
    process.exit(2);
  }
  return readdirSync(folder)
    .filter((file) => file.endsWith(".tflite"))
    .map((file) => join(folder, file));
}
