import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CompileOptions, Image, InputValues, Variant } from "../../src/index.ts";
import { compile, load, provesVariant, VARIANTS } from "../../src/index.ts";
import { decodeImage, encodeImage } from "../../src/emit/image-file.ts";
import { byteSize, tensorOf } from "../../src/graph/graph.ts";
import { importModel } from "../../src/tflite/import.ts";
import type { WrittenModel } from "../model-writer.ts";
import { BUILTIN, options, SAME, writeModel } from "../model-writer.ts";
import { noise } from "../passes/graphs.ts";
import { runGraph } from "../reference/run-graph.ts";
import {
  bias,
  int32,
  int8,
  lstmInputs,
  lstmTensors,
  named,
  ONE_OPERATOR,
  svdfInputs,
  svdfTensors,
  variable,
  weights,
} from "../written-models.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

/** Convolutions that may be streams, an LSTM over their rows, and SVDFs: state before, beside and behind large tensors. */
const RECURRENT: WrittenModel = named(
  {
    in: int8([1, 12, 12, 3]),
    w0: weights([8, 3, 3, 3]),
    b0: bias(8),
    stem: int8([1, 12, 12, 8], 0.1, -10),
    w1: weights([4, 1, 1, 8]),
    b1: bias(4),
    narrow: int8([1, 12, 12, 4], 0.2, 5),
    rows: int32([1, 12, 48]),
    sequence: int8([1, 12, 48], 0.2, 5),
    ...lstmTensors("l", 48, 10),
    emitted: int8([1, 12, 10], 1 / 128, 9),
    flat: int32([1, 120]),
    vector: int8([1, 120], 1 / 128, 9),
    ...svdfTensors("s", 120, 6, 5),
    heard: int8([1, 6], 0.05, -3),
    ...svdfTensors("t", 6, 4, 3),
    scores: int8([1, 4], 0.05, 1),
  },
  [
    {
      builtin: BUILTIN.conv2d,
      inputs: ["in", "w0", "b0"],
      output: "stem",
      options: options.conv2d(SAME, 1, 1),
    },
    {
      builtin: BUILTIN.conv2d,
      inputs: ["stem", "w1", "b1"],
      output: "narrow",
      options: options.conv2d(SAME, 1),
    },
    {
      builtin: BUILTIN.reshape,
      inputs: ["narrow", "rows"],
      output: "sequence",
      options: options.reshape([1, 12, 48]),
    },
    {
      builtin: BUILTIN.unidirectionalSequenceLstm,
      inputs: lstmInputs("l", "sequence"),
      output: "emitted",
      options: options.unidirectionalSequenceLstm(0, false),
    },
    {
      builtin: BUILTIN.reshape,
      inputs: ["emitted", "flat"],
      output: "vector",
      options: options.reshape([1, 120]),
    },
    { builtin: BUILTIN.svdf, inputs: svdfInputs("s", "vector"), output: "heard", options: options.svdf(2) },
    { builtin: BUILTIN.svdf, inputs: svdfInputs("t", "heard"), output: "scores", options: options.svdf(2) },
  ],
  ["in"],
  ["scores"],
);

const bytes = writeModel(RECURRENT);
const graph = importModel(bytes);

const OPTIONS: readonly (readonly [string, CompileOptions])[] = [
  ["layers", { schedule: "layer", sram: "unbounded" }],
  ["layers without passes", { schedule: "layer", sram: "unbounded", passes: [] }],
  ["auto in 12 KiB", { sram: 12 * 1024 }],
  ["minimum, weights resident", { schedule: "minimum", sram: "unbounded" }],
  ["minimum, weights streamed", { schedule: "minimum", sram: 2 ** 20 }],
  ["minimum, rows of input", { schedule: "minimum", sram: "unbounded", input: "streamed" }],
  ["minimum, in strips", { schedule: "minimum", input: "streamed", maxRecompute: 0.5 }],
];

const sequence = [1, 2, 3, 4].map((seed) => new Int8Array(noise(seed, byteSize(tensorOf(graph, 0))).buffer));

/** What the reference answers to the sequence. */
function expected(): Int8Array[] {
  const states = new Map<number, Uint8Array>();
  return sequence.map((input) => {
    const [output] = runGraph(graph, [new Uint8Array(input.buffer)], states).outputs;
    return new Int8Array(output ?? []);
  });
}

test("the network remembers: the same input is answered otherwise the second time", () => {
  const states = new Map<number, Uint8Array>();
  const [input = new Int8Array()] = sequence;
  const [first, second] = [0, 1].map(
    () => runGraph(graph, [new Uint8Array(input.buffer)], states).outputs[0],
  );
  expect(first).not.toEqual(second);
});

