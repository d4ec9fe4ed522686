import { InputError } from "../index.ts";

/** A NumPy array file, as far as its header tells. */
export interface NpyArray {
  /** NumPy's own name of the type: "|i1", "|u1", "<f4", … */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  readonly data: Uint8Array;
}

/**
 * Reads the NumPy format: "\x93NUMPY", version (1.0 with a 16-bit header length, later ones with 32 bits), a Python
 * dictionary, the data.
 * @throws InputError a file that is something else, or cut in its header
 */
export function readNpy(path: string, bytes: Uint8Array): NpyArray {
  const version = bytes[6] ?? 0;
  const start = version === 1 ? 10 : 12;
  const isNpy = Buffer.from(bytes.subarray(0, 6)).toString("latin1") === "\x93NUMPY";
  if (!isNpy || version < 1 || version > 3 || bytes.length < start) {
    throw new InputError("npy", `${path} is no .npy file of version 1 to 3; write it with numpy.save`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = Buffer.from(bytes.subarray(start, end)).toString("latin1");
  const dtype = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (end > bytes.length || dtype === undefined || order === undefined || shape === undefined) {
    throw new InputError(
      "npy",
      `${path} has no header of a plain array; write one array with numpy.save, not records or objects`,
    );
  }
  const extents = shape.split(",").filter((extent) => extent.trim() !== "");
  return { dtype, shape: extents.map(Number), fortranOrder: order === "True", data: bytes.subarray(end) };
}
