import fc from "fast-check";
import { expect, test } from "vitest";
import type { Box, Label, Labelled } from "../../src/memory/svg-labels.ts";
import { CHARACTER_WIDTH, ending, placeLabels, spread } from "../../src/memory/svg-labels.ts";

function labelled(left: number, top: number, width: number, height: number, name = "features"): Labelled {
  return { box: { left, top, width, height }, name, size: "1,234" };
}

/** What the text of a label covers, at most. */
function extent({ text, x, y, turned }: Label): Box {
  const length = text.length * CHARACTER_WIDTH;
  return turned
    ? { left: x - 9, top: y - length, width: 11, height: length }
    : { left: x, top: y - 9, width: length, height: 11 };
}

function isInside(inner: Box, outer: Box): boolean {
  return (
    inner.left >= outer.left - 0.01 &&
    inner.top >= outer.top - 0.01 &&
    inner.left + inner.width <= outer.left + outer.width + 0.01 &&
    inner.top + inner.height <= outer.top + outer.height + 0.01
  );
}

function meet(a: Box, b: Box): boolean {
  return (
    a.left < b.left + b.width - 0.01 &&
    b.left < a.left + a.width - 0.01 &&
    a.top < b.top + b.height - 0.01 &&
    b.top < a.top + a.height - 0.01
  );
}

test("a label is as long as there is room, level before turned", () => {
  const texts = (...boxes: Labelled[]): string[] => placeLabels(boxes).map(({ text }) => text);
  expect(texts(labelled(0, 0, 200, 40))).toEqual(["features 1,234"]);
  expect(texts(labelled(0, 0, 90, 40))).toEqual(["…ures 1,234"]);
  expect(texts(labelled(0, 0, 60, 40))).toEqual(["1,234"]);
  expect(texts(labelled(0, 0, 30, 30))).toEqual([]);
  expect(texts(labelled(0, 0, 200, 10))).toEqual([]);
  expect(placeLabels([labelled(0, 0, 20, 200)])).toMatchObject([{ text: "features 1,234", turned: true }]);
});

test("a label keeps to what is not drawn over", () => {
  const under = labelled(0, 0, 200, 40);
  const [label] = placeLabels([under, labelled(100, 0, 200, 40)]);
  expect(label).toMatchObject({ text: "…tures 1,234", x: 4 });
});

test("labels lie within their boxes, over no other and under nothing", () => {
  const boxes = fc.array(
    fc.record({
      left: fc.nat(300),
      top: fc.nat(300),
      width: fc.integer({ min: 1, max: 300 }),
      height: fc.integer({ min: 1, max: 300 }),
      name: fc.string({ maxLength: 30 }),
    }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(boxes, (rectangles) => {
      const all = rectangles.map(({ left, top, width, height, name }) =>
        labelled(left, top, width, height, name),
      );
      const extents = placeLabels(all).map(extent);
      for (const [i, one] of extents.entries()) {
        const isClear = ({ box }: Labelled, index: number): boolean =>
          isInside(one, box) && !all.slice(index + 1).some((over) => meet(one, over.box));
        expect(all.some(isClear)).toBe(true);
        expect(extents.slice(i + 1).some((other) => meet(one, other))).toBe(false);
      }
    }),
  );
});

test("heights are spread in order, apart and within their limits", () => {
  expect(spread([10, 12, 80], 15, 0, 100)).toEqual([10, 25, 80]);
  expect(spread([95, 99], 15, 0, 100)).toEqual([85, 100]);
  const heights = fc.array(fc.integer({ min: -50, max: 500 }), { maxLength: 28 });
  fc.assert(
    fc.property(heights, (wanted) => {
      const places = spread(
        wanted.toSorted((a, b) => a - b),
        15,
        0,
        420,
      );
      expect(places.length).toBe(wanted.length);
      for (const [i, y] of places.entries()) {
        expect(y).toBeGreaterThanOrEqual(0);
        expect(y).toBeLessThanOrEqual(420);
        expect(y - (places[i - 1] ?? -15)).toBeGreaterThanOrEqual(15);
      }
    }),
  );
});

test("long names keep their end", () => {
  expect(ending("model/block1/conv", 6)).toBe("…/conv");
  expect(ending("conv", 6)).toBe("conv");
});
