import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, expect, test } from "vitest";
import type { OpDefinition } from "../../src/ops/op.ts";
import { relu } from "../../src/ops/relu.ts";
import { importNode, int8Tensor } from "../ops/node.ts";
import { snippetsOf } from "./snippets.ts";

// What the README and the guides tell a user to type is typed, in a project that has the built package.

const repository = fileURLToPath(new URL("../..", import.meta.url));
const project = mkdtempSync(join(tmpdir(), "thimble-docs-"));
mkdirSync(join(project, "node_modules/.bin"), { recursive: true });
symlinkSync(repository, join(project, "node_modules/thimble"), "dir");
const command = `#!/bin/sh\nexec "${process.execPath}" "${repository}dist/cli/main.node.js" "$@"\n`;
writeFileSync(join(project, "node_modules/.bin/thimble"), command, { mode: 0o755 });

afterAll(() => {
  rmSync(project, { recursive: true });
});

const GUIDES = readdirSync(new URL("../../docs/guides", import.meta.url)).map(
  (name) => `docs/guides/${name}`,
);

/** What a command prints; an assertion that fails is on stderr, and fails the test. */
function run(folder: string, ...[file = "", ...args]: string[]): string {
  // npx itself takes half a second, and finds the same file.
  const path = `${join(project, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
  const script = `npx() { "$@"; }; exec 2>&1; ${file} ${args.map((arg) => `'${arg}'`).join(" ")}`;
  return execFileSync("sh", ["-ec", script], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, PATH: path },
  });
}

test.each(["README.md", ...GUIDES])("%s", (document) => {
  const snippets = snippetsOf(document);
  expect(snippets.length).toBeGreaterThan(0);
  const folder = mkdtempSync(join(project, "as-told-"));
  symlinkSync(join(project, "node_modules"), join(folder, "node_modules"), "dir");
  for (const { mark, name, text } of snippets)
    if (mark === "file") writeFileSync(join(folder, name ?? ""), text);
  const marked = snippets.filter(({ mark }) => mark === "run");
  const shown = marked.flatMap(({ language, text }) => (language === "sh" ? [run(folder, text)] : []));
  if (document.endsWith("memory-report.md")) expect(shown.join()).toContain("stream of step");
  // One module a document: later blocks go on where earlier ones were.
  const module = marked.filter(({ language }) => language === "js").map(({ text }) => text);
  if (module.length === 0) return;
  writeFileSync(join(folder, "snippets.mjs"), module.join("\n"));
  const printed = run(folder, process.execPath, "snippets.mjs");
  expect(printed).not.toMatch(/Assertion failed|Error/);
  if (document.endsWith("first-model.md")) expect(printed).toContain("it reads a 7");
});

test.each([
  ["nodenext", ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext],
  ["node16", ts.ModuleKind.Node16, ts.ModuleResolutionKind.Node16],
  ["bundler", ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
])(
  "the README's example is TypeScript as well, by types that stand alone (%s)",
  (name, module, moduleResolution) => {
    const [text = ""] = snippetsOf("README.md").flatMap(({ language, text }) =>
      language === "js" ? [text] : [],
    );
    const file = join(project, `${name}.mts`);
    writeFileSync(file, text);
    const program = ts.createProgram([file], {
      module,
      moduleResolution,
      // Of no newer library, and without the types of Node.
      target: ts.ScriptTarget.ES2020,
      lib: ["lib.es2020.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      noEmit: true,
    });
    expect(errorsOf(program)).toEqual([]);
  },
);

test("the types stand alone in a project of Node without the DOM, and for a TypeScript that knows no Uint8Array<…>", () => {
  const file = join(project, "no-dom.mts");
  writeFileSync(file, readFileSync(new URL("../bundlers/app/types.ts", import.meta.url)));
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts"],
    types: ["node"],
    typeRoots: [join(repository, "node_modules/@types")],
    strict: true,
    noEmit: true,
  });
  expect(errorsOf(program)).toEqual([]);
  const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(`${repository}dist/`));
  expect(own.length).toBeGreaterThan(20);
  const generic = /\b(U?[Ii]nt|Big(Ui|I)nt|Float)\d+(Clamped)?Array</;
  expect(own.filter(({ text }) => generic.test(text)).map(({ fileName }) => fileName)).toEqual([]);
});

function errorsOf(program: ts.Program): string[] {
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start }) => {
    return `${file?.fileName ?? ""} ${start ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}

test("the operator of its guide is RELU but for a last bit", async () => {
  const [snippet] = snippetsOf("docs/guides/operator.md");
  const file = join(project, "my-relu.ts");
  writeFileSync(file, snippet?.text.replaceAll('"./', `"${repository}src/ops/`) ?? "");
  const { myRelu } = (await import(/* @vite-ignore */ file)) as { myRelu: OpDefinition };
  const input = int8Tensor("input", { shape: [1, 4], scale: 0.05, zeroPoint: -3 });
  const output = int8Tensor("output", { shape: [1, 4], scale: 0.03, zeroPoint: -128 });
  const tableOf = (op: OpDefinition): Int8Array =>
    new Int8Array(op.pack?.(importNode(op, [input], output), "simd")?.bytes ?? []);
  const [mine, real] = [tableOf(myRelu), tableOf(relu)];
  expect(real).toHaveLength(256);
  expect(Math.max(...real.map((q, i) => Math.abs(q - (mine[i] ?? NaN))))).toBeLessThanOrEqual(1);
});
