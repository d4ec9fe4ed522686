import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { writeModel } from "./model-writer.ts";
import { ONE_OPERATOR } from "./written-models.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const json = (path: string): unknown => JSON.parse(readFileSync(root + path, "utf8"));

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly node: string; readonly default: string }>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly packages: Readonly<
    Record<
      string,
      { readonly dev?: boolean; readonly hasInstallScript?: boolean; readonly integrity?: string }
    >
  >;
}

test("nothing runs when the package is installed", () => {
  const { scripts } = json("package.json") as Manifest;
  const run = ["preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare"];
  expect(Object.keys(scripts).filter((name) => run.includes(name))).toEqual([]);
});

test("the kernels are those whose hashes are recorded: npm run build && sha256sum dist/wasm/*.wasm > scripts/SHA256SUMS", () => {
  const recorded = readFileSync(`${root}scripts/SHA256SUMS`, "utf8").trimEnd().split("\n");
  expect(recorded.length).toBe(6);
  for (const line of recorded) {
    const [hash, path = ""] = line.split("  ");
    expect(
      createHash("sha256")
        .update(readFileSync(root + path))
        .digest("hex"),
      path,
    ).toBe(hash);
  }
});

test("importing it does nothing, and models run where neither files may be written nor strings be code", () => {
  const model = Buffer.from(writeModel(ONE_OPERATOR.add)).toString("base64");
  const flags = [
    "--disallow-code-generation-from-strings",
    process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission",
    `--allow-fs-read=${root}*`,
    "--no-warnings",
  ];
  const output = execFileSync(process.execPath, [...flags, `${root}test/runtime/imported.mjs`, model], {
    encoding: "utf8",
  });
  expect(JSON.parse(output)).toEqual({ globals: [], fetched: 0, outputs: 48 });
});

test("its dependencies are few, of exact versions, locked by their hashes, and run nothing either", () => {
  const { dependencies } = json("package.json") as Manifest;
  // A benchmark and image decoders, for the command line alone. None has dependencies.
  const few = ["jpeg-js", "pngjs", "tinybench"];
  expect(Object.keys(dependencies).sort()).toEqual(few);
  for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  const locked = Object.entries((json("package-lock.json") as LockFile).packages).filter(
    ([path]) => path !== "",
  );
  expect(locked.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
  const shipped = locked.filter(([, { dev }]) => dev !== true);
  expect(shipped.map(([path]) => path.replace("node_modules/", "")).sort()).toEqual(few);
  expect(shipped.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([]);
});

/** What `npm pack` would pack: the tarball's bytes, and its files. */
function packed(): { readonly size: number; readonly paths: readonly string[] } {
  const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [tarball] = JSON.parse(output) as {
    readonly size: number;
    readonly files: { readonly path: string }[];
  }[];
  return { size: tarball?.size ?? NaN, paths: tarball?.files.map(({ path }) => path) ?? [] };
}

test("it holds what is built from the sources that are there, the C host, Digits, the documents, and no more", () => {
  const { size, paths } = packed();
  const isWanted = (path: string): boolean => {
    if (/^dist\/shared-[\w-]+\.js$/.test(path)) return true;
    const built = /^dist\/(.+?)(\.d\.ts|(\.node)?\.js)$/.exec(path);
    if (built !== null) return existsSync(`${root}src/${built[1] ?? ""}.ts`);
    return /^(dist\/wasm\/[\w-]+\.wasm|examples\/mcu\/.+|models\/digits\/(digits\.tflite|README\.md)|docs\/.+\.(md|svg)|(README|CHANGELOG|SECURITY)\.md|LICENSE|package\.json)$/.test(
      path,
    );
  };
  expect(paths.filter((path) => !isWanted(path))).toEqual([]);
  for (const path of ["dist/index.js", "dist/index.d.ts", "dist/runtime/index.js", "dist/cli/main.node.js"]) {
    expect(paths).toContain(path);
  }
  // 776 KB now, some 70 of them documents.
  expect(size).toBeLessThan(800_000);
});

test("declarations import only what is packed too, and those that no other one needs are left out", () => {
  const { paths } = packed();
  const declarations = paths.filter((path) => path.endsWith(".d.ts"));
  const importsOf = (path: string): string[] =>
    [...readFileSync(root + path, "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)\.(?:js|ts)"/g)].map(
      ([, target = ""]) => `${posix.join(posix.dirname(path), target)}.d.ts`,
    );
  const missing = declarations.flatMap((path) =>
    importsOf(path).flatMap((target) => (paths.includes(target) ? [] : [`${path} → ${target}`])),
  );
  expect(declarations.flatMap(importsOf).length).toBeGreaterThan(50);
  expect(missing).toEqual([]);
  expect(declarations.filter((path) => /\/(mcu|memory|ops|schedule)\//.test(path))).toEqual([]);
});

/** The files that a document of this repository links to, by their paths in it. */
function linksOf(document: string): string[] {
  const links = readFileSync(root + document, "utf8").matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g);
  return [...links].map(([, path = ""]) => posix.join(posix.dirname(document), path));
}

test("it holds what its documents link to, and its manifest can be imported", () => {
  const { paths } = packed();
  expect(linksOf("README.md").length).toBeGreaterThan(15);
  const documents = paths.filter((path) => path.endsWith(".md"));
  expect(documents.length).toBeGreaterThan(15);
  const dead = documents.flatMap((document) =>
    linksOf(document).flatMap((path) => (paths.includes(path) ? [] : [`${document} → ${path}`])),
  );
  // Sources are read in the repository, whose rounding this document pins down.
  expect(dead.filter((link) => !/^docs\/numerics\.md → (src|assembly)\//.test(link))).toEqual([]);
  expect(import.meta.resolve("thimble/package.json")).toBe(new URL("../package.json", import.meta.url).href);
});

test("Node gets its entries in a few files, which are the modules' own: the same names, the same errors in all", async () => {
  const entries = Object.values((json("package.json") as Manifest).exports).filter(
    (to) => typeof to !== "string",
  );
  expect(entries.length).toBe(5);
  const errors = new Set<unknown>();
  for (const entry of entries) {
    const [joined, modules] = (await Promise.all(
      [entry.node, entry.default].map((path) => import(root + path)),
    )) as [Record<string, unknown>, Record<string, unknown>];
    expect(Object.keys(joined).sort()).toEqual(Object.keys(modules).sort());
    if ("InputError" in joined) errors.add(joined["InputError"]);
  }
  expect(errors.size).toBe(1);
  const shared = readdirSync(`${root}dist`).filter((path) => path.startsWith("shared-"));
  expect(shared.length).toBeLessThan(12);
});
