import type { WrittenTensor } from "../tflite/write.ts";
import { writeModel } from "../tflite/write.ts";
import type { FloatModel } from "./float-model.ts";
import { assemble } from "./assemble.ts";
import { checkFloatModel } from "./run.ts";

/**
 * The model as a float32 `.tflite` file, which any TFLite tool reads.
 * @throws ModelError what is wrong with the model
 */
export function writeFloatModel(model: FloatModel): Uint8Array {
  const float = (
    name: string,
    { shape, data }: { shape: readonly number[]; data?: Float32Array },
  ): WrittenTensor => ({
    name,
    shape,
    type: "float32",
    ...(data === undefined ? {} : { data }),
  });
  return writeModel(
    assemble(checkFloatModel(model), {
      version: () => 1,
      value: (name, shape) => float(name, { shape }),
      constant: (name, { tensor }) => float(name, tensor),
    }),
  );
}
