import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compile } from "../../src/index.ts";
import { fileKernels } from "../../src/runtime/file-kernels.ts";
import type { Kernels } from "../../src/runtime/kernels.ts";
import { loadWith } from "../../src/load.ts";
import { fastestVariant, proveVariant } from "../../src/runtime/variant.ts";

const wasm = (name: string): URL => new URL(`../../dist/wasm/${name}.wasm`, import.meta.url);
const model = readFileSync(new URL("../../models/digits/digits.tflite", import.meta.url));
const input = Int8Array.from({ length: 28 * 28 }, (_, i) => (i * 37) % 256);
const expected = [...(await loadWith(fileKernels(files(wasm)), compile(model), {})).run(input)];

/** The same place for every variant, or each by its name. */
function files(at: (name: string) => URL): Parameters<typeof fileKernels>[0] {
  return {
    mcu: at("thimble-mcu"),
    simd: at("thimble-simd"),
    relaxed: at("thimble-relaxed"),
    signed: at("thimble-signed"),
  };
}

/** The type that the server gives the kernels, and what it answers. */
let served: { type: string; status: number; html?: boolean };
let requests = 0;
const server = createServer((request, response) => {
  requests++;
  response.writeHead(served.status, { "content-type": served.type });
  const name = (request.url ?? "").slice(1).replace(".wasm", "");
  response.end(served.html === true ? "<!doctype html>" : readFileSync(wasm(name)));
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

function fromServer(): Kernels {
  const { port } = server.address() as AddressInfo;
  return fileKernels(files((name) => new URL(`http://127.0.0.1:${port}/${name}.wasm`)));
}

test.each(["application/wasm", "application/octet-stream"])("kernels served as %s", async (type) => {
  served = { type, status: 200 };
  requests = 0;
  const loaded = await Promise.all([1, 2].map(() => loadWith(fromServer(), compile(model), {})));
  for (const each of loaded) expect([...each.run(input)]).toEqual(expected);
  expect(requests).toBe(2);
});

test("a variant is fetched once", async () => {
  served = { type: "application/wasm", status: 200 };
  requests = 0;
  const kernels = fromServer();
  await Promise.all([1, 2].map(() => loadWith(kernels, compile(model), {})));
  expect(requests).toBe(1);
});

test.each([
  ["a page in its place", { type: "text/html", status: 200, html: true }, /something else than WebAssembly/],
  ["nothing there", { type: "text/html", status: 404, html: true }, /answered 404.*beside the script/],
])("%s is an error, not another variant", async (_, answer, message) => {
  served = answer;
  const kernels = fromServer();
  const failure = { code: "kernels-unreadable", message: expect.stringMatching(message) as string };
  await expect(loadWith(kernels, model, {})).rejects.toMatchObject(failure);
  await expect(fastestVariant(kernels)).rejects.toMatchObject(failure);
  await expect(proveVariant(kernels, "simd")).rejects.toMatchObject(failure);
  // And passes with its cause.
  served = { type: "application/wasm", status: 200 };
  expect([...(await loadWith(kernels, compile(model), {})).run(input)]).toEqual(expected);
});

test("a file that is not there", async () => {
  const kernels = fileKernels(files((name) => new URL(`file:///nowhere/${name}.wasm`)));
  await expect(loadWith(kernels, model, {})).rejects.toMatchObject({ code: "kernels-unreadable" });
});
