import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FloatModel, FloatNode } from "../../src/index.ts";
import { load, quantize, readFloatModel, runFloat, writeFloatModel } from "../../src/index.ts";
import { readModel } from "../../src/tflite/read.ts";
import { floatModel, noise, samplesOf } from "./float-models.ts";

const RUNS = { numRuns: 25 };

test("a float32 file keeps the model: the same outputs, bit for bit", () => {
  fc.assert(
    fc.property(floatModel(), (model) => {
      const [sample = new Float32Array()] = samplesOf(model, 1);
      const again = readFloatModel(writeFloatModel(model));
      expect(again.outputs).toEqual(model.outputs);
      expect(runFloat(again, sample)).toEqual(runFloat(model, sample));
    }),
    RUNS,
  );
});

test("int8 outputs stay within a few steps of the float reference", async () => {
  await fc.assert(
    fc.asyncProperty(floatModel(), async (model) => {
      const samples = samplesOf(model, 12);
      const quantized = await load(quantize(model, samples), { variant: "mcu" });
      for (const sample of samples) {
        const input = quantized.inputs[0]?.quantize(sample) ?? new Int8Array();
        const answers = quantized.run([input]);
        for (const [i, wanted] of runFloat(model, sample).entries()) {
          const port = quantized.outputs[i];
          const real = port?.dequantize(answers[i] ?? []) ?? new Float32Array();
          const range = 255 * (port?.scale ?? 0);
          for (const [k, value] of wanted.entries())
            expect(Math.abs(value - (real[k] ?? NaN))).toBeLessThan(0.1 * range);
        }
      }
    }),
    RUNS,
  );
});

test("scales are TFLite's: activations hold what was seen and 0, weights and biases are symmetric", () => {
  fc.assert(
    fc.property(floatModel(), (model) => {
      const samples = samplesOf(model, 4);
      const { tensors, operators } = readModel(quantize(model, samples));
      const named = (name: string): (typeof tensors)[number] => {
        const tensor = tensors.find((candidate) => candidate.name === name);
        if (tensor === undefined) throw new Error(`no tensor ${name}`);
        return tensor;
      };
      // Activations: 0 is a step, and what the samples brought about is within half a step of the ends.
      const whole = { ...model, outputs: model.nodes.map(({ name }) => name) };
      const values = samples.map((sample) => runFloat(whole, sample));
      for (const [i, { name, op }] of model.nodes.entries()) {
        const { type, quantization } = named(name);
        const [scale = NaN, zeroPoint = NaN] = [quantization?.scales[0], quantization?.zeroPoints[0]];
        expect([type, quantization?.scales.length]).toEqual(["int8", 1]);
        expect(zeroPoint).toBeGreaterThanOrEqual(-128);
        expect(zeroPoint).toBeLessThanOrEqual(127);
        if (op === "softmax") expect([scale, zeroPoint]).toEqual([1 / 256, -128]);
        if (["softmax", "pad", "reshape", "maxPool2d", "averagePool2d"].includes(op)) continue;
        const seen = values.flatMap((outputs) => [...(outputs[i] ?? [])]);
        const low = Math.min(0, ...seen);
        const high = Math.max(0, ...seen);
        expect(scale * (-128 - zeroPoint)).toBeLessThanOrEqual(low + 0.51 * scale);
        expect(scale * (127 - zeroPoint)).toBeGreaterThanOrEqual(high - 0.51 * scale);
        if (high > low) expect(scale).toBeCloseTo((high - low) / 255, 6);
      }
      // What moves values keeps their scale.
      for (const [to, from] of [
        ["padded", "product"],
        ["most", "padded"],
        ["average", "padded"],
        ["vector", "mean"],
      ] as const) {
        expect(named(to).quantization).toEqual(named(from).quantization);
      }
      // Weights: the greatest of each channel is ±127, the zero point 0; biases have the product of both scales.
      for (const [name, channels, input] of [
        ["conv", named("conv").shape[3] ?? 0, "in"],
        ["depthwise", named("depthwise").shape[3] ?? 0, "conv"],
        ["logits", 1, "vector"],
      ] as const) {
        const { quantization, data } = named(`${name}/weights`);
        expect(quantization?.scales.length).toBe(channels);
        expect(quantization?.zeroPoints.some((zeroPoint) => zeroPoint !== 0)).toBe(false);
        expect(Math.max(...[...new Int8Array(data ?? [])].map(Math.abs))).toBe(127);
        if (name === "depthwise") continue;
        const bias = named(`${name}/bias`);
        const inputScale = named(input).quantization?.scales[0] ?? NaN;
        expect(bias.type).toBe("int32");
        expect([...(bias.quantization?.scales ?? [])]).toEqual(
          [...(quantization?.scales ?? [])].map((scale) => Math.fround(scale * inputScale)),
        );
      }
      expect(operators.length).toBe(model.nodes.length);
    }),
    RUNS,
  );
});

