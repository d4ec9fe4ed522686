import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { best, calibration, HELD_OUT_SEED, pictures, toFloat, toInt8 } from "../../models/digits/data.ts";
import { drawDigit, SIDE } from "../../models/digits/draw.ts";
import type { Layer } from "../../models/digits/layers.ts";
import {
  conv2d,
  crossEntropy,
  depthwiseConv2d,
  fullyConnected,
  globalMean,
} from "../../models/digits/layers.ts";
import { digitsNetwork, floatModel } from "../../models/digits/network.ts";
import { Random } from "../../models/digits/random.ts";
import { load, quantize, readFloatModel, runFloat } from "../../src/index.ts";
import { hasShared, samples, sharedBytes } from "../shared.ts";

function file(name: string): Uint8Array {
  return readFileSync(fileURLToPath(new URL(`../../models/digits/${name}`, import.meta.url)));
}

const bytes = file("digits.tflite");
const float = readFloatModel(file("digits-float.tflite"));

test("digits.tflite is what our quantiser makes of digits-float.tflite, and below 40 KB", () => {
  expect(Buffer.from(quantize(float, calibration())).equals(Buffer.from(bytes))).toBe(true);
  expect(bytes.length).toBeLessThan(40_000);
});

test("of held-out digits at least 98 % are recognised, int8 within 0.5 % of float32", async () => {
  const model = await load(bytes);
  const drawn = pictures(2000, HELD_OUT_SEED);
  const share = (right: (pixels: Uint8Array) => number): number =>
    drawn.filter(({ digit, pixels }) => right(pixels) === digit).length / drawn.length;
  const int8 = share((pixels) => best(model.run(toInt8(pixels))));
  const float32 = share((pixels) => best(runFloat(float, toFloat(pixels))[0] ?? []));
  expect(int8).toBeGreaterThanOrEqual(0.98);
  expect(Math.abs(int8 - float32)).toBeLessThanOrEqual(0.005);
});

test.skipIf(!hasShared)(
  "ten digits that people wrote, none of which was trained or tuned on, are all recognised",
  async () => {
    const model = await load(bytes);
    const written = samples().filter(({ model: name }) => name.includes("mnist"));
    expect(written.length).toBe(10);
    const read = written.map(({ inputs: [input] }) =>
      best(model.run(new Int8Array(Uint8Array.from(sharedBytes("samples", input?.file ?? "")).buffer))),
    );
    expect(read).toEqual(written.map(({ expected }) => expected));
  },
);

test("drawn digits repeat with their seed, differ without, and leave the border free of most ink", () => {
  const [one, two, other] = [new Random(5), new Random(5), new Random(6)].map((random) =>
    drawDigit(3, random),
  );
  expect(one).toEqual(two);
  expect(one).not.toEqual(other);
  for (const { pixels } of pictures(100, 9)) {
    const ink = pixels.reduce((sum, value) => sum + value, 0);
    const inside = pixels.filter((_, i) => {
      const [y, x] = [Math.floor(i / SIDE), i % SIDE];
      return y > 0 && y < SIDE - 1 && x > 0 && x < SIDE - 1;
    });
    expect(inside.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(0.85 * ink);
  }
});

/** Loss of a layer whose output is weighted by fixed numbers. */
function weighted(layer: Layer, input: Float64Array): number {
  return layer.forward(input).reduce((sum, value, i) => sum + value * Math.cos(i), 0);
}

test.each([
  ["conv2d", 16, conv2d({ size: 4, depth: 1, channels: 4, kernel: 3, stride: 2 }, new Random(1))],
  ["pointwise conv2d", 27, conv2d({ size: 3, depth: 3, channels: 4, kernel: 1, stride: 1 }, new Random(2))],
  [
    "depthwiseConv2d",
    50,
    depthwiseConv2d({ size: 5, depth: 2, channels: 2, kernel: 3, stride: 2 }, new Random(3)),
  ],
  ["mean", 12, globalMean(4, 3)],
  ["fullyConnected", 6, fullyConnected(6, 3, new Random(4))],
])("gradients of %s are the differences", (_name, length, layer) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = new Random(seed);
      const input = Float64Array.from({ length }, () => random.normal());
      for (const { gradient } of layer.parameters) gradient.fill(0);
      const output = layer.forward(input);
      const byInput = Float64Array.from(layer.backward(Float64Array.from(output, (_, i) => Math.cos(i))));
      const places = [
        [input, byInput] as const,
        ...layer.parameters.map(({ value, gradient }) => [value, Float64Array.from(gradient)] as const),
      ];
      const step = 1e-6;
      for (const [values, gradient] of places) {
        const at = Math.floor(random.next() * values.length);
        const before = values[at] ?? NaN;
        values[at] = before + step;
        const above = weighted(layer, input);
        values[at] = before - step;
        const below = weighted(layer, input);
        values[at] = before;
        expect((above - below) / (2 * step)).toBeCloseTo(gradient[at] ?? NaN, 4);
      }
    }),
    { numRuns: 30 },
  );
});

test("the gradient of the loss is the difference, and the trainer computes what the float model does", () => {
  const logits = Float64Array.of(0.5, -1, 2);
  const gradient = new Float64Array(3);
  crossEntropy(logits, 1, 0.1, gradient);
  const at = (shift: number): number =>
    crossEntropy(
      logits.map((x, i) => (i === 2 ? x + shift : x)),
      1,
      0.1,
      new Float64Array(3),
    );
  expect((at(1e-6) - at(-1e-6)) / 2e-6).toBeCloseTo(gradient[2] ?? NaN, 5);

  const layers = digitsNetwork(new Random(7));
  const model = { ...floatModel(layers), outputs: ["logits"] };
  const pixels = drawDigit(8, new Random(8));
  const input = Float64Array.from(pixels, (pixel) => pixel / 255);
  const wanted = layers.reduce<Float64Array>((x, layer) => layer.forward(x), input);
  const [answer] = runFloat(model, toFloat(pixels));
  for (const [i, value] of wanted.entries()) expect(answer?.[i]).toBeCloseTo(value, 4);
});
