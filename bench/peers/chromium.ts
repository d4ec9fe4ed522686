import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright";
import { createServer } from "vite";
import type { NamedModel } from "../models-at.ts";
import type { PeerRow } from "./measure.ts";
import type { Results } from "./table.ts";

/** What the page answers for one model. */
export type MeasureInPage = (model: {
  readonly name: string;
  readonly base64: string;
}) => Promise<Pick<Results, "rows" | "limit">>;

/** Measures in headless Chromium, from a page that Vite serves to this machine alone. */
export async function measureInChromium(root: string, models: readonly NamedModel[]): Promise<Results> {
  const executablePath = process.env["CHROMIUM"] ?? findChromium();
  if (executablePath === undefined) {
    console.error(
      "no Chromium: apt-get install chromium, or set CHROMIUM to the path of a Chromium or Chrome",
    );
    process.exit(2);
  }
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    // Isolation gives the page a clock of five microseconds.
    server: {
      host: "127.0.0.1",
      port: 0,
      hmr: false,
      watch: null,
      headers: {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      },
    },
    resolve: {
      alias: [
        { find: "thimble", replacement: join(root, "dist/index.js") },
        { find: /^#internal\/(.*)$/, replacement: join(root, "dist/$1.js") },
      ],
    },
    optimizeDeps: { noDiscovery: true },
  });
  await server.listen();
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const rows: PeerRow[] = [];
    let limit = 0;
    const page = await browser.newPage();
    page.on("pageerror", (error) => {
      console.error(`in the page: ${error.message}`);
    });
    await page.goto(`${server.resolvedUrls?.local[0] ?? ""}bench/peers/page.html`);
    await page.waitForFunction("window.measure !== undefined", undefined, { timeout: 60_000 });
    for (const { name, bytes } of models) {
      console.error(`chromium: ${name}`);
      const base64 = Buffer.from(bytes).toString("base64");
      const answer = await page.evaluate(
        (model) => (window as unknown as { measure: MeasureInPage }).measure(model),
        { name, base64 },
      );
      rows.push(...answer.rows);
      limit = Math.max(limit, answer.limit);
    }
    return { machine: `Chromium ${browser.version()}`, limit, rows };
  } finally {
    await browser.close();
    await server.close();
  }
}

function findChromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}
