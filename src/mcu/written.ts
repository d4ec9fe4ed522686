import { latin1 } from "../plan/latin1.ts";

/** First line of the C files that are written here. */
export const C_MARK = "/* Written by `thimble compile`. */";
/** First line of the Markdown file. */
export const MARKDOWN_MARK = "<!-- Written by `thimble compile`. -->";

/** How files begin that were written here, by what their names end with. */
const BEGINS: Readonly<Record<string, string>> = {
  c: C_MARK,
  h: C_MARK,
  md: MARKDOWN_MARK,
  thimble: "THIM",
  wasm: "\0asm",
};

/** Whether a file of this name and with these first bytes may be written over or removed: it was written here, or is empty. */
export function isWritten(name: string, bytes: Uint8Array): boolean {
  const begin = BEGINS[name.slice(name.lastIndexOf(".") + 1)];
  return bytes.length === 0 || (begin !== undefined && latin1(bytes.subarray(0, begin.length)) === begin);
}
