import { Header, Requantization } from "./format.ts";
import { methodOf, shiftOf } from "./packing.ts";
import type { ViewWords } from "./record.ts";
import { planRecords, recordBytes } from "./record.ts";

/** The records of a plan as text, one a line: address, operator, fields by name; views as `@address h×w×c`. */
export function disassemble(sram: Uint8Array): string {
  const lines: string[] = [];
  const header = new Int32Array(sram.slice(0, Math.min(sram.length & ~3, 4 * Header.words)).buffer);
  let next = header[Header.entry] ?? 0;
  for (const { address, record } of planRecords(sram)) {
    const { op, ...fields } = record;
    const text = Object.entries(fields).map(([name, value]) => fieldText(name, value));
    lines.push(`${hexadecimal(address)}  ${op}${text.length > 0 ? "  " : ""}${text.join(" ")}`);
    if (op === "end") return lines.join("\n");
    next = address + recordBytes(op);
  }
  lines.push(`${hexadecimal(next)}  unknown record`);
  return lines.join("\n");
}

function hexadecimal(address: number): string {
  return address.toString(16).padStart(6, "0");
}

function fieldText(name: string, value: number | ViewWords): string {
  if (typeof value !== "number") return `${name.replace(/View$/, "")}=${viewText(value)}`;
  if (name !== "requantization") return `${name}=${value}`;
  const method = methodOf({ requantization: value });
  return `${name}=${Requantization[method] ?? method}:${shiftOf({ requantization: value })}`;
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
