import fc from "fast-check";
import { expect, test } from "vitest";
import { lowerBound, withValidOverlaps } from "../../src/memory/overlaps.ts";
import { placeStorages } from "../../src/memory/placement.ts";
import { chain, problems } from "./problems.ts";

test("overlaps that must be used one after another raise the bound by their distances", () => {
  expect(lowerBound(chain([4800, 4800], 320)).extent).toBe(5120);
  expect(lowerBound(chain([4800, 4800, 4800, 4800, 160], 320)).extent).toBe(4800 + 3 * 320);
  // The second pair fits side by side in what the first needs, so the run ends there.
  expect(lowerBound(chain([4800, 4800, 160, 4800, 4800], 320)).extent).toBe(5120);
});

test("no placement undercuts the bound", () => {
  fc.assert(
    fc.property(problems, (drawn) => {
      const given = withValidOverlaps(drawn);
      const { extent } = lowerBound(given);
      const begins = placeStorages(given);
      const end = Math.max(
        ...given.storages.map(({ id, bytes }) => (bytes > 0 ? (begins[id] ?? 0) + bytes : 0)),
      );
      expect(Math.ceil(end / 16) * 16).toBeGreaterThanOrEqual(extent);
    }),
    { numRuns: 500 },
  );
});
