/** Rows as text in columns as wide as their widest cell; columns of numbers are aligned right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => String(cell).replaceAll("\n", "?")))];
  const columns = head.map((_, column) => {
    const texts = cells.map((row) => row[column] ?? "");
    const filled = texts.slice(1).filter((text) => text !== "");
    return {
      width: Math.max(...texts.map((text) => text.length)),
      isNumeric: filled.length > 0 && filled.every((text) => /^-?[\d,.]+(e[-+]?\d+)?%?$/.test(text)),
    };
  });
  return cells
    .map((row) =>
      columns
        .map(({ width, isNumeric }, column) => {
          const cell = row[column] ?? "";
          return isNumeric ? cell.padStart(width) : cell.padEnd(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** "1 step", "2 steps". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Long names keep their end, which tells them apart. */
export function shortened(name: string, width: number): string {
  return name.length <= width ? name : `…${name.slice(name.length - width + 1)}`;
}

/**
 * What a terminal may be sent: names come from files, and may hold escape sequences or marks that reverse the text. JSON
 * keeps its value, other text gets question marks.
 */
export function printable(text: string, isJson: boolean): string {
  return text.replace(/[^\P{C}\n]/gu, (character) =>
    isJson
      ? Array.from({ length: character.length }, (_, i) => escaped(character.charCodeAt(i))).join("")
      : "?",
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
