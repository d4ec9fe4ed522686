import fc from "fast-check";
import { expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import type { Report } from "../../src/index.ts";
import { compile } from "../../src/index.ts";
import { svgMap } from "../../src/memory/svg-map.ts";

/** Names of the elements in order, with "/" before those that close; throws where the document is not well formed. */
function elements(xml: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  for (let at = 0; at < xml.length;) {
    const tag =
      /^<(\/?)([a-z]+)((?: [a-z-]+[0-9]?="[^"<>]*"| viewBox="[^"]*"| xmlns="[^"]*")*)\s*(\/?)>/i.exec(
        xml.slice(at),
      );
    if (xml[at] === "<") {
      if (tag === null) throw new Error(`no element at ${xml.slice(at, at + 80)}`);
      const [whole, closes, name = "", , empty] = tag;
      if (closes === "/" && open.pop() !== name) throw new Error(`${name} closes what is not open`);
      if (closes === "" && empty === "") open.push(name);
      seen.push(name);
      at += whole.length;
    } else {
      const text = xml.slice(at).split("<", 1)[0] ?? "";
      if (/[>]|&(?!amp;|lt;|gt;|quot;)/.test(text)) throw new Error(`text ${text}`);
      at += text.length;
    }
  }
  if (open.length > 0) throw new Error(`${open.join()} not closed`);
  return seen;
}

/** How many rectangles a report's map needs: everything that holds bytes, plan and resident weights. */
function holders({ map, residentWeightBytes }: Report, step?: number): number {
  const alive = map.filter(
    ({ bytes, firstStep, lastStep }) =>
      bytes > 0 && (step === undefined || (firstStep <= step && step <= lastStep)),
  );
  return alive.length + (residentWeightBytes > 0 ? 2 : 1);
}

function count(svg: string, part: RegExp): number {
  return [...svg.matchAll(part)].length;
}

test("everything that holds bytes has a rectangle, and once more beside the map what is alive at the peak", () => {
  for (const schedule of ["layer", "minimum"] as const) {
    for (const sram of [16 * 1024, 64 * 1024, "unbounded"] as const) {
      const { report } = compile(depthwiseNet(3), { schedule, sram });
      const svg = svgMap(report);
      elements(svg);
      expect(count(svg, /class="bytes"/g)).toBe(holders(report) + holders(report, report.peakStep));
      expect(count(svg, /class="stream"/g)).toBe(report.steps.filter(({ op }) => op === "stream").length);
      expect(svg).toContain(`peak: step ${report.peakStep}`);
      for (const bytes of [report.ramBytes, report.steps[report.peakStep]?.liveBytes ?? NaN])
        expect(svg).toContain(`${bytes.toLocaleString("en-US")} bytes`);
      for (const words of [report.model, report.variant, `schedule ${schedule}`])
        expect(svg).toContain(words);
    }
  }
});

test("rectangles of the map are as high as their bytes", () => {
  const { report } = compile(depthwiseNet(3), { schedule: "minimum", sram: 64 * 1024 });
  const heights = [...svgMap(report).matchAll(/, ([\d,]+) bytes at .*?<rect [^>]*height="([\d.]+)"/g)].map(
    ([, bytes = "", height = ""]) => ({ bytes: Number(bytes.replaceAll(",", "")), height: Number(height) }),
  );
  expect(heights.length).toBe(holders(report) + holders(report, report.peakStep));
  const unit =
    heights.reduce((sum, { height }) => sum + height, 0) / heights.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { bytes, height } of heights) expect(Math.abs(height - bytes * unit)).toBeLessThan(0.75);
});

test("an axis that is not to scale says so", () => {
  const { report } = compile(depthwiseNet(3));
  expect(report.planBytes + report.residentWeightBytes).toBeGreaterThan(report.ramBytes / 4);
  const lasting = (bytes: number): string => svgMap({ ...report, residentWeightBytes: bytes, map: [] });
  expect(lasting(0.8 * report.ramBytes)).toContain("not to scale");
  expect(lasting(0)).not.toContain("not to scale");
});

test("bytes of an output that lies where its input was are hatched", () => {
  const { report } = compile(depthwiseNet(3), { sram: "unbounded" });
  const holder = { kind: "activation", bytes: 100, firstStep: 0, lastStep: 1 } as const;
  const both = (address: number, firstStep: number): number =>
    count(
      svgMap({
        ...report,
        peakStep: 5,
        map: [
          { ...holder, name: "a", address: 50_000 },
          { ...holder, name: "b", address, firstStep, lastStep: 3 },
        ],
      }),
      /class="both"/g,
    );
  expect(both(50_020, 1)).toBe(1);
  expect(both(50_100, 1)).toBe(0);
  expect(both(50_020, 2)).toBe(0);
});

test("the budget is a line where it is near, and is told in any case", () => {
  const { report } = compile(depthwiseNet(3));
  const drawn = /class="budget"/;
  const near = svgMap({ ...report, budgetBytes: report.ramBytes + 100 });
  const far = svgMap({ ...report, budgetBytes: 100 * report.ramBytes });
  const none = svgMap({ ...report, budgetBytes: null });
  expect(near).toMatch(drawn);
  expect(far).not.toMatch(drawn);
  expect(far).toContain(`budget ${(100 * report.ramBytes).toLocaleString("en-US")} bytes`);
  expect(none).not.toMatch(drawn);
  expect(none).toContain("budget unbounded");
});

test("any map, with any names, is well-formed XML", () => {
  const { report } = compile(depthwiseNet(3));
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.array(
        fc.record({
          kind: fc.constantFrom("activation", "ring", "scratch", "weights"),
          name: fc.oneof(fc.string({ unit: "binary" }), fc.constant('<script>"&\u001b[31m\u0000')),
          address: fc.nat(100_000),
          bytes: fc.nat(100_000),
          firstStep: fc.nat(5),
          lastStep: fc.integer({ min: 5, max: 9 }),
        }),
      ),
      (model, map) => {
        const operators = map.map(({ name }) => ({ op: name }));
        const steps = Array.from({ length: 10 }, () => ({ op: "stream", operators, liveBytes: 1 }));
        const svg = svgMap({ ...report, model, map, steps, peakStep: 5 });
        expect(elements(svg)[0]).toBe("svg");
        expect(svg).not.toMatch(/<script|\p{Cs}|NaN|Infinity/u);
        expect(Array.from(svg).every((character) => character >= " " || character === "\n")).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});
