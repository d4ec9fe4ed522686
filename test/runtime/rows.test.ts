import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import type { CompileOptions, InputValues, Model, RowSource, TensorArray, Variant } from "../../src/index.ts";
import {
  compile,
  decodeImage,
  encodeImage,
  InputError,
  load,
  provesVariant,
  VARIANTS,
} from "../../src/index.ts";
import { BUILTIN, options as optionsOf, SAME, writeModel } from "../model-writer.ts";
import { int8Values } from "../ops/node.ts";
import { bias, int8, named, ONE_OPERATOR, weights } from "../written-models.ts";

const proved: Variant[] = [];
for (const variant of VARIANTS) if (await provesVariant(variant)) proved.push(variant);

const bytes = depthwiseNet(3);
const ROWS = 32;
const ROW = 32 * 3;
const whole = int8Values(5, ROWS * ROW);

function rowsOf(values: TensorArray, rows: number): RowSource {
  const length = values.length / rows;
  return (row, into) => {
    into.set(values.subarray(row * length, (row + 1) * length));
  };
}

function answer(model: Model, input: InputValues): number[] {
  return [...model.run(input)];
}

describe.each(proved)("rows of input (%s)", (variant) => {
  const options = { variant, input: "streamed" } as const;

  test("are asked for once each, in order, and give what the whole input gives", async () => {
    const resident = await load(bytes, { variant });
    for (const schedule of ["auto", "layer", "minimum"] as const) {
      const model = await load(bytes, { ...options, schedule });
      expect(model.inputs[0]).toMatchObject({ rows: ROWS, length: ROWS * ROW });
      expect(model.report.input).toBe("streamed");
      const asked: number[] = [];
      const source: RowSource = (row, into) => {
        asked.push(row);
        expect(into).toBeInstanceOf(Int8Array);
        expect(into.length).toBe(ROW);
        rowsOf(whole, ROWS)(row, into);
      };
      expect(answer(model, source)).toEqual(answer(resident, whole));
      expect(asked).toEqual(Array.from({ length: ROWS }, (_, row) => row));
      // A whole array does as well, also one in an array of inputs.
      expect(answer(model, whole)).toEqual(answer(resident, whole));
      expect([...(model.run([source])[0] ?? [])]).toEqual(answer(resident, whole));
    }
  });

  test("are real values where the model's input is", async () => {
    const model = writeModel(ONE_OPERATOR.quantize);
    const resident = await load(model, { variant });
    const streamed = await load(model, options);
    const [port] = streamed.inputs;
    const values = Float32Array.from({ length: port?.length ?? 0 }, (_, i) => Math.sin(i) * 3);
    expect(port?.type).toBe("float32");
    const source: RowSource = (row, into) => {
      expect(into).toBeInstanceOf(Float32Array);
      rowsOf(values, port?.rows ?? 1)(row, into);
    };
    expect(answer(streamed, source)).toEqual(answer(resident, values));
  });

  test("come from images that went through a file", async () => {
    const image = compile(bytes, { ...options, schedule: "minimum" });
    const reread = decodeImage(encodeImage(image));
    expect(reread).toEqual(image);
    expect(answer(await load(reread), rowsOf(whole, ROWS))).toEqual(answer(await load(image), whole));
  });

  test("leave the model as it was when their source throws", async () => {
    const model = await load(bytes, options);
    const wanted = answer(model, whole);
    const broken: RowSource = (row, into) => {
      if (row === 7) throw new Error("no light");
      into.fill(row);
    };
    expect(() => model.run(broken)).toThrow("no light");
    expect(answer(model, whole)).toEqual(wanted);
  });

  test("may not run the model themselves, but another one", async () => {
    const model = await load(bytes, options);
    const other = await load(bytes, options);
    const wanted = answer(model, whole);
    expect(() => model.run(() => model.run(whole))).toThrow(
      expect.objectContaining({ code: "run-within-run", name: InputError.name }),
    );
    const source: RowSource = (row, into) => {
      if (row === 3) other.run(whole);
      rowsOf(whole, ROWS)(row, into);
    };
    expect(answer(model, source)).toEqual(wanted);
  });

  test("may not reset or dispose the model, which then still runs", async () => {
    const model = await load(bytes, options);
    const wanted = answer(model, whole);
    const source = rowsOf(whole, ROWS);
    for (const within of [
      () => {
        model.reset();
      },
      () => {
        model[Symbol.dispose]();
      },
    ]) {
      const refused: RowSource = (row, into) => {
        if (row === 5) within();
        source(row, into);
      };
      const error = expect.objectContaining({ code: "run-within-run", name: InputError.name }) as Error;
      expect(() => model.run(refused)).toThrow(error);
      expect(answer(model, source)).toEqual(wanted);
    }
  });

  test("may not be transferred to elsewhere by their source", async () => {
    const model = await load(bytes, options);
    const wanted = answer(model, whole);
    const source = rowsOf(whole, ROWS);
    const thief: RowSource = (row, into) => {
      source(row, into);
      if (row === 3) structuredClone(into.buffer, { transfer: [into.buffer as ArrayBuffer] });
    };
    expect(() => model.run(thief)).toThrow(expect.objectContaining({ code: "row-detached" }));
    expect(answer(model, source)).toEqual(wanted);
  });

  test("come at once, into the array given: what a source promises or returns instead is refused", async () => {
    const model = await load(bytes, options);
    const wanted = answer(model, whole);
    const source = rowsOf(whole, ROWS);
    const wrong: readonly [string, (row: number, into: TensorArray) => unknown][] = [
      ["row-async", () => Promise.resolve()],
      ["row-async", () => ({ then: () => undefined })],
      ["row-returned", (row) => whole.subarray(row * ROW, (row + 1) * ROW)],
      ["row-returned", (_, into) => into.map((value) => value)],
      ["row-returned", (_, into) => [...into]],
    ];
    for (const [code, given] of wrong) {
      expect(() => model.run(given)).toThrow(expect.objectContaining({ code, name: InputError.name }));
      expect(answer(model, source)).toEqual(wanted);
    }
    for (const result of [(into: TensorArray) => into, (into: TensorArray) => into.subarray(3), () => 96]) {
      const given = (row: number, into: TensorArray): unknown => {
        source(row, into);
        return result(into);
      };
      expect(answer(model, given)).toEqual(wanted);
    }
  });

  test("of several inputs are asked for each by itself, beside whole ones", async () => {
    const model = writeModel(ONE_OPERATOR.add);
    const resident = await load(model, { variant });
    const streamed = await load(model, options);
    const given = streamed.inputs.map(({ length }, i) => int8Values(20 + i, length));
    const [wanted] = resident.run(given).map((values) => [...values]);
    const asked = streamed.inputs.map((): number[] => []);
    const sources = streamed.inputs.map(({ rows = 1 }, i): RowSource => {
      return (row, into) => {
        asked[i]?.push(row);
        rowsOf(given[i] ?? new Int8Array(0), rows)(row, into);
      };
    });
    const mixed = sources.map((source, i) => (i === 0 ? source : (given[i] ?? source)));
    for (const inputs of [sources, mixed]) expect([...(streamed.run(inputs)[0] ?? [])]).toEqual(wanted);
    const all = (rows = 1): number[] => Array.from({ length: rows }, (_, row) => row);
    expect(asked[0]).toEqual([...all(streamed.inputs[0]?.rows), ...all(streamed.inputs[0]?.rows)]);
    expect(asked[1]).toEqual(all(streamed.inputs[1]?.rows));
  });

  test("may be those of the output of the run before, which strips of columns overwrite between them", async () => {
    const model = writeModel(
      named(
        {
          in: int8([1, 16, 64, 3], 0.4, 0),
          w: weights([16, 3, 3, 3]),
          b: bias(16),
          a: int8([1, 16, 64, 16], 2, 0),
          back: weights([3, 3, 3, 16]),
          c: bias(3),
          out: int8([1, 16, 64, 3], 0.4, 0),
        },
        [
          {
            builtin: BUILTIN.conv2d,
            inputs: ["in", "w", "b"],
            output: "a",
            options: optionsOf.conv2d(SAME, 1),
          },
          {
            builtin: BUILTIN.conv2d,
            inputs: ["a", "back", "c"],
            output: "out",
            options: optionsOf.conv2d(SAME, 1),
          },
        ],
        ["in"],
        ["out"],
      ),
    );
    const feedBack = async (given: CompileOptions): Promise<number[][]> => {
      const session = await load(model, { variant, ...given });
      expect(session.report.steps.some(({ strips }) => strips !== undefined)).toBe(given.input !== undefined);
      let values: InputValues = int8Values(31, 16 * 64 * 3);
      return [1, 2, 3].map(() => [...(values = session.run(values))]);
    };
    const inStrips = await feedBack({ ...options, schedule: "minimum", sram: "unbounded", maxRecompute: 1 });
    expect(inStrips).toEqual(await feedBack({}));
    expect(new Set(inStrips[2]).size).toBeGreaterThan(50);
  });

  test("are asked for by steps and traces too, which they may not run either", async () => {
    const model = await load(bytes, { ...options, schedule: "minimum" });
    const wanted = answer(model, whole);
    const source = rowsOf(whole, ROWS);
    let steps = 0;
    model.runSteps(source, () => steps++);
    expect(steps).toBe(model.report.steps.length);
    const traced = [...model.trace(source)].at(-1);
    const [output] = model.outputs;
    expect([...new Int8Array(traced?.bytes.buffer ?? new ArrayBuffer(0))]).toEqual(wanted);
    expect(output?.length).toBe(wanted.length);
    for (const within of [
      () => model.run(whole),
      () => {
        model.runSteps(whole, () => undefined);
      },
      () => [...model.trace(whole)],
    ]) {
      const code = expect.objectContaining({ code: "run-within-run" }) as Error;
      expect(() => model.run(within)).toThrow(code);
      expect(() => {
        model.runSteps(within, () => undefined);
      }).toThrow(code);
      expect(() => [...model.trace(within)]).toThrow(code);
      expect(answer(model, whole)).toEqual(wanted);
    }
  });

  test("are asked for once per strip of columns, in order", async () => {
    const wide = writeModel(
      named(
        {
          in: int8([1, 16, 64, 3]),
          w: weights([16, 3, 3, 3]),
          b: bias(16),
          a: int8([1, 16, 64, 16], 0.4),
          moved: weights([1, 3, 3, 16], 3),
          out: int8([1, 8, 32, 16], 0.4),
        },
        [
          {
            builtin: BUILTIN.conv2d,
            inputs: ["in", "w", "b"],
            output: "a",
            options: optionsOf.conv2d(SAME, 1),
          },
          {
            builtin: BUILTIN.depthwiseConv2d,
            inputs: ["a", "moved", "b"],
            output: "out",
            options: optionsOf.depthwiseConv2d(SAME, 2, 1),
          },
        ],
        ["in"],
        ["out"],
      ),
    );
    const resident = await load(wide, { variant });
    const model = await load(wide, { ...options, schedule: "minimum", sram: "unbounded", maxRecompute: 1 });
    const strips = model.report.steps[0]?.strips ?? 1;
    expect(strips).toBeGreaterThan(1);
    const asked: number[] = [];
    const values = int8Values(41, 16 * 64 * 3);
    const source: RowSource = (row, into) => {
      asked.push(row);
      rowsOf(values, 16)(row, into);
    };
    expect(answer(model, source)).toEqual(answer(resident, values));
    expect(asked).toEqual(Array.from({ length: strips * 16 }, (_, i) => i % 16));
  });

  test("are refused where the model takes its input whole, and arrays of another length everywhere", async () => {
    const resident = await load(bytes, { variant });
    expect(() => resident.run(rowsOf(whole, ROWS))).toThrow(
      /input-mismatch|compile the model with `input: "streamed"`/,
    );
    const streamed = await load(bytes, options);
    expect(() => streamed.run(new Int8Array(ROW))).toThrow(InputError);
    expect(() => streamed.run(new Float32Array(ROWS * ROW))).toThrow(InputError);
  });

  test("need less memory than the whole input", () => {
    const model = writeModel(
      named(
        { in: int8([1, 32, 32, 8]), out: int8([1, 16, 16, 8]) },
        [
          {
            builtin: BUILTIN.averagePool2d,
            inputs: ["in"],
            output: "out",
            options: optionsOf.pool2d(SAME, 2, 2),
          },
        ],
        ["in"],
        ["out"],
      ),
    );
    const bytesFor = (input: "resident" | "streamed"): number =>
      compile(model, { variant, input, schedule: "minimum", sram: "unbounded" }).report.ramBytes;
    expect(bytesFor("streamed") + 32 * 32 * 4).toBeLessThan(bytesFor("resident"));
  });
});

test("a damaged image may not ask for rows that the input does not have", () => {
  const image = compile(bytes, { input: "streamed" });
  const shorter = { ...image, inputs: image.inputs.map((port) => ({ ...port, rows: ROWS / 2 })) };
  expect(() => decodeImage(encodeImage(shorter))).toThrow(expect.objectContaining({ code: "plan-field" }));
  const odd = { ...image, inputs: image.inputs.map((port) => ({ ...port, rows: 7 })) };
  expect(() => decodeImage(encodeImage(odd))).toThrow(expect.objectContaining({ code: "image-damaged" }));
});

test("100,000 runs that ask for rows allocate nothing", () => {
  const script = fileURLToPath(new URL("allocation.mjs", import.meta.url));
  const output = execFileSync(process.execPath, ["--expose-gc", script, "rows"], { encoding: "utf8" });
  const { grown, collections } = JSON.parse(output) as { grown: number; collections: number };
  // As in session.test.ts.
  expect(grown).toBeLessThan(1_000_000);
  expect(collections).toBe(0);
});
