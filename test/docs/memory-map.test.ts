import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compile } from "../../src/compile.ts";
import { svgMap } from "../../src/memory/svg-map.ts";
import { hasShared, modelBytes } from "../shared.ts";

const page = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test.skipIf(!hasShared)("README's memory map is what its command draws", () => {
  const command = "thimble inspect mcunet_vww.tflite --variant mcu --schedule minimum --sram 256K --svg FILE";
  expect(page("README.md")).toContain(command);
  const model = modelBytes("mcunet_vww");
  const { report } = compile(model, {
    variant: "mcu",
    schedule: "minimum",
    sram: 256 * 1024,
    name: "mcunet_vww",
  });
  expect(svgMap(report)).toBe(page("docs/mcunet-vww-minimum.svg"));
});
