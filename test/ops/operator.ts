import { expect } from "vitest";
import type { CompileOptions, TensorArray, Variant } from "../../src/index.ts";
import { load, provesVariant, VARIANTS } from "../../src/index.ts";
import type { OptionField, WrittenTensor } from "../model-writer.ts";
import { writeModel } from "../model-writer.ts";
import { elementCount } from "../../src/plan/shape.ts";

/** One operator, its operands in order, and what it must answer. */
export interface OperatorCase {
  readonly builtin: number;
  readonly options?: readonly OptionField[];
  readonly operands: readonly Operand[];
  readonly outputs: readonly (Omit<WrittenTensor, "name" | "data"> & { readonly expected: TensorArray })[];
  /** Whether it is to run with its input in rows too. */
  readonly streamed?: boolean;
}

/** Values of an input of the model, or of a constant of it. */
export type Operand = Omit<WrittenTensor, "name" | "data"> & {
  readonly values: TensorArray;
  readonly isConstant?: boolean;
};

export const PROVED: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) PROVED.push(variant);

/** More than any of the models needs; the search takes longer the more there is. */
const SRAM = 2 ** 16;

/** As it is in the file, and with everything that a schedule and passes may do to it. */
const WAYS: readonly CompileOptions[] = [
  { schedule: "layer", passes: [], sram: "unbounded" },
  { schedule: "minimum", sram: SRAM },
];

const STREAMED: CompileOptions = { schedule: "minimum", sram: SRAM, input: "streamed" };

/** Runs a model of the one operator twice, in every way and variant. */
export async function checkOperator({
  builtin,
  options = [],
  operands,
  outputs,
  streamed = false,
}: OperatorCase): Promise<void> {
  const tensors: WrittenTensor[] = operands.map(({ values, isConstant, ...tensor }, i) => ({
    ...tensor,
    name: `in${i}`,
    ...(isConstant === true && { data: values }),
  }));
  for (const [i, { expected, ...tensor }] of outputs.entries()) {
    expect(expected.length).toBe(elementCount(tensor.shape));
    tensors.push({ ...tensor, name: `out${i}` });
  }
  const inputs = [...operands.keys()].filter((i) => operands[i]?.isConstant !== true);
  const ids = operands.map((_, i) => i);
  const results = outputs.map((_, i) => operands.length + i);
  const bytes = writeModel({
    tensors,
    operators: [{ builtin, inputs: ids, outputs: results, options }],
    inputs,
    outputs: results,
  });
  const values = inputs.map((i) => operands[i]?.values ?? new Int8Array(0));
  for (const variant of PROVED) {
    for (const way of streamed ? [...WAYS, STREAMED] : WAYS) {
      const model = await load(bytes, { variant, ...way });
      for (let run = 0; run < 2; run++) {
        const answers = model.run(values);
        for (const [i, { expected }] of outputs.entries()) {
          expect(answers[i], `${variant}, ${JSON.stringify(way)}, output ${i}`).toEqual(expected);
        }
      }
    }
  }
}