/** A matrix of one row. */
function matrix(weights: readonly number[], bias: readonly number[]): FloatModel {
  const node: FloatNode = {
    op: "fullyConnected",
    name: "out",
    input: "in",
    weights: { shape: [bias.length, weights.length / bias.length], data: Float32Array.from(weights) },
    bias: Float32Array.from(bias),
  };
  return {
    inputs: [{ name: "in", shape: [1, weights.length / bias.length] }],
    nodes: [node],
    outputs: ["out"],
  };
}

test("weights that are all 0, values that never change and biases beyond the weights have scales", async () => {
  for (const [weights, bias] of [
    [[0, 0], [0]],
    [[0, 0], [3]],
    [[1e-9, -1e-9], [1000]],
    [[1e-30, 0], [1e-30]],
  ] as const) {
    const model = matrix(weights, bias);
    const quantized = await load(quantize(model, [Float32Array.of(0.5, -1)]));
    const answer = quantized.outputs[0]?.dequantize(quantized.run(Int8Array.of(100, -100))) ?? [];
    expect(Math.abs((answer[0] ?? NaN) - bias[0])).toBeLessThan(0.01 * Math.abs(bias[0]) + 1e-6);
  }
});

describe("what cannot be quantised is said with a code", () => {
  const sample = [Float32Array.of(1, 2)];
  const model = matrix([1, 2], [0]);
  const [node] = model.nodes as [FloatNode];
  test.each([
    ["no-samples", () => quantize(model, [])],
    ["float-input", () => quantize(model, [new Float32Array(3)])],
    ["float-input", () => quantize(model, [[...sample, ...sample]])],
    ["not-finite", () => quantize(model, [Float32Array.of(1, NaN)])],
    ["not-finite", () => quantize(matrix([1, Infinity], [0]), sample)],
    ["float-shape", () => quantize(matrix([1, 2, 3, 4, 5], [0, 1]), [noise(1, 2)])],
    ["float-name", () => quantize({ ...model, outputs: ["nothing"] }, sample)],
    ["float-name", () => quantize({ ...model, nodes: [node, node] }, sample)],
    ["float-operator", () => quantize({ ...model, nodes: [{ ...node, op: "lstm" } as never] }, sample)],
    ["not-float", () => readFloatModel(quantize(model, sample))],
  ])("%s", (code, act) => {
    expect(act).toThrow(expect.objectContaining({ code }));
  });

  test.each<[string, string, RegExp, () => unknown]>([
    [
      "the bytes of a file",
      "float-model",
      /Uint8Array was given.*`readFloatModel\(bytes\)`/,
      () => quantize(writeFloatModel(model) as never, sample),
    ],
    ["nothing", "float-model", /undefined was given/, () => quantize(undefined as never, sample)],
    ["no lists", "float-model", /Object was given/, () => runFloat({ inputs: [] } as never, sample)],
    [
      "an activation that is none",
      "unsupported-activation",
      /node "out" \(fullyConnected\) has activation "swish"; choose one of none, relu, reluN1To1, relu6/,
      () => quantize({ ...model, nodes: [{ ...node, activation: "swish" } as never] }, sample),
    ],
    [
      "an operator that is none",
      "float-operator",
      /"lstm".*; choose one of add, .*conv2d, .*softmax/,
      () => quantize({ ...model, nodes: [{ ...node, op: "lstm" } as never] }, sample),
    ],
    ["no samples at all", "no-samples", /samples are undefined/, () => quantize(model, undefined as never)],
    [
      "a sample instead of samples",
      "float-input",
      /a sample is number/,
      () => quantize(model, Float32Array.of(1, 2) as never),
    ],
  ])("%s: what to do", (_, code, message, act) => {
    expect(act).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) as string }));
  });
});
