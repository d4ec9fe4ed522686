import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
/** A clock of 5 µs instead of 100 µs, for the latencies. */
const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  root: `${root}demo`,
  // Static files for any folder of any host.
  base: "./",
  build: {
    outDir: `${root}build/demo`,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  // The package as its users have it.
  resolve: {
    alias: [
      { find: /^thimble$/, replacement: `${root}dist/index.js` },
      { find: /^thimble\/(image|audio)$/, replacement: `${root}dist/front/$1.js` },
      { find: /^#internal\/(.*)$/, replacement: `${root}dist/$1.js` },
    ],
  },
  preview: { host: "127.0.0.1", headers: isolated },
});
