import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import type { TestProject } from "vitest/node";
import { VARIANTS } from "../../src/plan/variant.ts";
import { runnable } from "../exact-dot.ts";
import { instrument } from "./instrument.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Per variant that this engine knows a module whose blocks tell whether they ran, in base64, and how many. */
    readonly coverage: Readonly<Record<string, { readonly module: string; readonly blocks: number }>>;
    /** Where those who ran it write which. */
    readonly coverageFolder: string;
  }
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = `${root}coverage/kernels`;

/**
 * Builds the kernels with the names of their functions (which leaves all else nearly as it is), marks their blocks, and says in the
 * end which have never run in any test.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const provided: Record<string, { module: string; blocks: number }> = {};
  const blocks: Record<string, readonly string[]> = {};
  for (const variant of VARIANTS) {
    const named = `${folder}/${variant}.wasm`;
    const entries = variant === "mcu" ? ["assembly/mcu.ts"] : [];
    const options = ["--config", "asconfig.json", "--target", variant, "--debug", "-o", named];
    const compiler = `${root}node_modules/assemblyscript/bin/asc.js`;
    await promisify(execFile)(process.execPath, [compiler, ...entries, ...options], { cwd: root });
    const kernels = await runnable(
      new Uint8Array(readFileSync(named)),
      variant === "signed" ? "signed" : "relaxed",
    );
    if (kernels === undefined) continue;
    const marked = instrument(kernels, variant);
    provided[variant] = {
      module: Buffer.from(marked.bytes).toString("base64"),
      blocks: marked.blocks.length,
    };
    blocks[variant] = marked.blocks;
  }
  project.provide("coverage", provided);
  project.provide("coverageFolder", folder);
  return () => {
    for (const [variant, names] of Object.entries(blocks)) report(variant, names);
  };
}

function report(variant: string, blocks: readonly string[]): void {
  const ran = new Uint8Array(blocks.length);
  for (const file of readdirSync(folder)) {
    if (!file.startsWith(`${variant}-`)) continue;
    for (const [i, value] of readFileSync(`${folder}/${file}`).entries()) ran[i] = (ran[i] ?? 0) | value;
  }
  const never = blocks.filter((_, i) => ran[i] === 0);
  writeFileSync(`${folder}/${variant}-never.txt`, never.map((name) => `${name}\n`).join(""));
  const share = (100 * (1 - never.length / blocks.length)).toFixed(1);
  console.log(
    `${variant}: ${blocks.length - never.length} of ${blocks.length} blocks of the kernels ran, ${share} %`,
  );
  for (const name of never) console.log(`  never: ${name}`);
}
