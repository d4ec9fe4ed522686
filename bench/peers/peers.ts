import { startLiteRt } from "./litert.ts";
import { startOnnxRuntime } from "./onnxruntime.ts";
import type { Host, Peer } from "./peer.ts";
import { startTfjsFloat } from "./tfjs-float.ts";
import { startTfjsTflite } from "./tfjs-tflite.ts";

/** Every rival; `build` is the one of LiteRT.js that it picks in this engine. */
export async function startPeers(host: Host, build: "simd" | "relaxed"): Promise<Peer[]> {
  return [
    await startLiteRt(host, build),
    await startTfjsTflite(host),
    await startOnnxRuntime(host),
    await startTfjsFloat(host),
  ];
}
