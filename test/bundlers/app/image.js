// Compiles the image that the pages of thimble/runtime load.
import { compile } from "thimble";
import { readFile, writeFile } from "node:fs/promises";
import { encodeImage } from "thimble/runtime";

const bytes = await readFile(new URL(import.meta.resolve("thimble/models/digits.tflite")));
await writeFile(process.argv[2], encodeImage(compile(bytes)));
