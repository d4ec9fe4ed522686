/**
 * Joins dist's modules for Node, which takes a tenth of a second to find 150 files: one file per entry of the package and the command
 * line (`index.js` → `index.node.js`), and dist/shared-*.js with what several share. All stay in dist, where `new URL("./wasm/…")` finds
 * the kernels. Other engines get the modules as they are.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const { exports, bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const outputs = [...Object.values(exports).map(({ node }) => node), ...Object.values(bin)].filter(Boolean);
const names = outputs.map((path) => path.replace(/^\.\/dist\/(.*)\.node\.js$/, "$1"));

for (const path of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (/(^shared-[^/]*|\.node)\.js$/.test(path)) rmSync(join(dist, path));
}
const bundle = await rolldown({
  input: Object.fromEntries(names.map((name) => [name, join(dist, `${name}.js`)])),
  platform: "node",
  // Packages; and the kernels, which are long and need not be there twice.
  external: [/^[^./]/, /kernels\.generated/],
});
await bundle.write({
  dir: dist,
  format: "esm",
  entryFileNames: "[name].node.js",
  chunkFileNames: "shared-[hash].js",
  comments: false,
});
