import fc from "fast-check";
import { expect, test } from "vitest";
import { textMap, type MapRectangle } from "../../src/memory/text-map.ts";

function activation(
  name: string,
  address: number,
  bytes: number,
  firstStep: number,
  lastStep: number,
): MapRectangle {
  return { name, kind: "activation", address, bytes, firstStep, lastStep };
}

test("shows who is where when", () => {
  const entries: MapRectangle[] = [
    activation("image", 32, 32, 0, 0),
    activation("features", 64, 48, 0, 1),
    activation("scores", 32, 16, 1, 2),
    { name: "conv", kind: "scratch", address: 112, bytes: 16, firstStep: 0, lastStep: 0 },
    { name: "dense", kind: "weights", address: 48, bytes: 32, firstStep: 2, lastStep: 2 },
  ];
  expect(textMap(entries, 3, 144, 100).split("\n")).toEqual([
    " 128 |..................",
    " 112 |~~~~~~............",
    "  96 |BBBBBBBBBBBB......",
    "  80 |BBBBBBBBBBBB......",
    "  64 |BBBBBBBBBBBB######",
    "  48 |AAAAAA......######",
    "  32 |AAAAAACCCCCCCCCCCC",
    "   0 |==================",
    "step  0     1     2",
    "",
    "A 32 bytes, steps 0-0: image",
    "B 48 bytes, steps 0-1: features",
    "C 16 bytes, steps 1-2: scores",
    "~ scratch  # streamed weights  . free  = plan and resident weights",
  ]);
});

test("a cell that is mostly free is shown free", () => {
  const lowestRow = (bytes: number): string | undefined => {
    const entries = [activation("big", 0, 4800, 0, 0), activation("small", 0, bytes, 1, 1)];
    // 24 rows of 208 bytes.
    return textMap(entries, 2, 4800).split("\n")[23];
  };
  expect(lowestRow(103)).toBe("   0 |AAAAAA......");
  expect(lowestRow(104)).toBe("   0 |AAAAAABBBBBB");
});

test("any map is ASCII within its width", () => {
  const rectangles = fc.record({
    name: fc.string({ unit: "binary", maxLength: 200 }),
    kind: fc.constantFrom("activation", "scratch", "weights"),
    address: fc.nat(100_000),
    bytes: fc.nat(100_000),
    firstStep: fc.nat(300),
    lastStep: fc.nat(300),
  });
  fc.assert(
    fc.property(
      fc.array(rectangles),
      fc.nat(300),
      fc.nat(200_000),
      fc.integer({ min: 20, max: 120 }),
      (entries, steps, totalBytes, width) => {
        const lines = textMap(entries, steps, totalBytes, width).split("\n");
        for (const line of lines) expect(line).toMatch(/^[\x20-\x7e]*$/);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
        expect(lines.length).toBeLessThan(24 + 5 + 13);
      },
    ),
  );
});

test("many steps share columns", () => {
  const entries = Array.from({ length: 500 }, (_, step) => activation(`t${step}`, 0, 64, step, step));
  const lines = textMap(entries, 500, 64, 60).split("\n");
  expect(lines[0]).toHaveLength(60);
  expect(lines.at(-1)).toContain("o other activations");
});
