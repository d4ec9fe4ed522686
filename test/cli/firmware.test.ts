import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.node.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);
writeFileSync(at("net.tflite"), depthwiseNet(2));
writeFileSync(at("in-the-way"), "");

function compile(
  args: readonly string[],
  path = process.env["PATH"],
): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, "compile", at("net.tflite"), ...args],
    {
      encoding: "utf8",
      env: { ...process.env, PATH: path },
    },
  );
  return { status, out: stdout, err: stderr };
}

test("--target mcu writes a folder, and says what it needs", () => {
  const { status, out, err } = compile(["--target", "mcu", "-o", at("deep/firmware"), "--json"]);
  expect(err).toBe("");
  expect(status).toBe(0);
  const answer = JSON.parse(out) as {
    files: string[];
    ramBytes: number;
    report: { ramBytes: number; variant: string };
  };
  expect(readdirSync(at("deep/firmware")).sort()).toEqual([...answer.files].sort());
  expect(answer.files).toContain("thimble-mcu.wasm");
  expect(answer.report.variant).toBe("mcu");
  expect(answer.ramBytes).toBe(answer.report.ramBytes);
  expect(readFileSync(at("deep/firmware/model.h"), "utf8")).toContain(
    `THIMBLE_RAM_BYTES ${answer.ramBytes}u`,
  );
  const run = spawnSync(process.execPath, [main, "inspect", at("deep/firmware/model.thimble")], {
    encoding: "utf8",
  });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
});

test("an image in the folder is not written over by its own", () => {
  compile(["-o", at("model.thimble"), "--variant", "mcu"]);
  const before = readFileSync(at("model.thimble"));
  const args = ["compile", at("model.thimble"), "--target", "mcu", "-o", folder];
  const { status, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  expect(status).toBe(2);
  expect(stderr).toMatch(/model\.thimble would be written over/);
  expect(readdirSync(folder)).not.toContain("model.h");
  expect(readFileSync(at("model.thimble")).equals(before)).toBe(true);
});

test("--bundle writes a module", () => {
  const { status, out } = compile(["--bundle", "-o", at("net.wasm")]);
  expect(status).toBe(0);
  expect(out).toContain("for mcu");
  expect(WebAssembly.validate(readFileSync(at("net.wasm")))).toBe(true);
});

test.each<[string, readonly string[], number, RegExp]>([
  ["no output", ["--target", "mcu"], 2, /-o DIR/],
  ["two targets", ["--target", "mcu", "--bundle", "-o", "x"], 2, /not both/],
  ["an unknown target", ["--target", "avr", "-o", "x"], 2, /takes mcu, wasm2c/],
  ["vectors", ["--target", "mcu", "--variant", "simd", "-o", "x"], 2, /--target mcu takes no --variant simd/],
  ["a bundle of vectors", ["--bundle", "--variant", "relaxed", "-o", "x"], 2, /--bundle takes no --variant/],
  ["a file in the way", ["--target", "mcu", "-o", at("in-the-way")], 1, /unwritable/],
])("%s: exit code and reason", (_, args, code, reason) => {
  const { status, err } = compile(args);
  expect(status).toBe(code);
  expect(err).toMatch(reason);
});

test("without wasm2c, --target wasm2c says how to get it", () => {
  const { status, err } = compile(["--target", "wasm2c", "-o", at("c")], "/nowhere");
  expect(status).toBe(1);
  expect(err).toMatch(/^thimble: wasm2c: .*apt-get install wabt/);
  expect(existsSync(at("c"))).toBe(false);
});
