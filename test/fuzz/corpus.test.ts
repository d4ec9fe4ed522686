import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkModel } from "./check.ts";
import { Fuzzer } from "./fuzz.ts";
import { Random } from "./random.ts";
import { seedModels } from "./seeds.ts";

const folder = new URL("../corpus/", import.meta.url);

describe("what the fuzzer found stays mended", () => {
  test.each(readdirSync(folder))("%s", async (name) => {
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
    for (const seed of [1, 2, 3]) await checkModel(bytes, new Random(seed));
  });
});

test("the fuzzer's inputs depend on seed and index alone", () => {
  const seeds = seedModels();
  for (const index of [0, 7, 123]) {
    const [one, other] = [new Fuzzer(5, seeds), new Fuzzer(5, seeds)];
    other.input(index + 1);
    expect(one.input(index).bytes).toEqual(other.input(index).bytes);
  }
});
