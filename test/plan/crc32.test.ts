import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "../../src/plan/crc32.ts";

test("is zlib's, of any length at any address", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(8), (data, offset) => {
      const bytes = new Uint8Array(offset + data.length).subarray(offset);
      bytes.set(data);
      expect(crc32(bytes)).toBe(zlibCrc32(data));
      // Whose slice is no copy.
      expect(crc32(Buffer.from(bytes.buffer, offset))).toBe(zlibCrc32(data));
    }),
  );
});
