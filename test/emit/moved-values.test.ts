import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile } from "../../src/compile.ts";
import type { Image, Port } from "../../src/emit/image.ts";
import { planToVerify, verifyImage } from "../../src/emit/image.ts";
import { ExecutionError } from "../../src/errors.ts";
import { Header, SLACK_BYTES } from "../../src/plan/format.ts";
import type { Variant } from "../../src/plan/variant.ts";
import { VARIANTS } from "../../src/plan/variant.ts";
import { writeModel } from "../model-writer.ts";
import { findBreak } from "../plan/oracle.ts";
import { randomModel } from "../random-model.ts";
import { moved } from "./moved-image.ts";

/** Bytes of the arena and the steps from which to which they must stay. */
interface Live {
  readonly id: number;
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Values by id, and scratch and tiles, with inputs made before the first step and outputs needed after the last. */
function liveRanges({ report, inputs, outputs }: Image): { values: Live[]; working: Live[] } {
  const has = (ports: readonly Port[], id: number): boolean =>
    ports.some(({ value }) => value === id && id >= 0);
  const ranges = report.map.map(({ kind, name, value = -1, address, bytes, firstStep, lastStep }) => ({
    id: value,
    name: `${kind} ${name}`,
    address,
    bytes,
    first: has(inputs, value) ? -1 : firstStep,
    last: has(outputs, value) ? report.steps.length : lastStep,
  }));
  const values = ranges.filter(({ id }) => id >= 0);
  // What takes its input's place has no entry of its own in the map, and does not move with the input.
  const hidden = report.steps.flatMap(({ outputs }, step) =>
    outputs
      .filter(({ id }) => !values.some((value) => value.id === id))
      .map(({ id, address, bytes }) => ({
        id,
        name: "in place",
        address,
        bytes,
        first: step,
        last: Infinity,
      })),
  );
  return { values, working: [...ranges.filter(({ id }) => id < 0), ...hidden] };
}

function meet(a: Live, b: Live): boolean {
  return a.address < b.address + b.bytes && b.address < a.address + a.bytes;
}

/** What must come of a moved value: it ends in a wrong byte, it meets nothing, or it meets what is not needed there. */
function verdict(image: Image, before: Live, distance: number): "broken" | "sound" | "depends" {
  const { values, working } = liveRanges(image);
  const { id } = before;
  const value = { ...before, address: before.address + distance };
  const arena = new DataView(image.sram.buffer).getUint32(4 * Header.arenaAddress, true);
  const inside = value.address >= arena && value.address + value.bytes <= image.report.ramBytes - SLACK_BYTES;
  const meetsNothing = [...values.filter((other) => other.id !== id), ...working].every(
    (other) => value.last < other.first || other.last < value.first || !meet(value, other),
  );
  if (inside && meetsNothing) return "sound";
  return findBreak(planToVerify(moved(image, id, distance))) === undefined ? "depends" : "broken";
}

function isAccepted(image: Image): boolean {
  try {
    verifyImage(image);
    return true;
  } catch (error) {
    if (error instanceof ExecutionError) return false;
    throw error;
  }
}

describe.each(VARIANTS)("a value of a random network moved to another address (%s)", (variant: Variant) => {
  test("is refused where it overwrites or is overwritten, and accepted where it meets nothing", () => {
    const counts = { broken: 0, sound: 0, depends: 0 };
    fc.assert(
      fc.property(
        randomModel(),
        fc.constantFrom(2048, 6000, "unbounded" as const),
        fc.array(fc.tuple(fc.nat(30), fc.noBias(fc.integer({ min: -2000, max: 4000 }))), {
          minLength: 20,
          maxLength: 20,
        }),
        (model, sram, moves) => {
          const image = compileSomehow(writeModel(model), variant, sram);
          const { values } = liveRanges(image);
          expect(isAccepted(image)).toBe(true);
          for (const [pick, distance] of moves) {
            const value = values[pick % values.length];
            if (value === undefined) continue;
            const { id } = value;
            const expected = verdict(image, value, distance);
            counts[expected]++;
            if (expected === "depends") continue;
            expect(isAccepted(moved(image, id, distance)), `value ${id} by ${distance}`).toBe(
              expected === "sound",
            );
          }
        },
      ),
      { numRuns: 300 },
    );
    // The test tells something about both.
    expect(counts.broken).toBeGreaterThan(500);
    expect(counts.sound).toBeGreaterThan(200);
  });
});

/** In the budget, or in as much as it takes, with room behind it to move to. */
function compileSomehow(bytes: Uint8Array, variant: Variant, sram: number | "unbounded"): Image {
  const room = 2048;
  let image: Image;
  try {
    image = compile(bytes, { variant, sram });
  } catch {
    image = compile(bytes, { variant, sram: "unbounded" });
  }
  const ramBytes = image.report.ramBytes + room;
  new DataView(image.sram.buffer).setUint32(4 * Header.ramBytes, ramBytes, true);
  return { ...image, report: { ...image.report, ramBytes } };
}
