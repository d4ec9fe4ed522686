// npm start: a digit recognised in the terminal; then, where somebody is there to look, the page of demo/ at a printed address.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [`${root}build/examples/node/start.js`, ...process.argv.slice(2)],
  { stdio: "inherit" },
);
if (status !== 0) process.exit(status ?? 1);

if (process.stdout.isTTY && !process.env.CI) {
  const { build, preview } = await import("vite");
  const configFile = `${root}demo/vite.config.ts`;
  await build({ configFile, logLevel: "warn" });
  const server = await preview({ configFile });
  console.log(`\nDraw one yourself, or drop any model: ${server.resolvedUrls?.local[0]} (Ctrl+C ends)`);
}
