import type { Image, LoadOptions, Model } from "../src/index.ts";
import { load } from "../src/index.ts";

/** A model, and the linear memory that it runs in. */
export interface Watched {
  readonly model: Model;
  readonly memory: Uint8Array;
}

/** Loads an image and gets hold of its memory, which the package does not hand out. */
export async function startWatched(image: Image, options: LoadOptions = {}): Promise<Watched> {
  const memories: WebAssembly.Memory[] = [];
  const Instance = WebAssembly.Instance;
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      memories.push(this.exports["memory"] as WebAssembly.Memory);
    }
  };
  try {
    const model = await load(image, options);
    return { model, memory: new Uint8Array((memories.at(-1) as WebAssembly.Memory).buffer) };
  } finally {
    WebAssembly.Instance = Instance;
  }
}
