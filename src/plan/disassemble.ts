import { Header, Requantization } from "./format.ts";
import type { ViewWords } from "./record.ts";
import { decodeRecord, recordBytes } from "./record.ts";

/** The records of a plan as text, one a line: address, operator, fields by name; views as `@address h×w×c`. */
export function disassemble(sram: Uint8Array): string {
  const words = new Int32Array(sram.slice(0, sram.length & ~3).buffer);
  const lines: string[] = [];
  for (let at = words[Header.entry] ?? 0; ;) {
    const record = decodeRecord(words, at >> 2);
    if (record === undefined) {
      lines.push(`${address(at)}  unknown record`);
      return lines.join("\n");
    }
    const { op, ...fields } = record;
    const text = Object.entries(fields).map(([name, value]) => fieldText(name, value));
    lines.push(`${address(at)}  ${op}${text.length > 0 ? "  " : ""}${text.join(" ")}`);
    if (op === "end") return lines.join("\n");
    at += recordBytes(op);
  }
}

function address(at: number): string {
  return at.toString(16).padStart(6, "0");
}

function fieldText(name: string, value: number | ViewWords): string {
  if (typeof value !== "number") return `${name.replace(/View$/, "")}=${viewText(value)}`;
  return name === "requantization" ? `${name}=${Requantization[value] ?? value}` : `${name}=${value}`;
}

function viewText({
  address: at,
  pixelBytes,
  rowBytes,
  ringRows,
  height,
  width,
  channels,
}: ViewWords): string {
  const ring = ringRows === height ? "" : ` ring ${ringRows}`;
  const dense = pixelBytes === channels && rowBytes === width * channels;
  return `@${at} ${height}×${width}×${channels}${ring}${dense ? "" : ` (${pixelBytes}, ${rowBytes} bytes)`}`;
}
