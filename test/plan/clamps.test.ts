import { expect, test } from "vitest";
import { compile } from "../../src/compile.ts";
import { verifyImage } from "../../src/emit/image.ts";
import { FIELDS, planRecords } from "../../src/plan/record.ts";
import { writeModel } from "../model-writer.ts";
import { ONE_OPERATOR, OPERATOR_NAMES } from "../written-models.ts";

/** Where an image clamps to int8: addresses of the two bounds, by operator. */
function clampsOf(sram: Uint8Array): { op: string; min: number; max: number }[] {
  return [...planRecords(sram)].flatMap(({ address, record: { op } }) => {
    const fields = FIELDS[op] as unknown as Readonly<Record<string, number>>;
    const { activationMin, activationMax } = fields;
    // Of int16 operators bounds are other ones.
    if (activationMin === undefined || activationMax === undefined || /int16/i.test(op)) return [];
    return [{ op, min: address + 4 * activationMin, max: address + 4 * activationMax }];
  });
}

test("bounds beyond int8, or that exclude each other, are refused in every record that has them", () => {
  const met = new Set<string>();
  for (const name of OPERATOR_NAMES) {
    const image = compile(writeModel(ONE_OPERATOR[name]), { variant: "simd" });
    for (const { op, min, max } of clampsOf(image.sram)) {
      met.add(op);
      for (const [low, high] of [
        [-129, 127],
        [-128, 128],
        [3, 2],
      ] as const) {
        const sram = image.sram.slice();
        const words = new DataView(sram.buffer);
        words.setInt32(min, low, true);
        words.setInt32(max, high, true);
        expect(() => {
          verifyImage({ ...image, sram });
        }, `${op} ${low} … ${high}`).toThrow(expect.objectContaining({ code: "plan-field" }));
      }
    }
  }
  expect([...met]).toEqual(
    expect.arrayContaining(["conv2d", "depthwiseConv2d", "weightedSum", "mul", "averagePool2d", "maxPool2d"]),
  );
});
