// Runs test/browser, or the tests of another configuration, in headless Chromium. Needs Chromium (Debian: apt-get install chromium) on the PATH or in CHROMIUM.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const candidates = (process.env.PATH ?? "")
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)));
const chromium = process.env.CHROMIUM ?? candidates.find(isExecutable);
if (chromium === undefined) {
  console.error(
    "this test needs Chromium: apt-get install chromium, or set CHROMIUM to the path of a Chromium or Chrome",
  );
  process.exit(2);
}
const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const [config = "vitest.browser.config.ts"] = process.argv.slice(2);
const { status } = spawnSync(process.execPath, [vitest, "run", "--config", config], {
  cwd: root,
  env: { ...process.env, CHROMIUM: chromium },
  stdio: "inherit",
});
process.exit(status ?? 1);
