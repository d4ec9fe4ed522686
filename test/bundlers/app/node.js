// Node, Bun and Deno: the entry is an argument.
import { answer } from "./answer.js";

const { load } = await import(process.argv[2]);
const model = await load(import.meta.resolve("thimble/models/digits.tflite"), { warmUp: true });
console.log(JSON.stringify(answer(model)));
