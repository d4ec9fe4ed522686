import { C_MARK } from "./written.ts";

/** A constant array of bytes for C. */
export interface ByteArray {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly comment: string;
}

/** A number that firmware sizes its memory by. */
export interface Constant {
  readonly name: string;
  readonly value: number;
  readonly comment: string;
}

/** A header that declares the arrays, and defines the constants and the arrays' lengths. */
export function cHeader(guard: string, arrays: readonly ByteArray[], constants: readonly Constant[]): string {
  return [
    C_MARK,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    "",
    ...constants.map(({ name, value, comment }) => `#define ${name} ${value}u /* ${comment} */`),
    "",
    "#ifdef __cplusplus",
    'extern "C" {',
    "#endif",
    ...arrays.flatMap(({ name, bytes, comment }) => [
      "",
      `/* ${comment} */`,
      `#define ${name.toUpperCase()}_BYTES ${bytes.length}u`,
      `extern const unsigned char ${name}[${bytes.length}];`,
    ]),
    "",
    "#ifdef __cplusplus",
    "}",
    "#endif",
    "#endif",
    "",
  ].join("\n");
}

/** The arrays, aligned for 64-bit words. */
export function cSource(header: string, arrays: readonly ByteArray[]): string {
  return [
    C_MARK,
    `#include "${header}"`,
    "",
    "#if defined(__GNUC__)",
    "#define ALIGNED __attribute__((aligned(16)))",
    "#else",
    "#define ALIGNED",
    "#endif",
    ...arrays.flatMap(({ name, bytes }) => [
      "",
      `const unsigned char ${name}[${bytes.length}] ALIGNED = {`,
      ...lines(bytes),
      "};",
    ]),
    "",
  ].join("\n");
}

const BYTES_PER_LINE = 24;

function lines(bytes: Uint8Array): string[] {
  return Array.from(
    { length: Math.ceil(bytes.length / BYTES_PER_LINE) },
    (_, i) => `  ${bytes.subarray(i * BYTES_PER_LINE, (i + 1) * BYTES_PER_LINE).join(", ")},`,
  );
}