describe.each(proved)("state lives from run to run (%s)", (variant) => {
  test.each(OPTIONS)("%s", async (_, compileOptions) => {
    const image = compile(bytes, { variant, ...compileOptions });
    const wanted = expected();
    for (const one of [image, decodeImage(encodeImage(image))]) {
      const model = await load(one);
      const given = (input: Int8Array): InputValues => {
        const rows = model.inputs[0]?.rows;
        if (rows === undefined) return input;
        return (row, into) => {
          into.set(input.subarray((row * input.length) / rows, ((row + 1) * input.length) / rows));
        };
      };
      for (const round of ["as loaded", "after a reset"]) {
        for (const [i, input] of sequence.entries()) {
          // However it is run.
          if (i === 1) [...model.trace(given(input))].forEach(() => undefined);
          else if (i === 2) model.runSteps(given(input), () => undefined);
          else expect([...model.run(given(input))], `run ${i}, ${round}`).toEqual([...(wanted[i] ?? [])]);
        }
        model.reset();
      }
    }
  });

  test("models of one image have states of their own, and a reset changes nothing else", async () => {
    const image = compile(bytes, { variant });
    const [one, other] = [await load(image), await load(image)];
    const [first = new Int8Array(), second = new Int8Array()] = sequence;
    const [wanted, next] = expected();
    one.run(second);
    one.run(first);
    expect([...other.run(first)]).toEqual([...(wanted ?? [])]);
    one.reset();
    one.reset();
    expect([...one.run(first)]).toEqual([...(wanted ?? [])]);
    expect([...other.run(second)]).toEqual([...(next ?? [])]);
  });

  test("without state a reset does nothing", async () => {
    const model = await load(writeModel(ONE_OPERATOR.softmax), { variant });
    const input = new Int8Array(12).map((_, i) => 9 * i);
    const before = model.run(input).slice();
    model.reset();
    expect(model.outputs.length).toBe(1);
    expect(model.run(input)).toEqual(before);
  });
});

test("states lie apart from all else, from the first step to the last", () => {
  fc.assert(
    fc.property(fc.constantFrom(...OPTIONS), fc.constantFrom(...VARIANTS), ([, compileOptions], variant) => {
      const { states, report }: Image = compile(bytes, { variant, ...compileOptions });
      expect(states.map(({ name }) => name)).toEqual(["l.hidden", "l.cell", "s.state", "t.state"]);
      for (const state of states) {
        const entry = report.map.find(({ value }) => value === state.value);
        expect(entry).toMatchObject({
          firstStep: 0,
          lastStep: report.steps.length - 1,
          address: state.address,
        });
        for (const other of report.map) {
          if (other === entry) continue;
          const apart =
            other.address + other.bytes <= state.address || state.address + state.bytes <= other.address;
          expect(apart, `${state.name} and ${other.name}`).toBe(true);
        }
      }
      const zero = variant === "relaxed" ? 128 : 0;
      expect(states.map(({ initialByte }) => initialByte)).toEqual([9 + zero, 0, 249 ^ zero, 249 ^ zero]);
    }),
    { numRuns: 30 },
  );
});

test("a disposed model has no state to reset, and a row source may not reset the model that asks it", async () => {
  const model = await load(bytes, { input: "streamed", schedule: "minimum" });
  const codes: unknown[] = [];
  model.run(() => {
    try {
      model.reset();
    } catch (error) {
      codes.push((error as { code: string }).code);
    }
  });
  expect(new Set(codes)).toEqual(new Set(["run-within-run"]));
  model[Symbol.dispose]();
  expect(() => {
    model.reset();
  }).toThrow(expect.objectContaining({ code: "disposed" }));
});

describe("variables that are no operator's own state are refused", () => {
  const { svdf } = ONE_OPERATOR;
  const state = svdf.tensors.findIndex(({ name }) => name === "s.state");
  const codeOf = (model: WrittenModel): unknown => {
    try {
      compile(writeModel(model));
      return undefined;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  test.each<[string, WrittenModel, string | undefined]>([
    ["none", svdf, undefined],
    ["an output", { ...svdf, outputs: [...svdf.outputs, state] }, "variable-tensor"],
    ["an input", { ...svdf, inputs: [...svdf.inputs, state] }, "variable-tensor"],
    ["two operators'", { ...svdf, operators: [...svdf.operators, ...svdf.operators] }, "variable-tensor"],
    [
      "read by another operator",
      {
        ...svdf,
        tensors: [...svdf.tensors, { name: "copy", ...int8([1, 24]) }],
        operators: [
          ...svdf.operators,
          { builtin: BUILTIN.softmax, inputs: [state], outputs: [svdf.tensors.length] },
        ],
      },
      "variable-tensor",
    ],
    [
      "written by another operator",
      {
        ...svdf,
        operators: [{ builtin: BUILTIN.softmax, inputs: [0], outputs: [state] }, ...svdf.operators],
      },
      "output-not-free",
    ],
    [
      "an operator's input that is no state",
      {
        ...svdf,
        tensors: svdf.tensors.map((tensor, i) => (i === 1 ? { ...tensor, ...variable(tensor) } : tensor)),
      },
      "variable-tensor",
    ],
    [
      "a constant in its place",
      {
        ...svdf,
        tensors: svdf.tensors.map((tensor, i) =>
          i === state ? { ...tensor, isVariable: false, data: new Int8Array(24) } : tensor,
        ),
      },
      "not-variable",
    ],
  ])("%s", (_, model, code) => {
    expect(codeOf(model)).toBe(code);
  });

  test("what a file gives a variable to start with has no effect, as in the reference", async () => {
    const filled = {
      ...svdf,
      tensors: svdf.tensors.map((tensor, i) =>
        i === state ? { ...tensor, data: new Int8Array(24).fill(99) } : tensor,
      ),
    };
    const input = Int8Array.of(1, 2, 3, 4, 5, 6);
    const [plain, given] = [await load(writeModel(svdf)), await load(writeModel(filled))];
    expect(given.run(input)).toEqual(plain.run(input));
  });
});
