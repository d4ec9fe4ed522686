import type { Random } from "./random.ts";
import { otherInt } from "./random.ts";

/** Damages bytes without knowing what they mean: flips, words, cuts, and pieces moved about or taken from another file. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let result: Uint8Array = bytes.slice();
  for (let left = 1 + random.below(3); left > 0; left--) result = mutateOnce(result, other, random);
  return result;
}

function mutateOnce(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < 8) return random.bytes(64);
  const at = random.below(bytes.length);
  const aligned = Math.min(at & ~3, (bytes.length & ~3) - 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (random.below(10)) {
    case 0:
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 2:
      bytes[at] = random.word();
      return bytes;
    case 3:
    case 4:
    case 5:
      view.setInt32(aligned, otherInt(random, view.getInt32(aligned, true)), true);
      return bytes;
    case 6:
      // A word of the file elsewhere: tables and vectors that point to those of another kind.
      view.setInt32(aligned, view.getInt32(random.below(bytes.length >> 2) * 4, true), true);
      return bytes;
    case 7:
      return bytes.slice(0, at);
    case 8: {
      const length = Math.min(1 + random.below(64), bytes.length - at);
      const from = random.below(Math.max(other.length - length, 1));
      bytes.set(other.subarray(from, from + length), at);
      return bytes;
    }
    default: {
      // So many bytes less or more, all offsets across them wrong.
      const length = 4 * (1 + random.below(8));
      const cut = random.chance(0.5);
      return Uint8Array.of(
        ...bytes.subarray(0, aligned),
        ...(cut ? [] : random.bytes(length)),
        ...bytes.subarray(cut ? aligned + length : aligned),
      );
    }
  }
}
