import { existsSync, readFileSync } from "node:fs";
import type { Server } from "node:http";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

/** What a careful site allows: its own files, and WebAssembly. */
export const POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; object-src 'none'";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** Static files of a folder under a strict Content-Security-Policy. A page that is not there loads the script of its name. */
export function serve(folder: string, policy = POLICY): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = join(folder, path);
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    response.setHeader("content-security-policy", policy);
    response.setHeader("content-type", type);
    if (existsSync(file)) response.end(readFileSync(file));
    else if (type === "text/html")
      response.end(`<!doctype html><script type="module" src=".${path.replace(".html", ".js")}"></script>`);
    else response.writeHead(404).end();
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve(server);
    });
  });
}
