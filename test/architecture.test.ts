import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { Op } from "../src/plan/format.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Layers of src/ from the bottom. A layer imports itself and what is below it; neighbours in a row do not meet. */
const LAYERS = [
  ["errors"],
  ["given"],
  ["plan"],
  ["graph"],
  ["ops"],
  ["tflite", "passes"],
  ["schedule", "quantize"],
  ["memory"],
  ["emit"],
  ["compile"],
];

/** Modules of packages and of Node, by the folder that may import them. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  cli: /^(node:.*|tinybench|pngjs|jpeg-js)$/,
};

interface Import {
  readonly specifier: string;
  /** Erased by the compiler. */
  readonly typeOnly: boolean;
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => {
    visit(child, see);
  });
}

/** Every import, re-export, `import()` and `import("…").Type`. A specifier that is no literal reads "(computed)". */
function importsOf(file: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (from: ts.Node | undefined, typeOnly: boolean): void => {
    const specifier = from !== undefined && ts.isStringLiteralLike(from) ? from.text : "(computed)";
    found.push({ specifier, typeOnly });
  };
  visit(file, (node) => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    }
  });
  return found;
}

/** "plan" of src/plan/format.ts, "errors" of src/errors.ts. */
function layerOf(path: string): string {
  return (path.split("/")[1] ?? "").replace(/\.ts$/, "");
}

/** What an image is, and its file. */
const IMAGES = ["src/emit/image.ts", "src/emit/image-file.ts"];

/** Whether `from` may import the file `to` of this repository. */
function mayImport(from: string, to: string, typeOnly: boolean): boolean {
  if (from.startsWith("assembly/")) return to.startsWith("assembly/") || to === "src/plan/format.ts";
  if (!to.startsWith("src/")) return false;
  const [source, target] = [layerOf(from), layerOf(to)];
  const carried = ["errors", "given", "plan"].includes(target) || IMAGES.includes(to);
  // A page that runs a compiled image carries no flatbuffers, operators or passes.
  if (IMAGES.includes(from)) return carried || (typeOnly && target === "graph");
  if (source === "mcu") return carried || target === "mcu";
  if (source === "runtime") return carried || target === "runtime";
  if (source === "front")
    return (
      ["errors", "given", "front"].includes(target) || (typeOnly && ["plan", "runtime"].includes(target))
    );
  if (source === "cli") return true;
  if (source === "load") return target !== "cli" && !["index", "asset", "exports", "front"].includes(target);
  if (["index", "asset", "exports"].includes(source)) return target !== "cli" && target !== "front";
  const rank = LAYERS.findIndex((row) => row.includes(source));
  return source === target || LAYERS.slice(0, Math.max(rank, 0)).some((row) => row.includes(target));
}

/** The imports of a file that point where they must not, or at no file by its name. */
function wrongImports(path: string, text: string): string[] {
  const wrong = importsOf(parse(path, text)).filter(({ specifier, typeOnly }) => {
    const layer = path.startsWith("src/") ? layerOf(path) : "";
    if (!specifier.startsWith(".")) return PACKAGES[layer]?.test(specifier) !== true;
    const target = posix.join(posix.dirname(path), specifier);
    return !existsSync(root + target) || !target.endsWith(".ts") || !mayImport(path, target, typeOnly);
  });
  return wrong.map(({ specifier }) => `${path} → ${specifier}`);
}

/** Places where a file says `any`. */
function anys(path: string, text: string): string[] {
  const file = parse(path, text);
  const found: string[] = [];
  visit(file, (node) => {
    if (node.kind !== ts.SyntaxKind.AnyKeyword) return;
    found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
  });
  return found;
}

function isInt32(expression: ts.Expression | undefined): boolean {
  if (expression === undefined) return false;
  if (ts.isPrefixUnaryExpression(expression)) {
    return expression.operator === ts.SyntaxKind.MinusToken && isInt32(expression.operand);
  }
  return ts.isNumericLiteral(expression) && Number(expression.text) === (Number(expression.text) | 0);
}

