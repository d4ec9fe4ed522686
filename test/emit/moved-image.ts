import type { Image, Port } from "../../src/emit/image.ts";
import { Header } from "../../src/plan/format.ts";
import type { PlanRecord, ViewWords } from "../../src/plan/record.ts";
import { decodeRecord, encodeRecord, recordBytes } from "../../src/plan/record.ts";
import { operandNames } from "../../src/plan/steps.ts";

/** The image with value `id` moved wherever it is named: in every record and port. */
export function moved(image: Image, id: number, distance: number): Image {
  const sram = image.sram.slice();
  const words = new Int32Array(sram.buffer, 0, sram.length >> 2);
  let operand = 0;
  for (let at: number = Header.words; ;) {
    const record = decodeRecord(words, at);
    if (record === undefined || record.op === "end") break;
    const fields = { ...record } as unknown as Record<string, number | ViewWords>;
    for (const name of operandNames(record.op)) {
      if (image.operands[operand++] !== id || name === "weights") continue;
      const view = fields[`${name}View`];
      const word = record.op === "flipSign" ? "address" : name;
      if (typeof view === "object") fields[`${name}View`] = { ...view, address: view.address + distance };
      else fields[word] = Number(fields[word]) + distance;
    }
    words.set(encodeRecord(fields as unknown as PlanRecord), at);
    at += recordBytes(record.op) / 4;
  }
  const move = (port: Port): Port =>
    port.value === id ? { ...port, address: port.address + distance } : port;
  return { ...image, sram, inputs: image.inputs.map(move), outputs: image.outputs.map(move) };
}
