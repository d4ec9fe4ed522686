import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("npm start of what is no digit says so in a sentence", () => {
  const start = fileURLToPath(new URL("../build/examples/node/start.js", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [start, "77"], { encoding: "utf8" });
  expect([status, stdout, stderr]).toEqual([2, "", "npm start -- 77: give a digit, 0 to 9\n"]);
});
