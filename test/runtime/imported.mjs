// Imports the built package where strings are no code (--disallow-code-generation-from-strings), runs a model from bytes, and prints what
// the import left behind: new globals, and calls of fetch. Its file system is the test's business: --experimental-permission.
import { Buffer } from "node:buffer";
import process from "node:process";

const before = new Set(Object.getOwnPropertyNames(globalThis));
let fetched = 0;
globalThis.fetch = () => fetched++;
const { compile, load } = await import("../../dist/index.js");
const globals = Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name));
const model = await load(compile(Uint8Array.from(Buffer.from(process.argv[2], "base64"))));
const [output] = model.run(model.inputs.map(({ length }) => new Int8Array(length)));
process.stdout.write(JSON.stringify({ globals, fetched, outputs: output.length }));
