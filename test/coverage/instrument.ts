import binaryen from "assemblyscript/binaryen";
import type { Variant } from "../../src/plan/variant.ts";

/** Kernels that tell which of their blocks have run. */
export interface Instrumented {
  readonly bytes: Uint8Array;
  /** Per block the function it is in and which of its blocks: "copyRun #3". Block i sets the imported global i of "coverage of VARIANT" to 1. */
  readonly blocks: readonly string[];
}

/**
 * Blocks are what runs from beginning to end if at all: a function's body, either arm of an `if`, the body of a loop, and what comes
 * behind a conditional branch. Works on the text that binaryen writes, where each of these begins on a line of its own.
 */
export function instrument(kernels: Uint8Array, variant: Variant): Instrumented {
  const module = binaryen.readBinary(kernels);
  const lines = module.emitText().split("\n");
  module.dispose();
  const blocks: string[] = [];
  const text: string[] = [];
  let name = "";
  let inFunction = 0;
  let atStart = false;
  const mark = (): void => {
    text.push(`(global.set $coverage.${blocks.length} (i32.const 1))`);
    blocks.push(`${name} #${inFunction++}`);
  };
  /** Indentations of conditional branches that have no value and are still open. */
  const branches: number[] = [];
  for (const [i, line] of lines.entries()) {
    const code = line.trimStart();
    const indent = line.length - code.length;
    if (atStart && !code.startsWith("(local ")) {
      atStart = false;
      mark();
    }
    text.push(line);
    const [, named] = /^\(func \$(\S+)/.exec(code) ?? [];
    if (named !== undefined) {
      name = named;
      inFunction = 0;
      atStart = true;
    } else if (/^\((then|else|loop)\b/.test(code)) mark();
    else if (code.startsWith("(br_if ") && lines[i - 1]?.trimStart() !== "(drop") branches.push(indent);
    else if (code === ")" && branches.at(-1) === indent) {
      branches.pop();
      mark();
    }
  }
  const globals = blocks.map(
    (_, i) => `(import "coverage of ${variant}" "${i}" (global $coverage.${i} (mut i32)))`,
  );
  const marked = binaryen.parseText([text[0], ...globals, ...text.slice(1)].join("\n"));
  marked.setFeatures(binaryen.Features.All);
  const bytes = marked.emitBinary();
  marked.dispose();
  return { bytes, blocks };
}
