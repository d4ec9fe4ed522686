import { graphToOnnx } from "./graph-to-onnx.ts";
import type { Host, Peer, PeerInput, PeerModel, Values } from "./peer.ts";
import { bytesOf, valuesOf } from "./peer.ts";

/** The parts of onnxruntime-web's API that are used. */
interface OnnxRuntime {
  readonly env: {
    logLevel: string;
    readonly versions: { readonly web?: string };
    readonly wasm: { numThreads: number; wasmPaths?: string };
  };
  readonly InferenceSession: {
    create(model: Uint8Array, options: unknown): Promise<Session>;
  };
  readonly Tensor: new (type: string, data: unknown, shape: readonly number[]) => OnnxTensor;
}

interface OnnxTensor {
  readonly data: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
}

interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
}

/** onnxruntime-web's WebAssembly backend, on one thread, on the model converted to ONNX: graph-to-onnx.ts. */
export async function startOnnxRuntime(host: Host): Promise<Peer> {
  const file = host.runtime === "node" ? "ort.node.min.mjs" : "ort.wasm.min.mjs";
  const runtime = (await host.importModule(`onnxruntime-web/dist/${file}`)) as OnnxRuntime;
  runtime.env.wasm.numThreads = 1;
  if (host.runtime === "browser") runtime.env.wasm.wasmPaths = host.asset("onnxruntime-web/dist/");
  return {
    name: `onnxruntime-web ${runtime.env.versions.web ?? ""} (simd)`,
    load: (model) => load(runtime, model),
  };
}

async function load(runtime: OnnxRuntime, { graph, input, output }: PeerInput): Promise<PeerModel> {
  const session = await runtime.InferenceSession.create(graphToOnnx(graph), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // Errors only: it says of every constant that its own passes fold away that it is not used.
    logSeverityLevel: 3,
  });
  const [inputName = ""] = session.inputNames;
  const [outputName = ""] = session.outputNames;
  return {
    async run(values: Values): Promise<Values> {
      const given =
        input.type === "float32"
          ? new runtime.Tensor("float32", values, input.shape)
          : new runtime.Tensor("uint8", flipped(bytesOf(values)), input.shape);
      const made = (await session.run({ [inputName]: given }))[outputName];
      if (made === undefined) throw new Error("onnxruntime-web gave no output");
      return output.type === "float32"
        ? (made.data.slice() as Float32Array<ArrayBuffer>)
        : valuesOf(output, flipped(made.data as Uint8Array));
    },
  };
}

/** int8 as uint8, x + 128, and back. */
function flipped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) copy[i] = (bytes[i] ?? 0) ^ 0x80;
  return copy;
}
