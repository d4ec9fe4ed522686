/** A rectangle of the map: bytes [address, address + bytes) from step `firstStep` to `lastStep`. */
export interface MapRectangle {
  readonly name: string;
  readonly kind: "activation" | "ring" | "scratch" | "weights";
  readonly address: number;
  readonly bytes: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

/**
 * A picture of who is where when: steps from left to right, addresses from bottom to top. What lies below the lowest
 * entry (plan and resident weights) is one line. A cell shows what fills most of it, or `.` if most of it is free; the
 * largest activations have letters, in order of time. ASCII only, at most `width` columns.
 */
export function textMap(
  entries: readonly MapRectangle[],
  steps: number,
  totalBytes: number,
  width = 100,
): string {
  const base = entries.reduce((lowest, entry) => Math.min(lowest, entry.address), totalBytes);
  const rowBytes = 16 * Math.max(1, Math.ceil((totalBytes - base) / (16 * MAX_ROWS)));
  const labelWidth = Math.max(4, String(totalBytes).length);
  const columns = columnsOf(steps, width - labelWidth - 2);
  const symbols = symbolsOf(entries);

  const rows: string[] = [];
  for (let low = base; low < totalBytes; low += rowBytes) {
    const crossing = entries.filter(
      (entry) => entry.address < low + rowBytes && entry.address + entry.bytes > low,
    );
    const cells = columns.map((column) => symbolOf(cellOwner(crossing, column, low, rowBytes), symbols));
    rows.push(`${String(low).padStart(labelWidth)} |${cells.join("")}`);
  }
  rows.reverse();
  if (base > 0) rows.push(`${"0".padStart(labelWidth)} |${"=".repeat(columns.length)}`);
  rows.push(`${"step".padStart(labelWidth)}  ${axis(columns)}`);
  return [...rows, "", ...legend(entries, symbols, width)].join("\n");
}

const MAX_ROWS = 24;
/** Characters that a step may be wide. */
const MAX_STEP_WIDTH = 6;
const LETTERS = "ABCDEFGHIJKL";
const OTHER_ACTIVATION = "o";
const SCRATCH = "~";
const TILE = "#";
const FREE = ".";

/** Steps [begin, end) that a character stands for. */
interface Column {
  readonly begin: number;
  readonly end: number;
}

/** Few steps are several characters wide; of many, several share one. */
function columnsOf(steps: number, room: number): readonly Column[] {
  if (steps > room) {
    return Array.from({ length: room }, (_, index) => ({
      begin: Math.floor((index * steps) / room),
      end: Math.floor(((index + 1) * steps) / room),
    }));
  }
  const stepWidth = Math.min(MAX_STEP_WIDTH, Math.floor(room / Math.max(1, steps)));
  return Array.from({ length: steps * stepWidth }, (_, index) => {
    const begin = Math.floor(index / stepWidth);
    return { begin, end: begin + 1 };
  });
}

/** The entry with the largest part of a cell; undefined if more than half of it is free. */
function cellOwner(
  entries: readonly MapRectangle[],
  column: Column,
  low: number,
  rowBytes: number,
): MapRectangle | undefined {
  let owner: MapRectangle | undefined;
  let largest = 0;
  let covered = 0;
  for (const entry of entries) {
    const bytes = Math.min(entry.address + entry.bytes, low + rowBytes) - Math.max(entry.address, low);
    const steps = Math.min(entry.lastStep + 1, column.end) - Math.max(entry.firstStep, column.begin);
    if (bytes <= 0 || steps <= 0) continue;
    covered += bytes * steps;
    if (bytes * steps <= largest) continue;
    largest = bytes * steps;
    owner = entry;
  }
  return 2 * covered >= rowBytes * (column.end - column.begin) ? owner : undefined;
}

/** A value, or the rows of one that are in use. */
function isTensor({ kind }: MapRectangle): boolean {
  return kind === "activation" || kind === "ring";
}

/** Letters of the largest activations. */
function symbolsOf(entries: readonly MapRectangle[]): ReadonlyMap<MapRectangle, string> {
  const largest = entries
    .filter((entry) => isTensor(entry) && entry.bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, LETTERS.length)
    .sort((a, b) => a.firstStep - b.firstStep || a.lastStep - b.lastStep);
  return new Map(largest.map((entry, index) => [entry, LETTERS.charAt(index)]));
}

function symbolOf(entry: MapRectangle | undefined, symbols: ReadonlyMap<MapRectangle, string>): string {
  if (entry === undefined) return FREE;
  const other = { activation: OTHER_ACTIVATION, ring: OTHER_ACTIVATION, scratch: SCRATCH, weights: TILE };
  return symbols.get(entry) ?? other[entry.kind];
}

/** Numbers of steps under their first column, as many as have room. */
function axis(columns: readonly Column[]): string {
  let line = "";
  for (const [index, { begin }] of columns.entries()) {
    const isFirst = index === 0 || columns[index - 1]?.begin !== begin;
    const hasRoom = index + String(begin).length <= columns.length;
    if (isFirst && hasRoom && (index === 0 || index >= line.length + 2))
      line = line.padEnd(index) + String(begin);
  }
  return line;
}

function legend(
  entries: readonly MapRectangle[],
  symbols: ReadonlyMap<MapRectangle, string>,
  width: number,
): readonly string[] {
  const bytesWidth = Math.max(0, ...[...symbols.keys()].map((entry) => String(entry.bytes).length));
  const lines = [...symbols].map(([entry, letter]) => {
    const bytes = String(entry.bytes).padStart(bytesWidth);
    return `${letter} ${bytes} bytes, steps ${entry.firstStep}-${entry.lastStep}: ${printable(entry.name)}`;
  });
  const marks = [
    [OTHER_ACTIVATION, "other activations", entries.filter(isTensor).length > symbols.size],
    [SCRATCH, "scratch", entries.some((entry) => entry.kind === "scratch")],
    [TILE, "streamed weights", entries.some((entry) => entry.kind === "weights")],
    [FREE, "free", true],
    ["=", "plan and resident weights", entries.some((entry) => entry.address > 0)],
  ] as const;
  const used = marks.filter(([, , isUsed]) => isUsed).map(([mark, meaning]) => `${mark} ${meaning}`);
  return [...lines, used.join("  ")].map((line) => line.slice(0, width));
}

/** Names come from the file: keep what a terminal prints as one column. */
function printable(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, "?");
}
