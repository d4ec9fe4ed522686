import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { compile, type Image } from "../../src/index.ts";
import { loadWith } from "../../src/load.ts";
import type { Variant } from "../../src/plan/variant.ts";
import { kernelBytes } from "../../src/runtime/kernel-bytes.ts";
import { kernelsFrom, type Kernels } from "../../src/runtime/kernels.ts";
import { fastestVariant } from "../../src/runtime/variant.ts";
import { writeModel, type WrittenModel } from "../model-writer.ts";
import { ONE_OPERATOR, type OperatorName } from "../written-models.ts";

/** A model of one operator whose constant int8 tensor number `index` has −128 at these places. */
function withExtremes(operator: OperatorName, index: number, places: readonly number[]): Uint8Array {
  const model: WrittenModel = ONE_OPERATOR[operator];
  let weights = -1;
  const tensors = model.tensors.map((tensor) => {
    if (tensor.type !== "int8" || tensor.data === undefined || ++weights !== index) return tensor;
    const data = Int8Array.from(tensor.data as Int8Array);
    for (const place of places) data[place] = -128;
    return { ...tensor, data };
  });
  return writeModel({ ...model, tensors });
}

test.each<[string, OperatorName, readonly number[], readonly number[]]>([
  ["neighbours of kernel rows that are brought together", "conv2d", [8, 9], [9, 10]],
  ["neighbours in depth", "fullyConnected", [2, 3], [3, 4]],
  ["one above the other", "depthwiseConv2d", [0, 24], [0, 8]],
  ["neighbours in a gate's matrix", "unidirectionalSequenceLstm", [0, 1], [1, 2]],
  ["neighbours of a filter", "svdf", [0, 1], [1, 2]],
])("two weights of -128 are refused as %s", (_, operator, refused, taken) => {
  const compiled = (places: readonly number[], variant: Variant): Image => {
    return compile(withExtremes(operator, 0, places), { variant });
  };
  expect(() => compiled(refused, "signed")).toThrow(/have -128 side by side/);
  for (const variant of ["mcu", "simd", "relaxed"] as const) compiled(refused, variant);
  compiled(taken, "signed");
});

vi.mock("../../src/runtime/relaxed-dot.ts", () => ({ relaxedDot: () => -128 }));

/** Kernels of an engine on Arm, as far as loading asks. */
function onArm(): Kernels {
  const kernels = kernelsFrom((variant) => Promise.resolve(new WebAssembly.Module(kernelBytes(variant))));
  kernels.proofs.set("signed", true);
  return kernels;
}

test("on Arm signed kernels are the fastest", async () => {
  expect(await fastestVariant(onArm())).toBe("signed");
});

test("what a dot product tells of this engine, its own probe proves", async () => {
  const { relaxedDot } = await vi.importActual<typeof import("../../src/runtime/relaxed-dot.ts")>(
    "../../src/runtime/relaxed-dot.ts",
  );
  expect(WebAssembly.validate(kernelBytes("relaxed")) ? [128, -128] : [undefined]).toContain(relaxedDot());
});

test("models with such weights are loaded for simd there, if nobody asks for signed", async () => {
  const model = await loadWith(onArm(), withExtremes("fullyConnected", 0, [2, 3]), {});
  expect(model.report.variant).toBe("simd");
  await expect(
    loadWith(onArm(), withExtremes("fullyConnected", 0, [2, 3]), { variant: "signed" }),
  ).rejects.toMatchObject({ code: "weight-pairs" });
});

test.runIf(WebAssembly.validate(kernelBytes("signed")))("all others are loaded for signed", async () => {
  const model = await loadWith(onArm(), withExtremes("fullyConnected", 0, [3, 4]), {});
  expect(model.report.variant).toBe("signed");
});

test("the package's code has no signed kernels, and says where they are", async () => {
  const { kernelBytes: shipped } = await vi.importActual<typeof import("../../src/runtime/kernel-bytes.ts")>(
    "../../src/runtime/kernel-bytes.ts",
  );
  expect(() => shipped("signed")).toThrow('import "thimble/asset"');
  expect(shipped("simd")).toEqual(
    new Uint8Array(readFileSync(new URL("../../dist/wasm/thimble-simd.wasm", import.meta.url))),
  );
});
