import type { Host, Peer, PeerInput, PeerModel, Values } from "./peer.ts";
import { bytesOf, valuesOf } from "./peer.ts";

/** The parts of LiteRT.js that are used: its module of bindings, `liteRtWasm`, which is not documented. */
interface Bindings {
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  readonly LiteRtTensorBufferLockMode: { readonly READ: unknown; readonly WRITE: unknown };
  readonly LiteRtTensorBufferType: { readonly HOST_MEMORY: unknown };
  readonly LiteRtLayout: { create(dimensions: unknown): unknown };
  readonly LiteRtRankedTensorType: { create(element: unknown, layout: unknown): { bytes(): number } };
  readonly LiteRtTensorBuffer: {
    createManaged(environment: unknown, type: unknown, tensor: unknown, bytes: number): Buffer;
  };
  readonly VectorInt32: new () => { push_back(value: number): void };
  _malloc(bytes: number): number;
  loadModel(environment: unknown, address: number, bytes: number): Model;
  compileModel(environment: unknown, model: Model, options: unknown): Promise<Compiled>;
}

interface Buffer {
  lock(mode: unknown): number;
  unlock(): void;
  packedSize(): number;
  delete(): void;
}

interface Model {
  getInputTensorType(signature: number, index: number): { elementType(): unknown };
}

interface Compiled {
  run(signature: number, inputs: readonly Buffer[]): readonly Buffer[];
}

interface LiteRt {
  readonly liteRtWasm: Bindings;
  getDefaultEnvironment(): { readonly liteRtEnvironment: unknown };
}

interface Library {
  loadLiteRt(path: string): Promise<LiteRt>;
}

/**
 * LiteRT.js, which is XNNPACK. Its public API refuses int8 tensors, so the bindings below it are driven, as the API drives them
 * for float32: the same compiled code.
 */
export async function startLiteRt(host: Host, build: "simd" | "relaxed"): Promise<Peer> {
  const globals = globalThis as Record<string, unknown>;
  if (host.runtime === "node") {
    // Node is no host that its loader knows: for so long it finds a worker's globals.
    globals["self"] = globalThis;
    globals["importScripts"] = (path: string) => host.loadScript(path);
  }
  const library = (await host.importModule("@litertjs/core/dist/index.js")) as Library;
  const file = build === "relaxed" ? "litert_wasm_internal.js" : "litert_wasm_compat_internal.js";
  const runtime = await quietly(() => library.loadLiteRt(host.asset(`@litertjs/core/wasm/${file}`)));
  if (host.runtime === "node") {
    delete globals["self"];
    delete globals["importScripts"];
  }
  return { name: `LiteRT.js 2.5.3 (${build})`, load: (model) => load(runtime, model) };
}

async function load(runtime: LiteRt, { bytes, input, output }: PeerInput): Promise<PeerModel> {
  const wasm = runtime.liteRtWasm;
  const environment = runtime.getDefaultEnvironment();
  const { liteRtEnvironment } = environment;
  const address = wasm._malloc(bytes.length);
  wasm.HEAPU8.set(bytes, address);
  const model = wasm.loadModel(liteRtEnvironment, address, bytes.length);
  const compiled = await wasm.compileModel(liteRtEnvironment, model, {
    accelerator: "wasm",
    environment,
    cpuOptions: { numThreads: 1 },
    gpuOptions: {},
    webNNOptions: {},
  });
  const dimensions = new wasm.VectorInt32();
  for (const size of input.shape) dimensions.push_back(size);
  const element = model.getInputTensorType(0, 0).elementType();
  const type = wasm.LiteRtRankedTensorType.create(element, wasm.LiteRtLayout.create(dimensions));
  const memory = wasm.LiteRtTensorBufferType.HOST_MEMORY;
  const buffer = wasm.LiteRtTensorBuffer.createManaged(liteRtEnvironment, memory, type, type.bytes());
  const { READ, WRITE } = wasm.LiteRtTensorBufferLockMode;
  return {
    run(values: Values): Values {
      wasm.HEAPU8.set(bytesOf(values), buffer.lock(WRITE));
      buffer.unlock();
      const [result] = compiled.run(0, [buffer]);
      if (result === undefined) throw new Error("LiteRT.js gave no output");
      const begin = result.lock(READ);
      const made = wasm.HEAPU8.slice(begin, begin + result.packedSize());
      result.unlock();
      result.delete();
      return valuesOf(output, made);
    },
  };
}

/** Keeps what a runtime logs while it starts from the table. */
async function quietly<T>(action: () => Promise<T>): Promise<T> {
  const own = { ...console };
  for (const method of ["log", "info", "warn", "error"] as const) console[method] = () => undefined;
  try {
    return await action();
  } finally {
    Object.assign(console, own);
  }
}
