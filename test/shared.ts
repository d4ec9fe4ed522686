import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "../src/plan/crc32.ts";
import type { InputKind, InputSpec } from "./golden-inputs.ts";

/** A quantised value that a golden file describes. */
export interface GoldenTensor extends InputSpec {
  readonly tensor: number;
  readonly name: string;
}

/** What the reference answered for a model: see the shared data's own README. */
export interface Golden {
  readonly inputs: readonly GoldenTensor[];
  readonly outputs: readonly GoldenTensor[];
  readonly runs: readonly {
    readonly seed: number;
    readonly kind: InputKind;
    readonly input_crc32: readonly string[];
    readonly outputs: readonly { readonly crc32: string }[];
  }[];
  /** Of stateful models: one invocation after the other, without a reset. */
  readonly sequence?: readonly {
    readonly seed: number;
    readonly outputs: readonly { readonly crc32: string }[];
  }[];
  readonly trace: {
    readonly ops: readonly {
      readonly op: number;
      readonly name: string;
      readonly outputs: readonly GoldenTensor[];
    }[];
  };
  readonly op_crc32_by_seed: Readonly<Record<string, readonly string[]>>;
}

/** A real input with the reference's answer. */
export interface Sample {
  readonly id: string;
  readonly model: string;
  readonly inputs: readonly (InputSpec & { readonly file: string })[];
  readonly outputs: readonly (InputSpec & { readonly data: string })[];
  readonly argmax?: number;
  readonly expected?: number | null;
  /** Whether the reference's answer is the expected one. */
  readonly agrees?: boolean | null;
  /** A whole recording instead of one input: float32 frames of `bins` values. */
  readonly logmel?: {
    readonly file: string;
    readonly bins: number;
    readonly window_frames: number;
    readonly windows: number;
  };
  readonly tflm_anomaly_score?: number;
}

/** One-operator models with answers. */
export interface ConformanceCase {
  readonly file: string;
  readonly desc: string;
  readonly inputs: readonly InputSpec[];
  readonly outputs: readonly (InputSpec & { readonly bytes: number })[];
  /** The runs follow each other, state kept; otherwise each starts afresh. */
  readonly sequence?: boolean;
  readonly runs: readonly {
    readonly seed?: number;
    readonly kind: InputKind | "explicit";
    readonly inputs?: readonly string[];
    readonly input_crc32?: readonly string[];
    readonly outputs: readonly { readonly crc32: string }[];
    /** Of networks: every operator's output, in order. */
    readonly op_crc32?: readonly string[];
  }[];
}

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = process.env["THIMBLE_SHARED"] ?? join(root, "../shared");

/**
 * Whether the shared data is there. Tests that need it are skipped without it, with a warning; in CI they must run.
 */
export const hasShared = existsSync(join(folder, "models"));
if (!hasShared) {
  const message = `no shared data at ${folder}: set THIMBLE_SHARED to run the tests against the reference's answers`;
  if (process.env["CI"]) throw new Error(message);
  console.warn(`\n*** ${message} ***\n`);
}

/** Where a file or folder of the shared data is. */
export function sharedPath(...path: readonly string[]): string {
  return join(folder, ...path);
}

/** Bytes of a file of the shared data. */
export function sharedBytes(...path: readonly string[]): Uint8Array {
  return readFileSync(sharedPath(...path));
}

function sharedJson(...path: readonly string[]): unknown {
  return JSON.parse(readFileSync(sharedPath(...path), "utf8"));
}

/** Names of all shared models. */
export function modelNames(): string[] {
  if (!hasShared) return [];
  return readdirSync(join(folder, "models"))
    .filter((file) => file.endsWith(".tflite"))
    .map((file) => file.replace(".tflite", ""));
}

export function modelBytes(name: string): Uint8Array {
  return sharedBytes("models", `${name}.tflite`);
}

export function golden(name: string): Golden {
  return sharedJson("golden", `${name}.json`) as Golden;
}

export function samples(): readonly Sample[] {
  return hasShared ? (sharedJson("samples", "index.json") as { samples: Sample[] }).samples : [];
}

export function conformanceCases(operator: string): readonly ConformanceCase[] {
  return (sharedJson("conformance", operator, "cases.json") as { cases: ConformanceCase[] }).cases;
}

/** CRC-32 as eight lower-case hexadecimal digits. */
export function crc32Hex(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}
