import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";
import type { Host } from "./peer.ts";

/** Peers in Node, from the packages in `folder`/node_modules. */
export function nodeHost(folder: string): Host {
  const asset = (path: string): string => join(folder, "node_modules", path);
  return {
    runtime: "node",
    asset,
    loadScript(path) {
      // Emscripten's scripts look for CommonJS.
      Object.assign(globalThis, {
        require: createRequire(pathToFileURL(path)),
        __filename: path,
        __dirname: dirname(path),
      });
      runInThisContext(readFileSync(path, "utf8"), { filename: path });
    },
    importModule: (path) => import(pathToFileURL(asset(path)).href),
    readBytes: (path) => Promise.resolve(new Uint8Array(readFileSync(path))),
  };
}