/** Statements of a shared file that are not `export enum` or `export const` of written-out int32 values. */
function unsharedStatements(path: string, text: string): string[] {
  const file = parse(path, text);
  const bad = file.statements.filter((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (modifiers.map(({ kind }) => kind).join() !== String(ts.SyntaxKind.ExportKeyword)) return true;
    if (ts.isEnumDeclaration(statement)) {
      return !statement.members.every(
        (member) => ts.isIdentifier(member.name) && isInt32(member.initializer),
      );
    }
    if (!ts.isVariableStatement(statement)) return true;
    const { declarations, flags } = statement.declarationList;
    const isConst = (flags & ts.NodeFlags.Const) !== 0;
    return !isConst || !declarations.every(({ type, initializer }) => !type && isInt32(initializer));
  });
  return bad.map((statement) => `${path}: ${statement.getText().slice(0, 60)}`);
}

/** Files below a folder of this repository, by their path in it. */
function sources(folder: string): string[] {
  return readdirSync(root + folder, { recursive: true, encoding: "utf8" })
    .map((path) => posix.join(folder, path.replaceAll("\\", "/")))
    .filter((path) => path.endsWith(".ts"));
}

const read = (path: string): string => readFileSync(root + path, "utf8");

test("every folder and file of src/ has its place", () => {
  const placed = [
    ...LAYERS.flat(),
    "mcu",
    "runtime",
    "front",
    "load",
    "exports",
    "index",
    "asset",
    "cli",
  ].sort();
  expect([...new Set(sources("src").map(layerOf))].sort()).toEqual(placed);
});

describe("imports go one way", () => {
  test.each(["src", "assembly"])("%s", (folder) => {
    const files = sources(folder);
    expect(files.length).toBeGreaterThan(15);
    expect(files.flatMap((path) => importsOf(parse(path, read(path)))).length).toBeGreaterThan(30);
    expect(files.flatMap((path) => wrongImports(path, read(path)))).toEqual([]);
  });

  test.each([
    ["src/plan/x.ts", 'import type { Graph } from "../graph/graph.ts";'],
    ["src/passes/x.ts", 'import { importModel } from "../tflite/import.ts";'],
    ["src/tflite/x.ts", 'export * from "../passes/index.ts";'],
    ["src/memory/x.ts", 'import { emit } from "../emit/emit.ts";'],
    ["src/errors.ts", 'import { crc32 } from "./plan/crc32.ts";'],
    ["src/runtime/x.ts", 'import type { Graph } from "../graph/graph.ts";'],
    ["src/runtime/x.ts", 'import { emit } from "../emit/emit.ts";'],
    ["src/runtime/x.ts", 'export { compile } from "../compile.ts";'],
    ["src/runtime/x.ts", 'const fs = await import("node:fs/promises");'],
    ["src/mcu/x.ts", 'import { compile } from "../compile.ts";'],
    ["src/mcu/x.ts", 'import { kernelBytes } from "../runtime/kernel-bytes.ts";'],
    ["src/front/x.ts", 'import { viewOf } from "../plan/arrays.ts";'],
    ["src/index.ts", 'export { pictureInput } from "./front/image.ts";'],
    ["src/runtime/x.ts", 'import { pictureInput } from "../front/image.ts";'],
    ["src/quantize/x.ts", 'import { runPasses } from "../schedule/program.ts";'],
    ["src/emit/image.ts", 'import { byteSize } from "../graph/graph.ts";'],
    ["src/emit/image.ts", 'import { byteSize, type Graph } from "../graph/graph.ts";'],
    ["src/emit/image.ts", 'import type { Report } from "./report.ts";'],
    ["src/compile.ts", 'import { load } from "./index.ts";'],
    ["src/compile.ts", 'import { startSession } from "./runtime/session.ts";'],
    ["src/index.ts", 'import "./cli/main.ts";'],
    ["src/ops/x.ts", 'import { readFileSync } from "node:fs";'],
    ["src/ops/x.ts", 'type Image = import("../emit/image.ts").Image;'],
    ["src/ops/x.ts", "const x = await import(name);"],
    ["src/ops/x.ts", 'import { opOf } from "./index.js";'],
    ["src/ops/x.ts", 'import { provedKernels } from "../../test/kernel-harness.ts";'],
    ["src/unplaced/x.ts", 'import { ModelError } from "../errors.ts";'],
    ["assembly/x.ts", 'import { encodeRecord } from "../src/plan/record.ts";'],
    ["assembly/x.ts", 'import { compile } from "assemblyscript/asc";'],
  ])("%s may not %s", (path, text) => {
    expect(wrongImports(path, text)).toHaveLength(1);
  });

  test.each([
    ["src/emit/image.ts", 'import type { ElementType } from "../graph/graph.ts";'],
    ["src/runtime/x.ts", 'export type { Image } from "../emit/image.ts";'],
    ["src/front/x.ts", 'import type { ModelPort } from "../runtime/port.ts";'],
    ["src/front/x.ts", 'import { requireBytes } from "../given/bytes.ts";'],
    ["src/schedule/x.ts", 'import { PASSES } from "../passes/index.ts";'],
    ["assembly/kernels/x.ts", 'import { Op } from "../../src/plan/format.ts";'],
  ])("%s may %s", (path, text) => {
    expect(wrongImports(path, text)).toEqual([]);
  });
});

