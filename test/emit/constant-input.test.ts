import { expect, test } from "vitest";
import { compile, PASSES, ThimbleError } from "../../src/index.ts";
import type { WrittenModel, WrittenTensor } from "../model-writer.ts";
import { BUILTIN, options, writeModel } from "../model-writer.ts";
import { elementCount } from "../../src/plan/shape.ts";
import { ONE_OPERATOR, OPERATOR_NAMES } from "../written-models.ts";

/** The model with its inputs as constants, and beside it an addition that has the graph's input. */
function onConstants(model: WrittenModel): WrittenModel {
  const constant = (tensor: WrittenTensor): WrittenTensor => {
    const length = elementCount(tensor.shape);
    const data = tensor.type === "int8" ? new Int8Array(length).fill(7) : new Float32Array(length).fill(0.5);
    return { ...tensor, data };
  };
  const free = { shape: [4], type: "int8", scales: [0.05], zeroPoints: [0] } as const;
  const { length } = model.tensors;
  return {
    tensors: [
      ...model.tensors.map((tensor, id) => (model.inputs.includes(id) ? constant(tensor) : tensor)),
      { ...free, name: "free" },
      { ...free, name: "sum" },
    ],
    operators: [
      ...model.operators,
      {
        builtin: BUILTIN.add,
        inputs: [length, length],
        outputs: [length + 1],
        options: options.elementwise(),
      },
    ],
    inputs: [length],
    outputs: [...model.outputs, length + 1],
  };
}

// These keep constants beside their record.
const others = OPERATOR_NAMES.filter((name) => !["add", "mul", "concatenation"].includes(name));

test.each(others)("%s of constants alone is refused by name", (name) => {
  const file = writeModel(onConstants(ONE_OPERATOR[name]));
  for (const passes of [[], PASSES]) {
    let thrown: unknown;
    try {
      compile(file, { passes });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ThimbleError);
    expect((thrown as ThimbleError).code).toBe(name === "reshape" ? "constant-alias" : "constant-input");
    expect((thrown as ThimbleError).message).toContain("constant");
  }
});
