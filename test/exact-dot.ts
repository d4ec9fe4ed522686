/**
 * A copy of the relaxed or signed kernels for processors whose relaxed dot product is another one: each such instruction becomes a call
 * to a function that computes what is meant, in plain SIMD. All else is the shipped code, so that the variant's bits are tested on more
 * machines than run it.
 * WebAssembly's binary format: sections of LEB128-counted vectors.
 */
export function withExactDot(module: Uint8Array, dot: keyof typeof DOTS): Uint8Array<ArrayBuffer> {
  const exactDot = DOTS[dot];
  const sections = readSections(module);
  const count = (id: number): number =>
    readLeb(sections.find((section) => section.id === id)?.body ?? [0], 0)[0];
  const index = importedFunctions(sections) + count(Section.function);
  const parts = sections.flatMap(({ id, body }) => {
    switch (id) {
      case Section.type:
        return section(id, append(body, [0x60, 3, V128, V128, V128, 1, V128]));
      case Section.function:
        return section(id, append(body, leb(count(Section.type))));
      case Section.code:
        return section(id, append(callInstead(body, index), [...leb(exactDot.length), ...exactDot]));
      default:
        return section(id, body);
    }
  });
  return Uint8Array.from([...module.subarray(0, 8), ...parts]);
}

/** Kernels as tests run them here: as they are, or with the dot product that is meant; undefined where the engine lacks instructions. */
export async function runnable(
  kernels: Uint8Array<ArrayBuffer>,
  dot: keyof typeof DOTS,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!WebAssembly.validate(kernels)) return undefined;
  const imports = { host: { flash_read: () => undefined, input_row: () => undefined } };
  const { instance } = await WebAssembly.instantiate(kernels, imports);
  const { probe } = instance.exports as { probe: (scratch: number) => number };
  return probe(0) === 1 ? kernels : withExactDot(kernels, dot);
}

const Section = { type: 1, import: 2, function: 3, code: 10 } as const;
const V128 = 0x7b;
/** i32x4.relaxed_dot_i8x16_i7x16_add_s */
const RELAXED_DOT = [0xfd, 0x93, 0x02] as const;

/** x86 with VNNI: (w: int8, x: uint8, c: int32) → c + Σ w · x over the 4 bytes of each lane. A product fits 16 bits: |−128 · 255| < 2^15. */
const RELAXED = [
  ...[1, 2, V128],
  // local 3 = sums of pairs of bytes 0 to 7, local 4 of 8 to 15: extend both, i16x8.mul, i32x4.extadd_pairwise_i16x8_s.
  ...[0x20, 0, 0xfd, 0x87, 1, 0x20, 1, 0xfd, 0x89, 1, 0xfd, 0x95, 1, 0xfd, 0x7e, 0x21, 3],
  ...[0x20, 0, 0xfd, 0x88, 1, 0x20, 1, 0xfd, 0x8a, 1, 0xfd, 0x95, 1, 0xfd, 0x7e, 0x21, 4],
  // i8x16.shuffle: the even pairs, the odd pairs; then two i32x4.add.
  ...[0x20, 3, 0x20, 4, 0xfd, 0x0d, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27],
  ...[0x20, 3, 0x20, 4, 0xfd, 0x0d, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31],
  ...[0xfd, 0xae, 1, 0x20, 2, 0xfd, 0xae, 1, 0x0b],
];

/**
 * V8's baseline compiler for Arm: both int8, and products of neighbours are added in int16 before they are widened, which is exact as
 * long as not both are 2^14.
 */
const SIGNED = [
  ...[1, 2, V128],
  // local 3 = products of bytes 0 to 7, local 4 of 8 to 15: i16x8.extmul_low_i8x16_s, i16x8.extmul_high_i8x16_s.
  ...[0x20, 0, 0x20, 1, 0xfd, 0x9c, 1, 0x21, 3],
  ...[0x20, 0, 0x20, 1, 0xfd, 0x9d, 1, 0x21, 4],
  // i8x16.shuffle: the even products, the odd ones; i16x8.add, i32x4.extadd_pairwise_i16x8_s, i32x4.add.
  ...[0x20, 3, 0x20, 4, 0xfd, 0x0d, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29],
  ...[0x20, 3, 0x20, 4, 0xfd, 0x0d, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31],
  ...[0xfd, 0x8e, 1, 0xfd, 0x7e, 0x20, 2, 0xfd, 0xae, 1, 0x0b],
];

const DOTS = { relaxed: RELAXED, signed: SIGNED };

interface RawSection {
  readonly id: number;
  readonly body: readonly number[];
}

function readSections(module: Uint8Array): RawSection[] {
  const bytes = [...module];
  const sections: RawSection[] = [];
  for (let at = 8; at < bytes.length;) {
    const [length, begin] = readLeb(bytes, at + 1);
    sections.push({ id: bytes[at] ?? 0, body: bytes.slice(begin, begin + length) });
    at = begin + length;
  }
  return sections;
}

/** These kernels import functions only: two names, kind 0, a type. */
function importedFunctions(sections: readonly RawSection[]): number {
  const body = sections.find(({ id }) => id === Section.import)?.body ?? [0];
  const [count, begin] = readLeb(body, 0);
  let at = begin;
  for (let i = 0; i < count; i++) {
    for (let name = 0; name < 2; name++) {
      const [length, characters] = readLeb(body, at);
      at = characters + length;
    }
    if (body[at] !== 0) throw new Error("the kernels import more than functions");
    at = readLeb(body, at + 1)[1];
  }
  return count;
}

/** The instruction and `call` with an index padded to two bytes are of one length, so that no size changes. */
function callInstead(code: readonly number[], index: number): number[] {
  const result = [...code];
  let calls = 0;
  for (let i = 0; i + 2 < result.length; i++) {
    if (!RELAXED_DOT.every((byte, k) => result[i + k] === byte)) continue;
    result.splice(i, 3, 0x10, (index & 0x7f) | 0x80, index >> 7);
    calls++;
  }
  if (calls === 0) throw new Error("the kernels have no relaxed dot product");
  return result;
}

/** A vector with one more element. */
function append(vector: readonly number[], element: readonly number[]): number[] {
  const [count, begin] = readLeb(vector, 0);
  return [...leb(count + 1), ...vector.slice(begin), ...element];
}

function section(id: number, body: readonly number[]): number[] {
  return [id, ...leb(body.length), ...body];
}

/** The number at `at` and where it ends. */
function readLeb(bytes: readonly number[], at: number): [number, number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
