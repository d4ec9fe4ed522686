import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fit, Picture, PictureOptions, Range } from "../../src/front/image.ts";
import { pictureInput, pictureShape, rangeOf, RANGES } from "../../src/front/image.ts";
import { resizePixels } from "../../src/front/resize.ts";
import type { Model, ModelPort, TensorArray } from "../../src/index.ts";
import { load } from "../../src/index.ts";
import { typed } from "../golden-inputs.ts";
import { BUILTIN, options, writeModel } from "../model-writer.ts";
import { resizeReference } from "../reference/resize-picture.ts";
import { hasShared, modelBytes, modelNames, samples, sharedBytes } from "../shared.ts";
import { named } from "../written-models.ts";

type PortTensor = {
  shape: number[];
  type: "int8" | "int16" | "float32";
  scales?: number[];
  zeroPoints?: number[];
};

/** The input of a model that adds it to itself. */
async function portOf(tensor: PortTensor): Promise<ModelPort> {
  const operator = {
    builtin: BUILTIN.add,
    options: options.elementwise(),
    inputs: ["in", "in"],
    output: "out",
  };
  const quantized = { builtin: BUILTIN.quantize, inputs: ["in"], output: "out" };
  const out =
    tensor.type === "float32"
      ? { shape: tensor.shape, type: "int8" as const, scales: [1], zeroPoints: [0] }
      : tensor;
  const operators = tensor.type === "float32" ? [quantized] : [operator];
  const bytes = writeModel(named({ in: tensor, out }, operators, ["in"], ["out"]));
  const [port] = (await load(bytes, { passes: [] })).inputs;
  if (port === undefined) throw new Error("a model without inputs");
  return port;
}

const int8Port = (
  [height, width, channels]: readonly [number, number, number],
  scale = 1,
  zeroPoint = -128,
): Promise<ModelPort> =>
  portOf({ shape: [1, height, width, channels], type: "int8", scales: [scale], zeroPoints: [zeroPoint] });

const side = fc.integer({ min: 1, max: 9 });

/** Pixels of some size and so many channels. */
const picture = (channels: fc.Arbitrary<number>): fc.Arbitrary<Picture & { channels: number }> =>
  fc
    .tuple(side, side, channels)
    .chain(([width, height, channels]) =>
      fc
        .uint8Array({ minLength: width * height * channels, maxLength: width * height * channels })
        .map((data) => ({ width, height, channels, data })),
    );

/** The largest difference of two arrays' values. */
function worst(left: TensorArray, right: TensorArray): number {
  expect(left.length).toBe(right.length);
  return Array.from(left, (value, i) => Math.abs(value - (right[i] ?? NaN))).reduce(
    (a, b) => Math.max(a, b),
    0,
  );
}

const anyPicture = picture(fc.constantFrom(1, 3, 4));

describe("resizing", () => {
  test("is the mean of all pixels, each by its distance", () => {
    const part = fc.tuple(
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      fc.double({ min: 0.3, max: 0.5, noNaN: true }),
    );
    fc.assert(
      fc.property(anyPicture, side, side, part, part, (from, width, height, [x, w], [y, h]) => {
        const crop = {
          x: x * from.width,
          y: y * from.height,
          width: w * from.width,
          height: h * from.height,
        };
        const made = resizePixels(from.data, from, crop, { width, height });
        const wanted = resizeReference(from.data, from, crop, { width, height });
        expect(made.length).toBe(wanted.length);
        for (const [i, value] of wanted.entries()) expect(made[i]).toBeCloseTo(value, 3);
      }),
    );
  });

  test("keeps a constant, and everything where the size stays", () => {
    fc.assert(
      fc.property(anyPicture, side, side, fc.integer({ min: 0, max: 255 }), (from, width, height, value) => {
        const whole = { x: 0, y: 0, width: from.width, height: from.height };
        expect([...resizePixels(from.data, from, whole, from)]).toEqual([...from.data]);
        const constant = new Uint8Array(from.data.length).fill(value);
        const made = resizePixels(constant, from, whole, { width, height });
        for (const pixel of made) expect(pixel).toBeCloseTo(value, 3);
      }),
    );
  });
});

