import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase64 } from "../../src/runtime/kernel-bytes.ts";

test("base64 is decoded alike with what Node, browsers and audio worklets have", () => {
  const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, "base64"));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      expect(decodeBase64(text, { Uint8Array: { fromBase64 } })).toEqual(bytes);
      expect(decodeBase64(text, { Uint8Array: {}, Buffer })).toEqual(bytes);
      expect(decodeBase64(text, { Uint8Array: {} })).toEqual(bytes);
    }),
  );
});
