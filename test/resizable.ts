/** An ArrayBuffer as TypeScript's library does not know it yet. */
interface Resizable extends ArrayBuffer {
  resize(bytes: number): void;
}

/** A buffer that can become `factor` times as long. */
export function resizable(bytes: number, factor = 2): Resizable {
  const Constructor = ArrayBuffer as unknown as new (
    bytes: number,
    options: { maxByteLength: number },
  ) => Resizable;
  return new Constructor(bytes, { maxByteLength: factor * bytes });
}