describe("a picture as an input", () => {
  test("of the input's size and channels is itself, in the input's range", async () => {
    for (const [range, scale, zeroPoint] of [
      ["0..255", 1, -128],
      ["0..1", 1 / 255, -128],
      ["-1..1", 2 / 255, -1],
    ] as const) {
      const port = await int8Port([2, 3, 3], Math.fround(scale), zeroPoint);
      expect(rangeOf(port)).toBe(range);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 18, maxLength: 18 }), (data) => {
          const wanted = Array.from(data, (value) => value - 128);
          const made = pictureInput(port, { width: 3, height: 2, data });
          // −1 … 1 has no step at 0, so that a pixel may lie between two.
          for (const [i, value] of wanted.entries()) {
            expect(Math.abs((made[i] ?? NaN) - value)).toBeLessThanOrEqual(range === "-1..1" ? 1 : 0);
          }
        }),
      );
    }
  });

  test("gets and loses channels: grey by luma, colour by repeating, alpha left out", async () => {
    const [grey, colour] = [await int8Port([2, 2, 1]), await int8Port([2, 2, 3])];
    const data = Uint8Array.of(10, 20, 30, 0, 255, 255, 255, 255, 0, 0, 0, 7, 200, 100, 50, 1);
    const luma = [10, 20, 30, 200, 100, 50].map((value, i) => value * ([0.299, 0.587, 0.114][i % 3] ?? NaN));
    const [first, last] = [luma.slice(0, 3), luma.slice(3)].map((parts) =>
      Math.round(parts.reduce((a, b) => a + b)),
    );
    expect([...pictureInput(grey, { width: 2, height: 2, data })].map((q) => q + 128)).toEqual([
      first,
      255,
      0,
      last,
    ]);
    expect([...pictureInput(colour, { width: 2, height: 2, data })].map((q) => q + 128)).toEqual([
      ...[10, 20, 30, 255, 255, 255, 0, 0, 0, 200, 100, 50],
    ]);
    const shades = pictureInput(colour, { width: 2, height: 2, data: Uint8Array.of(0, 1, 2, 255) });
    expect([...shades].map((q) => q + 128)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 255, 255, 255]);
  });

  test("is cropped in the middle, padded with black, or stretched", async () => {
    const port = await int8Port([2, 2, 1]);
    const wide = { width: 4, height: 2, data: Uint8Array.of(1, 90, 80, 2, 3, 70, 60, 4) };
    const made = (fit: Fit): number[] => [...pictureInput(port, wide, { fit })].map((q) => q + 128);
    expect(made("crop")).toEqual([90, 80, 70, 60]);
    const stretched = resizeReference(
      wide.data,
      { ...wide, channels: 1 },
      { x: 0, y: 0, width: 4, height: 2 },
      { width: 2, height: 2 },
    );
    expect(made("stretch")).toEqual(stretched.map(Math.round));
    const tall = await int8Port([4, 4, 1]);
    const padded = [...pictureInput(tall, wide, { fit: "pad" })].map((q) => q + 128);
    expect(padded).toEqual([0, 0, 0, 0, ...wide.data, 0, 0, 0, 0]);
  });

  test("of any size fits any input, within its range", async () => {
    const ports = await Promise.all([int8Port([3, 7, 3]), int8Port([8, 2, 1]), int8Port([5, 5, 3])]);
    const fit = fc.constantFrom<Fit>("crop", "pad", "stretch");
    fc.assert(
      fc.property(fc.constantFrom(...ports), anyPicture, fit, (port, from, fit) => {
        const made = [...pictureInput(port, from, { fit })].map((q) => q + 128);
        expect(made.length).toBe(port.length);
        const most = Math.max(...from.data) + 1;
        for (const value of made) expect(value >= 0 && value <= most).toBe(true);
      }),
    );
  });

  test("goes into float32 and int16 where the range is given", async () => {
    const float = await portOf({ shape: [1, 2, 2, 1], type: "float32" });
    const wide = await portOf({ shape: [1, 2, 2, 1], type: "int16", scales: [2 ** -15], zeroPoints: [0] });
    const data = Uint8Array.of(0, 51, 102, 255);
    for (const port of [float, wide]) {
      expect(rangeOf(port)).toBeUndefined();
      expect(() => pictureInput(port, { width: 2, height: 2, data })).toThrow(
        expect.objectContaining({ code: "image-range" }),
      );
    }
    const of = (port: ModelPort, range: Range): number[] => [
      ...pictureInput(port, { width: 2, height: 2, data }, { range }),
    ];
    expect(of(float, "0..255")).toEqual([0, 51, 102, 255]);
    expect(of(float, "-1..1")).toEqual([-1, -0.6, -0.2, 1].map(Math.fround));
    expect(of(wide, "0..1")).toEqual([0, 6554, 13107, 32767]);
  });

  test.each([
    [2, 2, 3],
    [2, 2, 8],
    [0, 0, 0],
    [-2, -2, 4],
    [1.5, 2, 3],
    [2 ** 31, 2 ** 31, 16],
    [NaN, 2, 4],
    [4, 0, 4],
  ])("%s × %s pixels of %s bytes are refused", async (width, height, bytes) => {
    const port = await int8Port([2, 2, 1]);
    expect(() => pictureInput(port, { width, height, data: new Uint8Array(bytes) })).toThrow(
      expect.objectContaining({ code: "image-data" }),
    );
  });

  test.each([
    ["Float32Array", new Float32Array(4)],
    ["Int8Array", new Int8Array(4)],
    ["Array", [0, 0, 0, 0]],
    ["undefined", undefined],
  ])("pixels in %s are refused", async (kind, data) => {
    const port = await int8Port([2, 2, 1]);
    expect(() => pictureInput(port, { width: 2, height: 2, data } as unknown as Picture)).toThrow(
      expect.objectContaining({
        name: "InputError",
        code: "image-data",
        message: expect.stringContaining(`not ${kind}; of real numbers`) as string,
      }),
    );
  });

  test.each([
    [{ fit: "cover" }, "image-fit", 'fit is crop, pad, stretch, not "cover"'],
    [{ range: "0-1" }, "image-range", 'range is 0..1, -1..1, 0..255, not "0-1"'],
  ])("%j is refused", async (options, code, message) => {
    const port = await int8Port([2, 2, 1]);
    const picture = { width: 2, height: 2, data: new Uint8Array(4) };
    expect(() => pictureInput(port, picture, options as PictureOptions)).toThrow(
      expect.objectContaining({ name: "InputError", code, message }),
    );
  });

  test.each([[[1, 10]], [[2, 4, 4, 3]], [[1, 4, 4, 2]], [[1, 1, 8, 1]], [[1, 2, 2, 2, 3]]])(
    "shape %j takes none",
    async (shape) => {
      const port = await portOf({ shape, type: "int8", scales: [1], zeroPoints: [-128] });
      expect(pictureShape(port)).toBeUndefined();
      expect(() => pictureInput(port, { width: 1, height: 1, data: Uint8Array.of(1) })).toThrow(
        expect.objectContaining({ code: "image-shape" }),
      );
    },
  );
});

