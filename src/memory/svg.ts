/** `words` are markup: escaped where they come from a file. */
export function text(x: number, y: number, words: string, style: string, more = ""): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}"${style === "" ? "" : ` class="${style}"`}${more}>${words}</text>`;
}

/** A length in tenths. */
export function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Names come from files: no markup of theirs, and nothing that XML does not allow. */
export function escaped(words: string): string {
  return words
    .replace(/[^\u0020-\ud7ff\ue000-\ufffd]/g, "?")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
