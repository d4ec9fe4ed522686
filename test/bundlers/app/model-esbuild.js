// esbuild follows imports alone: --loader:.tflite=file
import file from "thimble/models/digits.tflite";
export const url = new URL(file, import.meta.url);
