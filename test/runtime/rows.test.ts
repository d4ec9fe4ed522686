import { describe, expect, test } from "vitest";
import { depthwiseNet } from "../../examples/node/model.ts";
import type { InputValues, Model, RowSource, TensorArray, Variant } from "../../src/index.ts";
import {
  compile,
  decodeImage,
  encodeImage,
  InputError,
  load,
  provesVariant,
  VARIANTS,
} from "../../src/index.ts";
import { writeModel } from "../model-writer.ts";
import { int8Values } from "../ops/node.ts";
import { ONE_OPERATOR } from "../written-models.ts";

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
    const bytesFor = (input: "resident" | "streamed"): number =>
      compile(bytes, { variant, input, schedule: "minimum", sram: "unbounded" }).report.arenaBytes;
    expect(bytesFor("streamed")).toBeLessThan(bytesFor("resident"));
  });
});

test("a damaged image may not ask for rows that the input does not have", () => {
  const image = compile(bytes, { input: "streamed" });
  const shorter = { ...image, inputs: image.inputs.map((port) => ({ ...port, rows: ROWS / 2 })) };
  expect(() => decodeImage(encodeImage(shorter))).toThrow(expect.objectContaining({ code: "plan-field" }));
  const odd = { ...image, inputs: image.inputs.map((port) => ({ ...port, rows: 7 })) };
  expect(() => decodeImage(encodeImage(odd))).toThrow(expect.objectContaining({ code: "image-damaged" }));
});
