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

/** One thing that a record does to memory; `operand` names whose bytes they must be, or become. */
export interface Access {
  readonly kind: "read" | "write";
  readonly operand: string;
  readonly region: Range | Region;
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

export function read(operand: string, region: Range | Region): Access {
  return { kind: "read", operand, region };
}

export function write(operand: string, region: Range | Region): Access {
  return { kind: "write", operand, region };
}

/** Bytes from the first to the last of a view's ring. */
export function spanOf({ pixelBytes, rowBytes, ringRows, width, channels }: ViewWords): number {
  return (ringRows - 1) * rowBytes + (width - 1) * pixelBytes + channels;
}

/** Calls back for the consecutive runs of a region: rows together where they lie together, pixels where they must. */
export function forEachRange(
  region: Range | Region,
  use: (address: number, bytes: number, lap: number) => void,
): void {
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
