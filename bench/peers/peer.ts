import type { Graph } from "#internal/graph/graph";
import type { ModelPort } from "thimble";

/** What rivals need to be measured side by side: bench/peers/main.ts. */

/** Where a peer's files are and how its scripts are run: Node or a page. */
export interface Host {
  readonly runtime: "node" | "browser";
  /** Path or address of a file of the peers' packages. */
  asset(path: string): string;
  /** Runs a classic script in the global scope. */
  loadScript(asset: string): Promise<void> | void;
  importModule(path: string): Promise<unknown>;
  readBytes(asset: string): Promise<Uint8Array<ArrayBuffer>>;
}

export type Values = Int8Array | Float32Array;

/** A model to load: the file, what it says, its one input and its one output. */
export interface PeerInput {
  readonly bytes: Uint8Array;
  readonly graph: Graph;
  readonly input: ModelPort;
  readonly output: ModelPort;
}

export interface PeerModel {
  /** Sets the input, runs, and returns the output: a copy, or what is good until the next run. */
  run(input: Values): Values | Promise<Values>;
}

/** A rival engine on one thread. */
export interface Peer {
  /** Engine, version, and the build that runs. */
  readonly name: string;
  load(model: PeerInput): Promise<PeerModel>;
}

/** A typed array of a port's type over bytes. */
export function valuesOf({ type }: ModelPort, bytes: Uint8Array<ArrayBuffer>): Values {
  return type === "float32" ? new Float32Array(bytes.buffer) : new Int8Array(bytes.buffer);
}

/** Bytes of a typed array. */
export function bytesOf(values: Values): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
