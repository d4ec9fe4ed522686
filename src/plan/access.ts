import type { ViewWords } from "./record.ts";

/** Consecutive bytes. */
export interface Range {
  readonly address: number;
  readonly bytes: number;
}

/** Rows [y0, y1) × channels [c0, c1) of a view, in every batch. */
export interface Region {
  readonly view: ViewWords;
  readonly y0: number;
  readonly y1: number;
  readonly c0: number;
  readonly c1: number;
  readonly batches: number;
  readonly batchBytes: number;
}

/** Bytes that nested loops walk through from `address` on, outermost loop first; in lap `lap` of a ring. */
export interface Strided {
  readonly address: number;
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly lap: number;
}

/** One thing that a record does to memory; `operand` names whose bytes they must be, or become. */
export interface Access {
  readonly kind: "read" | "write";
  readonly operand: string;
  readonly region: Range | Region | Strided;
}

/**
 * All that a record does to memory. `accesses` come in an order that proves every order that the kernel may take: a byte
 * that is written at all is written as early as a kernel could, and read as late as one could. `scratch` is written before
 * them; it and `weights` are in use throughout.
 */
export interface Footprint {
  readonly scratch?: Range;
  readonly weights?: Range;
  readonly accesses: Iterable<Access>;
}

export function read(operand: string, region: Range | Region | Strided): Access {
  return { kind: "read", operand, region };
}

export function write(operand: string, region: Range | Region | Strided): Access {
  return { kind: "write", operand, region };
}

/** Bytes from the first to the last of a view's ring. */
export function spanOf({ pixelBytes, rowBytes, ringRows, width, channels }: ViewWords): number {
  return (ringRows - 1) * rowBytes + (width - 1) * pixelBytes + channels;
}

/** Calls back for the consecutive runs of a region: rows together where they lie together, pixels where they must. */
export function forEachRange(
  region: Range | Region | Strided,
  use: (address: number, bytes: number, lap: number) => void,
): void {
  if ("strides" in region) {
    forEachRun(region, use);
    return;
  }
  if (!("view" in region)) {
    use(region.address, region.bytes, 0);
    return;
  }
  const { view, y0, y1, c0, c1, batches, batchBytes } = region;
  const { address, pixelBytes, rowBytes, ringRows, width, channels } = view;
  const wholePixels = c0 === 0 && c1 === channels && pixelBytes === channels;
  const wholeRows = wholePixels && rowBytes === width * pixelBytes;
  for (let n = 0; n < batches; n++) {
    for (let y = y0; y < y1;) {
      const lap = Math.floor(y / ringRows);
      const row = address + n * batchBytes + (y % ringRows) * rowBytes;
      const rows = wholeRows ? Math.min(y1, (lap + 1) * ringRows) - y : 1;
      if (wholePixels) use(row, (rows - 1) * rowBytes + width * pixelBytes, lap);
      else for (let x = 0; x < width; x++) use(row + x * pixelBytes + c0, c1 - c0, lap);
      y += rows;
    }
  }
}

function forEachRun(
  { address, sizes, strides, lap }: Strided,
  use: (address: number, bytes: number, lap: number) => void,
): void {
  let inner = sizes.length;
  let bytes = 1;
  while (inner > 0 && (sizes[inner - 1] === 1 || strides[inner - 1] === bytes)) {
    bytes *= sizes[--inner] ?? 1;
  }
  const walk = (loop: number, at: number): void => {
    if (loop === inner) {
      use(at, bytes, lap);
      return;
    }
    for (let i = 0; i < (sizes[loop] ?? 1); i++) walk(loop + 1, at + i * (strides[loop] ?? 0));
  };
  walk(0, address);
}
