/** Numbers from a seed: the same in every run. xorshift32, whose state is never 0. */
export class Random {
  #state: number;

  constructor(...seeds: readonly number[]) {
    this.#state = 0x9e3779b1;
    for (const seed of seeds) {
      this.#state = Math.imul(this.#state ^ seed, 0x85ebca6b) || 1;
      // Neighbouring seeds are far from each other after a few steps.
      for (let i = 0; i < 4; i++) this.word();
    }
  }

  /** 32 bits. */
  word(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state;
  }

  /** A whole number in [0, end). */
  below(end: number): number {
    return Math.floor(((this.word() >>> 0) / 2 ** 32) * end);
  }

  chance(probability: number): boolean {
    return this.below(2 ** 24) < probability * 2 ** 24;
  }

  /** One of them; of none, an error. */
  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError("nothing to pick from");
    return from[this.below(from.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.word() >>> 13);
  }
}

/** Numbers at which checks begin and end. */
const EDGES = [
  0, 1, -1, 2, 3, 4, 7, 8, 15, 16, 127, 128, -128, 255, 256, 32767, 32768, -32768, 65535, 65536, 0x40000000,
  0x7fffffff, -0x80000000,
];

/** A whole number to put in the place of `old`: near it, an edge, or any. */
export function otherInt(random: Random, old: number): number {
  switch (random.below(4)) {
    case 0:
      return (old + random.pick([-2, -1, 1, 2])) | 0;
    case 1:
      return random.pick(EDGES);
    case 2:
      return random.below(9);
    default:
      return random.chance(0.3) ? random.word() : -(old | 0);
  }
}
