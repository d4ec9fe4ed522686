import type { Host, Peer, PeerInput, PeerModel, Values } from "./peer.ts";

/** The parts of tfjs-tflite's wasm module that are used; its API for tensors of tfjs wraps them. */
interface Bindings {
  readonly HEAPU8: Uint8Array;
  readonly TFLiteWebModelRunner: {
    CreateFromBufferAndOptions(address: number, bytes: number, options: unknown): Status;
  };
  _malloc(bytes: number): number;
}

interface Status {
  ok(): boolean;
  errorMessage(): string;
  value(): Runner;
}

interface Runner {
  GetInputs(): Tensors;
  GetOutputs(): Tensors;
  Infer(): boolean;
}

interface Tensors {
  get(index: number): { data(): Values };
}

/** tfjs-tflite: an older XNNPACK under a thinner wrapper. */
export async function startTfjsTflite(host: Host): Promise<Peer> {
  const script = "@tensorflow/tfjs-tflite/wasm/tflite_web_api_cc_simd";
  await host.loadScript(host.asset(`${script}.js`));
  const { tflite_web_api_ModuleFactory: start } = globalThis as unknown as {
    readonly tflite_web_api_ModuleFactory: (options: unknown) => Promise<Bindings>;
  };
  const wasm = await start({
    locateFile: (file: string) => host.asset(`@tensorflow/tfjs-tflite/wasm/${file}`),
    wasmBinary: await host.readBytes(host.asset(`${script}.wasm`)),
    print: () => undefined,
    printErr: () => undefined,
  });
  return { name: "tfjs-tflite 0.0.1-alpha.10 (simd)", load: (model) => load(wasm, model) };
}

function load(wasm: Bindings, { bytes }: PeerInput): Promise<PeerModel> {
  const address = wasm._malloc(bytes.length);
  wasm.HEAPU8.set(bytes, address);
  const options = { numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 0 };
  const status = wasm.TFLiteWebModelRunner.CreateFromBufferAndOptions(address, bytes.length, options);
  if (!status.ok()) throw new Error(status.errorMessage());
  const runner = status.value();
  const input = runner.GetInputs().get(0);
  const output = runner.GetOutputs().get(0);
  return Promise.resolve({
    run(values: Values): Values {
      input.data().set(values);
      if (!runner.Infer()) throw new Error("tfjs-tflite could not run the model");
      return output.data().slice();
    },
  });
}