describe.skipIf(!hasShared)("real models", () => {
  test("tell their range by their quantisation", async () => {
    const ranges: Record<string, Range | undefined> = {};
    for (const name of modelNames()) {
      const [port] = (await load(modelBytes(name), { sram: "unbounded", schedule: "layer" })).inputs;
      if (port !== undefined && pictureShape(port)) ranges[name] = rangeOf(port);
    }
    expect(ranges).toEqual({
      ic_resnet8_int8: "0..255",
      kws_dscnn_int8: undefined,
      mcunet_vww: "-1..1",
      mcunetv2_large: "0..1",
      mnist_lstm_int8: "0..1",
      person_detect_int8: "-1..1",
      vww_mobilenet_int8: "0..1",
    });
    expect(Object.values(ranges).every((range) => range === undefined || RANGES.includes(range))).toBe(true);
  });

  // The photographs whose samples are whole pixels.
  const photographs = samples().filter(
    ({ model, id }) => model === "mcunet_vww" && id !== "person_det" && id !== "images_h_person",
  );

  test("photographs of 80 × 80 pixels are what they are labelled, in both models", async () => {
    const small = await load(modelBytes("mcunet_vww"));
    const large = await load(modelBytes("vww_mobilenet_int8"), { sram: "unbounded", schedule: "layer" });
    const answer = (model: Model, picture: Picture): { input: TensorArray; best: number } => {
      const input = model.inputs[0] && pictureInput(model.inputs[0], picture);
      const scores = model.run(input ?? new Int8Array(0));
      return { input: input ?? new Int8Array(0), best: (scores[1] ?? NaN) > (scores[0] ?? NaN) ? 1 : 0 };
    };
    expect(photographs.length).toBe(11);
    for (const { id, inputs, expected } of photographs) {
      const floats = typed("float32", sharedBytes("samples", inputs[0]?.file ?? ""));
      const data = Uint8Array.from(floats, (value) => Math.round((value + 1) * 127.5));
      const ours = answer(small, { width: 80, height: 80, data });
      expect(worst(floats, ours.input)).toBeLessThan(1e-5);
      expect(ours.best).toBe(expected);

      // The other model's samples are the same photographs, made 96 × 96 by another program, in whole pixels.
      const other = samples().find((sample) => sample.model === "vww_mobilenet_int8" && sample.id === id);
      if (other === undefined) continue;
      const { input, best } = answer(large, { width: 80, height: 80, data });
      const sample = new Int8Array(sharedBytes("samples", other.inputs[0]?.file ?? ""));
      expect(worst(sample, input)).toBeLessThanOrEqual(1);
      expect(best).toBe(other.argmax);
    }
  });
});
