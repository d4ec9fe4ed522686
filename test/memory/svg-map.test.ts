import fc from "fast-check";
import { expect, test } from "vitest";
import { depthwiseNet } from "../../examples/node/model.ts";
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

test("the map of a plan has a rectangle for everything that holds bytes", () => {
  for (const schedule of ["layer", "minimum"] as const) {
    const { report } = compile(depthwiseNet(3), { schedule, sram: 64 * 1024 });
    const svg = svgMap(report);
    // Background, plan, resident weights where there are any, the peak; and the legend.
    const kinds = new Set(report.map.map(({ kind }) => kind)).size + (report.residentWeightBytes > 0 ? 2 : 1);
    const entries = report.map.filter(({ bytes }) => bytes > 0).length;
    const rectangles = elements(svg).filter((name) => name === "rect").length;
    expect(rectangles).toBe(entries + 3 + (report.residentWeightBytes > 0 ? 1 : 0) + kinds);
    expect(svg).toContain(`peak: step ${report.peakStep}`);
    expect(svg).toContain(report.ramBytes.toLocaleString("en-US"));
  }
});

test("the budget is drawn where it is near, and only there", () => {
  const { report } = compile(depthwiseNet(3));
  expect(svgMap({ ...report, budgetBytes: report.ramBytes + 100 })).toContain("budget ");
  expect(svgMap({ ...report, budgetBytes: 100 * report.ramBytes })).not.toContain("budget ");
  expect(svgMap({ ...report, budgetBytes: null })).not.toContain("budget ");
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
        const svg = svgMap({ ...report, model, map });
        expect(elements(svg)[0]).toBe("svg");
        expect(svg).not.toMatch(/<script|\p{Cs}|NaN|Infinity/u);
        expect(Array.from(svg).every((character) => character >= " " || character === "\n")).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});
