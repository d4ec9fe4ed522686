import { describe, expect, test } from "vitest";
import type { WantedArray } from "../../src/cli/npy.ts";
import { npyData } from "../../src/cli/npy.ts";
import { elementCount } from "../../src/plan/shape.ts";
import { npy } from "./npy-file.ts";

const wanted = (shape: readonly number[], many?: true): WantedArray => ({
  dtype: "<i2",
  shape,
  ...(many === undefined ? {} : { many }),
  text: 'input "x"',
  conversion: (dtype) => `not ${dtype}`,
});

/** A file of 16-bit numbers that count up. */
function file(shape: readonly number[]): Buffer {
  const values = Int16Array.from({ length: elementCount(shape) }, (_, i) => i);
  return npy("<i2", `(${shape.map((extent) => `${extent},`).join(" ")})`, new Uint8Array(values.buffer));
}

describe("an array", () => {
  test.each([
    [
      [1, 6, 5, 3],
      [1, 6, 5, 3],
    ],
    [
      [6, 5, 3],
      [1, 6, 5, 3],
    ],
    [
      [1, 49, 10],
      [1, 49, 10, 1],
    ],
    [[90], [1, 6, 5, 3]],
    [
      [1, 90],
      [1, 6, 5, 3],
    ],
    [[], [1, 1]],
    // One channel lies alike in either place.
    [
      [1, 1, 6, 5],
      [1, 6, 5, 1],
    ],
  ])("of shape %j is one of %j", (shape, of) => {
    const bytes = file(shape);
    const size = 2 * elementCount(of);
    expect([...npyData("x.npy", bytes, wanted(of))]).toEqual([...bytes.subarray(bytes.length - size)]);
  });

  test.each([
    [[1, 3, 96, 96], [1, 96, 96, 3], "transpose it with x.transpose(0, 2, 3, 1)"],
    [[3, 96, 96], [1, 96, 96, 3], "transpose it with x.transpose(1, 2, 0)"],
    [[1, 3, 6, 5], [1, 6, 5, 3], "transpose it with x.transpose(0, 2, 3, 1)"],
    [[10, 49], [1, 49, 10, 1], "transpose it with x.transpose(1, 0)"],
    [[1, 10, 49], [1, 49, 10, 1], "transpose it with x.squeeze().transpose(1, 0)"],
    [[1, 30, 3], [1, 6, 5, 3], "save an array of that shape"],
    [[2, 6, 5, 3], [1, 6, 5, 3], "save an array of that shape"],
    [[0], [1, 6, 5, 3], "save an array of that shape"],
  ])("of shape %j is none of %j", (shape, of, mend) => {
    expect(() => npyData("x.npy", file(shape), wanted(of))).toThrow(
      expect.objectContaining({
        name: "InputError",
        code: "npy-shape",
        message: `x.npy has shape [${shape.join(", ")}]; input "x" takes [${of.join(", ")}]: ${mend}`,
      }),
    );
  });
});

describe("many arrays", () => {
  test.each([
    [
      [20, 28, 27, 1],
      [28, 27, 1],
    ],
    [
      [20, 28, 27],
      [28, 27, 1],
    ],
    [
      [20, 756],
      [28, 27, 1],
    ],
    [
      [28, 27],
      [28, 27, 1],
    ],
    [[756], [28, 27, 1]],
    [[20], []],
  ])("of shape %j are some of %j", (shape, of) => {
    const bytes = file(shape);
    expect(npyData("x.npy", bytes, wanted(of, true)).length).toBe(2 * elementCount(shape));
  });

  test.each([
    [[20, 3, 28, 28], [28, 28, 3], "transpose it with x.transpose(0, 2, 3, 1)"],
    [[20, 27, 28], [28, 27, 1], "transpose it with x.transpose(0, 2, 1)"],
    [[20 * 756], [28, 27, 1], "save an array of that shape"],
    [[3, 28, 26], [28, 27, 1], "save an array of that shape"],
    [[0, 28, 27, 1], [28, 27, 1], "save an array of that shape"],
  ])("of shape %j are none of %j", (shape, of, mend) => {
    expect(() => npyData("x.npy", file(shape), wanted(of, true))).toThrow(
      expect.objectContaining({
        code: "npy-shape",
        message: `x.npy has shape [${shape.join(", ")}]; input "x" takes [samples, ${of.join(", ")}]: ${mend}`,
      }),
    );
  });
});

describe("a file is refused", () => {
  const good = file([2, 3]);
  test.each([
    ["of another type", npy("<f4", "(2, 3)", new Uint8Array(24)), "npy-type", "not <f4"],
    ["in Fortran order", npy("<i2", "(2, 3)", new Uint8Array(12), "True"), "npy-order", "ascontiguousarray"],
    ["that is cut in its data", good.subarray(0, good.length - 1), "npy-bytes", "11 bytes of data"],
    ["that is cut in its header", good.subarray(0, 40), "npy", "no header"],
    ["that is none", Buffer.from("[1, 2, 3]"), "npy", "numpy.save"],
  ])("%s", (_, bytes, code, words) => {
    expect(() => npyData("x.npy", bytes, wanted([2, 3]))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) as string }),
    );
  });
});

describe("where float32 is wanted", () => {
  const float = { ...wanted([3]), dtype: "<f4" };
  const bytesOf = (array: Float64Array | BigInt64Array): Uint8Array => new Uint8Array(array.buffer);
  const floats = (bytes: Uint8Array): number[] => [...new Float32Array(Uint8Array.from(bytes).buffer)];

  test("NumPy's defaults are taken: float64 is rounded, int64 must be exact", () => {
    const reals = npy("<f8", "(3,)", bytesOf(Float64Array.of(0.1, -2, NaN)));
    expect(floats(npyData("x.npy", reals, float))).toEqual([Math.fround(0.1), -2, NaN]);
    const whole = npy("<i8", "(3,)", bytesOf(BigInt64Array.of(-1n, 0n, 2n ** 40n)));
    expect(floats(npyData("x.npy", whole, float))).toEqual([-1, 0, 2 ** 40]);
    const long = npy("<i8", "(3,)", bytesOf(BigInt64Array.of(-1n, 0n, 2n ** 24n + 1n)));
    expect(() => npyData("x.npy", long, float)).toThrow(
      /holds <i8, and 16777217, which float32 does not hold; save/,
    );
    const cut = npy("<f8", "(3,)", new Uint8Array(23));
    expect(() => npyData("x.npy", cut, float)).toThrow(expect.objectContaining({ code: "npy-bytes" }));
  });

  test("and nowhere else", () => {
    for (const dtype of ["<f8", "<i8"])
      expect(() => npyData("x.npy", npy(dtype, "(3,)", new Uint8Array(24)), wanted([3]))).toThrow(
        expect.objectContaining({ code: "npy-type" }),
      );
  });
});
