import type { Image } from "../../src/emit/image.ts";
import { encodeImage } from "../../src/emit/image-file.ts";
import { crc32 } from "../../src/plan/crc32.ts";
import { Head, Header } from "../../src/plan/format.ts";
import { planRecords } from "../../src/plan/record.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import type { Random } from "./random.ts";
import { otherInt } from "./random.ts";

/** The file of an image that has been changed where it is trusted least; its checksum is right, but for few. */
export function mutateImage(image: Image, other: Image, random: Random): Uint8Array {
  if (random.chance(0.1)) {
    const file = mutateBytes(encodeImage(image), encodeImage(other), random);
    return random.chance(0.8) && file.length >= 16 ? sealed(file) : file;
  }
  let result = image;
  for (let left = 1 + random.below(3); left > 0; left--) result = mutateOnce(result, random);
  return encodeImage(result);
}

/** The file with the checksum that its bytes have. */
function sealed(file: Uint8Array): Uint8Array {
  new DataView(file.buffer).setUint32(12, crc32(file.subarray(16)), true);
  return file;
}

function mutateOnce(image: Image, random: Random): Image {
  switch (random.below(10)) {
    case 0:
      return described(image, random);
    case 1: {
      const operands = image.operands.slice();
      if (operands.length === 0) return image;
      const at = random.below(operands.length);
      operands[at] = random.chance(0.5)
        ? (operands[random.below(operands.length)] ?? 0)
        : otherInt(random, operands[at] ?? 0);
      return { ...image, operands };
    }
    case 2:
      return random.chance(0.5)
        ? { ...image, flash: image.flash.slice(0, random.below(image.flash.length + 1)) }
        : withWord(image, random.below(Header.words), random);
    default:
      return withRecordWord(image, random);
  }
}

function withWord(image: Image, at: number, random: Random, value?: number): Image {
  const sram = image.sram.slice();
  const view = new DataView(sram.buffer);
  if (4 * at + 4 > sram.length) return image;
  view.setInt32(4 * at, value ?? otherInt(random, view.getInt32(4 * at, true)), true);
  return { ...image, sram };
}

/** One field of one record; at times the same field of another record, or an address anywhere in memory and just outside. */
function withRecordWord(image: Image, random: Random): Image {
  const words = new Int32Array(image.sram.slice(0, image.sram.length & ~3).buffer);
  const records = [...planRecords(image.sram)].map(({ address }) => address / 4);
  if (records.length === 0) return image;
  const at = random.pick(records);
  const field = random.below(Math.max(words[at + Head.words] ?? 0, 2));
  if (random.chance(0.5)) {
    const { arena, ramBytes } = { arena: words[Header.arenaAddress] ?? 0, ramBytes: image.report.ramBytes };
    const addresses = records.flatMap((begin) =>
      Array.from({ length: words[begin + Head.words] ?? 0 }, (_, i) => begin + i).filter(
        (word) => (words[word] ?? 0) >= arena && (words[word] ?? 0) <= ramBytes,
      ),
    );
    if (addresses.length > 0) {
      const place = random.pick(addresses);
      const near = (words[place] ?? 0) + random.pick([-64, -16, -4, -1, 1, 4, 16, 64]);
      const anywhere = 16 * random.below(Math.ceil(ramBytes / 16) + 2);
      return withWord(image, place, random, random.chance(0.5) ? near : anywhere);
    }
  }
  const donor = words[random.pick(records) + field];
  return withWord(image, at + field, random, random.chance(0.15) ? donor : undefined);
}

/** One number of the description of ports, states and report. */
function described(image: Image, random: Random): Image {
  const { inputs, outputs, states, report } = image;
  const description = structuredClone({ inputs, outputs, states, report });
  const numbers: { readonly node: Record<string, unknown>; readonly key: string }[] = [];
  const visit = (node: Record<string, unknown>): void => {
    for (const [key, member] of Object.entries(node)) {
      if (typeof member === "number") numbers.push({ node, key });
      else if (typeof member === "object" && member !== null) visit(member as Record<string, unknown>);
    }
  };
  // Ports and states more often than the report, which is mostly shown.
  visit(
    random.chance(0.7)
      ? { inputs: description.inputs, outputs: description.outputs, states: description.states }
      : { report: description.report },
  );
  if (numbers.length === 0) return image;
  const { node, key } = random.pick(numbers);
  node[key] = otherInt(random, Number(node[key]));
  return { ...image, ...description };
}