describe("what tsc and asc share", () => {
  test("is plain enums and constant integers", () => {
    const path = "src/plan/format.ts";
    expect(unsharedStatements(path, read(path))).toEqual([]);
    expect(parse(path, read(path)).statements.length).toBeGreaterThan(15);
  });

  test.each([
    "export const enum A { a = 0 }",
    "export enum A { a }",
    'export enum A { a = "a" }',
    "export enum A { a = 1 << 2 }",
    "export enum A { a = 0.5 }",
    "export enum A { a = 4294967296 }",
    "enum A { a = 0 }",
    "export let a = 1;",
    "export const a = -1 + 2;",
    'export const a = "a";',
    "export function a(): void {}",
    'import { a } from "./record.ts";',
    "export interface A { a: number }",
  ])("would not be %s", (text) => {
    expect(unsharedStatements("format.ts", text)).toHaveLength(1);
  });
});

test("the page imports the package as its users do, and of the rest only the map and what Digits is made of", () => {
  const allowed =
    /^(\.\/[^/]+\.ts|thimble(\/image|\/audio)?|#internal\/memory\/svg-map|\.\.\/models\/digits\/[^/]+|vite|node:url)$/;
  const imports = sources("demo").flatMap((path) => importsOf(parse(path, read(path))));
  expect(imports.length).toBeGreaterThan(30);
  expect(imports.map(({ specifier }) => specifier).filter((specifier) => !allowed.test(specifier))).toEqual(
    [],
  );
});

test("nothing is any", () => {
  const paths = ["src", "assembly", "test", "demo"].flatMap(sources);
  expect(paths.flatMap((path) => anys(path, read(path)))).toEqual([]);
  expect(anys("x.ts", "\nconst f = (x: any[]) => x as Array<any>;")).toEqual(["x.ts:2", "x.ts:2"]);
});

test("every operator of the plan is run: assembly/execute.ts, or what goes through records", () => {
  const source = readFileSync(`${root}/assembly/execute.ts`, "utf8");
  const elsewhere = ["end", "stream", "stage", "tiles"];
  const names = Object.keys(Op).filter((name) => Number.isNaN(Number(name)) && !elsewhere.includes(name));
  expect(names.filter((name) => !source.includes(`case Op.${name}:`))).toEqual([]);
});
