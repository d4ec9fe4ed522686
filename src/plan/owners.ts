/** Bytes that hold nothing, or scratch. */
export const NOBODY = -2;

/** A page whose bytes have several owners. */
const MIXED = -0x80000000;

export const PAGE = 1024;

/**
 * Who owns each byte of [0, bytes), at first nobody. A page with one owner costs one word, so that whole tensors are
 * claimed and checked a page at a time, and bytes that no record touches cost next to nothing.
 */
export interface Owners {
  readonly bytes: number;
  readonly pages: Int32Array;
  /** Byte by byte, for pages that are mixed. */
  readonly details: Map<number, Int32Array>;
}

export function createOwners(bytes: number): Owners {
  return { bytes, pages: new Int32Array(Math.ceil(bytes / PAGE)).fill(NOBODY), details: new Map() };
}

/** Gives bytes [begin, end) to `owner`. */
export function claim({ pages, details }: Owners, begin: number, end: number, owner: number): void {
  for (let page = Math.floor(begin / PAGE); page * PAGE < end; page++) {
    const from = Math.max(begin - page * PAGE, 0);
    const to = Math.min(end - page * PAGE, PAGE);
    const before = pages[page] ?? NOBODY;
    if (before === owner) continue;
    if (to - from === PAGE) {
      pages[page] = owner;
      continue;
    }
    let detail = details.get(page);
    if (detail === undefined) {
      detail = new Int32Array(PAGE);
      details.set(page, detail);
    }
    if (before !== MIXED) detail.fill(before);
    pages[page] = MIXED;
    detail.fill(owner, from, to);
  }
}

/** The first of bytes [begin, end) that is not `owner`'s; -1 if all are. */
export function firstOther({ pages, details }: Owners, begin: number, end: number, owner: number): number {
  for (let page = Math.floor(begin / PAGE); page * PAGE < end; page++) {
    const of = pages[page];
    if (of === owner) continue;
    const from = Math.max(begin - page * PAGE, 0);
    const detail = of === MIXED ? details.get(page) : undefined;
    if (detail === undefined) return page * PAGE + from;
    const to = Math.min(end - page * PAGE, PAGE);
    for (let i = from; i < to; i++) if (detail[i] !== owner) return page * PAGE + i;
  }
  return -1;
}

/** The owner of one byte. */
export function ownerAt({ pages, details }: Owners, at: number): number {
  const page = Math.floor(at / PAGE);
  const of = pages[page] ?? NOBODY;
  return of === MIXED ? (details.get(page)?.[at % PAGE] ?? NOBODY) : of;
}
