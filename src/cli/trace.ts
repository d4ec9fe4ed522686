import type { Model, TensorArray } from "../index.ts";
import { crc32 } from "../plan/crc32.ts";

/**
 * Every tensor of one run from the model's first state, a JSON object a line in the order they are made: step, op, source (the operator's index in the
 * file, -1 if a pass made it), tensor (its id), name, shape, type, crc32 of the bytes, and data: the bytes in base64,
 * little-endian.
 */
export function traceLines(model: Model, inputs: readonly TensorArray[]): string {
  model.reset();
  let lines = "";
  for (const { step, tensor, bytes } of model.trace(inputs)) {
    const line = {
      step: model.report.steps.indexOf(step),
      op: step.op,
      source: tensor.source,
      tensor: tensor.id,
      name: tensor.name,
      shape: tensor.shape,
      type: tensor.type,
      crc32: crc32(bytes).toString(16).padStart(8, "0"),
      data: Buffer.from(bytes).toString("base64"),
    };
    lines += `${JSON.stringify(line)}\n`;
  }
  return lines;
}
