import { readFileSync } from "node:fs";

/** A fenced block of a document whose info string marks it for a test: ```js run. */
export interface Snippet {
  readonly language: string;
  /** "run", or "file", "page" and so on with a name. */
  readonly mark: string;
  readonly name: string | undefined;
  readonly text: string;
}

/** The marked blocks of a document of this repository, in order; indented ones, as in lists, without the indent. */
export function snippetsOf(document: string): Snippet[] {
  const markdown = readFileSync(new URL(`../../${document}`, import.meta.url), "utf8");
  const fenced = /^( *)```(\w+) ([a-z]+)(?:=(\S+))?\n(.*?)^ *```$/gms;
  return [...markdown.matchAll(fenced)].map(([, indent = "", language = "", mark = "", name, text = ""]) => ({
    language,
    mark,
    name,
    text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  }));
}
