import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import type { RowSource } from "../../src/index.ts";
import { compile, encodeImage, load, loadImage } from "../../src/index.ts";
import { writeModel } from "../model-writer.ts";
import { int8Values } from "../ops/node.ts";
import { ONE_OPERATOR } from "../written-models.ts";

const bytes = depthwiseNet(3);
const ROW = 32 * 3;
const whole = int8Values(5, 32 * ROW);

/** Runs of every instance made in a test, in order. */
let runs: number[] = [];
const { Instance } = WebAssembly;

class CountingInstance extends Instance {
  override readonly exports: WebAssembly.Exports;

  constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    super(module, imports);
    const index = runs.push(0) - 1;
    const run = super.exports["run"] as (entry: number) => number;
    this.exports = {
      ...super.exports,
      run(entry: number) {
        runs[index] = (runs[index] ?? 0) + 1;
        return run(entry);
      },
    };
  }
}

beforeEach(async () => {
  await load(bytes, { variant: "mcu" });
  runs = [];
  WebAssembly.Instance = CountingInstance;
});

afterEach(() => {
  WebAssembly.Instance = Instance;
});

describe("warmUp", () => {
  test("runs another instance, and leaves image and model as they would be", async () => {
    const image = compile(bytes, { variant: "mcu" });
    const before = encodeImage(image);
    const model = await load(image, { warmUp: true });
    expect(runs).toEqual([expect.any(Number), 0]);
    expect(runs[0]).toBeGreaterThan(0);
    expect(encodeImage(image)).toEqual(before);
    expect([...model.run(whole)]).toEqual([...(await load(bytes, { variant: "mcu" })).run(whole)]);
    expect(runs[1]).toBe(1);
  });

  test.each([
    ["a file", () => load(bytes, { variant: "mcu", warmUp: true })],
    ["an image's file", () => load(encodeImage(compile(bytes, { variant: "mcu" })), { warmUp: true })],
    ["the runtime", () => loadImage(compile(bytes, { variant: "mcu" }), { warmUp: true })],
    [
      "the runtime's file",
      () => loadImage(encodeImage(compile(bytes, { variant: "mcu" })), { warmUp: true }),
    ],
  ])("comes before a model from %s", async (_, start) => {
    await start();
    expect(runs).toHaveLength(2);
    expect(runs[0]).toBeGreaterThan(0);
  });

  test("is not done unasked", async () => {
    await load(bytes, { variant: "mcu" });
    expect(runs).toEqual([0]);
  });

  test("leaves rows to the caller's runs, and an instance at work alone", async () => {
    const options = { variant: "mcu", input: "streamed" } as const;
    const image = compile(bytes, options);
    let asked = 0;
    const rows: RowSource = (row, into) => {
      asked++;
      into.set(whole.subarray(row * ROW, (row + 1) * ROW));
    };
    const working = await load(image);
    const first = [...working.run(rows)];
    const loading = load(image, { warmUp: true });
    const during: number[][] = [];
    while (during.length < 5) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      during.push([...working.run(rows)]);
    }
    const model = await loading;
    expect(asked).toBe(6 * 32);
    expect([...model.run(rows)]).toEqual(first);
    for (const made of during) expect(made).toEqual(first);
  });
});

test("warms up on inputs of any type", async () => {
  const model = ONE_OPERATOR.reshape;
  const ints = { ...model, tensors: model.tensors.map((tensor) => ({ ...tensor, type: "int32" })) };
  const loaded = await load(writeModel(ints), { warmUp: true });
  const values = Int32Array.from({ length: 12 }, (_, i) => i);
  expect(loaded.run(values)).toEqual(values);
});
