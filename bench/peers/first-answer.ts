/**
 * One sample of `npm run bench:peers -- --start`, in a process of its own: how long an engine takes to its first answer. Arguments: the
 * engine, the repository's folder, and a model with its ports as JSON. Prints milliseconds as JSON.
 */
import { readFileSync } from "node:fs";
import type { Model } from "thimble";
import { startLiteRt } from "./litert.ts";
import { nodeHost } from "./node-host.ts";
import type { Peer, PeerInput } from "./peer.ts";
import { startTfjsTflite } from "./tfjs-tflite.ts";

/** Whose first answers are compared. */
export type Engine = "thimble" | "thimble, compiled" | "LiteRT.js simd" | "LiteRT.js relaxed" | "tfjs-tflite";

/** The model of a sample: what a rival needs to know of it. */
export interface Sample {
  readonly path: string;
  /** Of its compiled image. */
  readonly imagePath: string;
  readonly input: Pick<PeerInput["input"], "shape" | "type" | "length">;
  readonly output: Pick<PeerInput["output"], "type">;
}

/** Milliseconds: the engine's code is there and started, the model is loaded, it has run once. */
export interface FirstAnswer {
  readonly start: number;
  readonly load: number;
  readonly first: number;
}

type Loader = (bytes: Uint8Array) => Promise<Model>;

/** thimble as the rivals are: it has started when its code is there. */
async function startThimble(imported: Promise<Loader>): Promise<Peer> {
  const loadModel = await imported;
  return {
    name: "thimble",
    async load({ bytes }) {
      const model = await loadModel(bytes);
      return { run: (input) => model.run([input])[0] as typeof input };
    },
  };
}

async function firstAnswer(engine: Engine, root: string, sample: Sample): Promise<FirstAnswer> {
  const host = nodeHost(`${root}bench/peers`);
  const isCompiled = engine === "thimble, compiled";
  const bytes = new Uint8Array(readFileSync(isCompiled ? sample.imagePath : sample.path));
  const { length, type } = sample.input;
  const values = type === "float32" ? new Float32Array(length) : new Int8Array(length);
  const begin = performance.now();
  const peer = await {
    thimble: () => startThimble(import("thimble").then(({ load }) => load)),
    "thimble, compiled": () => startThimble(import("thimble/runtime").then(({ loadImage }) => loadImage)),
    "LiteRT.js simd": () => startLiteRt(host, "simd"),
    "LiteRT.js relaxed": () => startLiteRt(host, "relaxed"),
    "tfjs-tflite": () => startTfjsTflite(host),
  }[engine]();
  const started = performance.now();
  const model = await peer.load({ ...sample, bytes } as unknown as PeerInput);
  const loaded = performance.now();
  await model.run(values);
  return { start: started - begin, load: loaded - started, first: performance.now() - loaded };
}

const [engine, root = "", sample] = process.argv.slice(2);
if (sample !== undefined) {
  console.log(JSON.stringify(await firstAnswer(engine as Engine, root, JSON.parse(sample) as Sample)));
}
