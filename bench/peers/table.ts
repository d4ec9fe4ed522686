import type { PeerRow } from "./measure.ts";

/** All engines and models on one host. */
export interface Results {
  readonly machine: string;
  /** GMAC/s of the dot product alone, the most that was measured in the same run. */
  readonly limit: number;
  readonly rows: readonly PeerRow[];
}

/** Steps of the output that a rival may be off. */
export const TOLERANCE = 16;

/** Everything as a table, models apart, and the geometric mean of the best rivals' times over thimble's. */
export function resultsText({ machine, limit, rows }: Results): string {
  const head = [
    "model",
    "engine",
    "min µs",
    "median µs",
    "× thimble",
    "GMAC/s",
    "of limit",
    "computed",
    "off by",
  ];
  const lines = [head];
  const best = new Map<string, number>();
  let ours = NaN;
  for (const [i, row] of rows.entries()) {
    const { model, engine, min, median, macs, computed, difference, refused } = row;
    const isOurs = rows[i - 1]?.model !== model;
    if (isOurs) ours = min;
    if (refused !== undefined) {
      lines.push([model, engine, "refused:", refused.slice(0, 60)]);
      continue;
    }
    const sound = difference <= TOLERANCE;
    if (!isOurs && sound) best.set(model, Math.min(best.get(model) ?? Infinity, min / ours));
    const speed = macs / min / 1e3;
    lines.push([
      model,
      engine,
      min.toFixed(min < 10 ? 2 : 1),
      median.toFixed(median < 10 ? 2 : 1),
      (min / ours).toFixed(2),
      speed.toFixed(2),
      share(speed / limit),
      computed === undefined ? "" : share(computed / min / 1e3 / limit),
      isOurs ? "" : `${difference.toFixed(0)}${sound ? "" : " WRONG"}`,
    ]);
  }
  const mean = Math.exp([...best.values()].reduce((sum, ratio) => sum + Math.log(ratio), 0) / best.size);
  const least = Math.min(...best.values());
  return [
    machine,
    ...aligned(lines),
    `the dot product alone: ${limit.toFixed(1)} GMAC/s, measured after each model; GMAC/s are of what the model asks for, "computed" of what thimble computes of it`,
    `best rival ÷ thimble: ${mean.toFixed(2)} on the geometric mean, ${least.toFixed(2)} at the least; "off by" in steps of the output`,
  ].join("\n");
}

function share(part: number): string {
  return `${Math.round(100 * part)}%`;
}

/** The first two columns to the left, the others to the right. */
function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) => {
    return Math.max(...lines.filter(({ length }) => length > 4).map((line) => (line[column] ?? "").length));
  });
  return lines.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < 2 ? cell.padEnd(width) : line.length > 4 ? cell.padStart(width) : cell;
      })
      .join("  "),
  );
}
