import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
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

test.each(["README.md", "model.c", "model.h", "model.thimble", "thimble-mcu.wasm"])(
  "%s of somebody else is not written over, nor anything beside it",
  (name) => {
    const own = at(`own-${name}`);
    mkdirSync(own);
    writeFileSync(join(own, name), "my own");
    const { status, err } = compile(["--target", "mcu", "-o", own]);
    expect(err).toMatch(new RegExp(`has ${name} that thimble has not written.*name another folder`));
    expect(status).toBe(2);
    expect(readdirSync(own)).toEqual([name]);
    expect(readFileSync(join(own, name), "utf8")).toBe("my own");
  },
);

test("what thimble has written is written anew, and what another target left is removed", () => {
  const own = at("again");
  expect(compile(["--target", "mcu", "-o", own]).status).toBe(0);
  const files = readdirSync(own).sort();
  writeFileSync(join(own, "thimble-kernels.c"), "/* Written by `thimble compile`. */\nint stale;\n");
  writeFileSync(join(own, "thimble-kernels.h"), "/* mine */");
  writeFileSync(join(own, "main.c"), "int main(void) {}");
  expect(compile(["--target", "mcu", "-o", own])).toMatchObject({ status: 0, err: "" });
  expect(readdirSync(own).sort()).toEqual([...files, "main.c", "thimble-kernels.h"].sort());
});

test.skipIf(spawnSync("wasm2c", ["--version"]).status !== 0)(
  "the kernels as C are known again, and go",
  () => {
    const own = at("as-c");
    for (let time = 0; time < 2; time++)
      expect(compile(["--target", "wasm2c", "-o", own])).toMatchObject({ status: 0, err: "" });
    expect(readdirSync(own)).toContain("thimble-kernels.c");
    expect(compile(["--target", "mcu", "-o", own])).toMatchObject({ status: 0, err: "" });
    expect(readdirSync(own).filter((name) => name.startsWith("thimble-kernels"))).toEqual([]);
  },
);

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
