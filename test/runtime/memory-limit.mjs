// Loads models on the built package until the engine has no room for another, and prints that error and how many live. With
// "by-hand" that is thousands, and takes a minute; otherwise the engine's limit is moved to a few.
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { compile, load } from "../../dist/index.js";

if (process.argv[2] !== "by-hand") {
  const { WebAssembly } = globalThis;
  const { Instance } = WebAssembly;
  let count = 0;
  WebAssembly.Instance = class extends Instance {
    constructor(module, imports) {
      if (++count > 5)
        throw new RangeError("WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory");
      super(module, imports);
    }
  };
}

const bytes = readFileSync(fileURLToPath(import.meta.resolve("../../models/digits/digits.tflite")));
// One image for all, so that only memories add up.
const image = compile(bytes, { sram: "unbounded", variant: "mcu" });
const live = [];
for (;;) {
  try {
    live.push(await load(image));
  } catch ({ name, code, message }) {
    process.stdout.write(JSON.stringify({ name, code, message, live: live.length }));
    break;
  }
}
