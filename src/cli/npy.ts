import { InputError } from "../index.ts";
import { elementCount } from "../plan/shape.ts";
import { counted } from "./table.ts";

/** A NumPy array file, as far as its header tells. */
interface NpyArray {
  /** NumPy's own name of the type: "|i1", "|u1", "<f4", … */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  readonly data: Uint8Array;
}

/** What a file must hold. */
export interface WantedArray {
  /** NumPy's name of its type. Where it is float32, NumPy's own defaults are taken too: float64, and int64 that float32 holds. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Any number of such arrays, one after the other. */
  readonly many?: true;
  /** For messages: what takes it. */
  readonly text: string;
  /** For messages: how to make it of an array of another type. */
  readonly conversion: (dtype: string) => string;
}

/**
 * The bytes of the array in a `.npy` file. Dimensions of 1 may be there or not, and flat arrays are taken; any other shape is
 * refused, though its elements be as many: they are in another order.
 * @throws InputError npy, npy-type, npy-order, npy-shape, npy-bytes
 */
export function npyData(path: string, bytes: Uint8Array, wanted: WantedArray): Uint8Array {
  const { dtype, shape, fortranOrder, data } = readNpy(path, bytes);
  const widen = wanted.dtype === FLOAT32 ? WIDER[dtype] : undefined;
  if (dtype !== wanted.dtype && widen === undefined) {
    throw new InputError(
      "npy-type",
      `${path} holds ${dtype}; ${wanted.text} takes ${wanted.dtype}: ${wanted.conversion(dtype)}`,
    );
  }
  if (fortranOrder) {
    throw new InputError("npy-order", `${path} is in Fortran order; save numpy.ascontiguousarray(x)`);
  }
  checkShape(path, shape, wanted);
  const size = elementCount(shape) * Number(dtype.slice(2));
  if (data.length !== size) {
    throw new InputError(
      "npy-bytes",
      `${path} has ${counted(data.length, "byte")} of data where its shape needs ${size}; write it again`,
    );
  }
  // A copy, which is aligned whatever the bytes' offset.
  return widen === undefined ? data : new Uint8Array(widen(path, Uint8Array.from(data).buffer).buffer);
}

const FLOAT32 = "<f4";

/** What `numpy.save` writes of numbers whose type nobody has chosen, to float32. */
const WIDER: Readonly<Record<string, (path: string, data: ArrayBuffer) => Float32Array>> = {
  "<f8": (_, data) => Float32Array.from(new Float64Array(data)),
  "<i8": (path, data) => {
    const whole = new BigInt64Array(data);
    const values = Float32Array.from(whole, Number);
    const at = whole.findIndex((value, i) => BigInt(values[i] ?? 0) !== value);
    if (at < 0) return values;
    throw new InputError(
      "npy-type",
      `${path} holds <i8, and ${whole[at] ?? ""}, which float32 does not hold; save x.astype('${FLOAT32}') if its nearest will do`,
    );
  },
};

function checkShape(path: string, shape: readonly number[], wanted: WantedArray): void {
  const length = elementCount(wanted.shape);
  const count = elementCount(shape) / length;
  const whole = wanted.many === true ? [count, ...wanted.shape] : wanted.shape;
  const isCount = wanted.many === true ? Number.isInteger(count) && count > 0 : count === 1;
  if (isCount && (isSame(shape, whole) || isSame(shape, [count, length]))) return;
  const axes = isCount ? transposition(shape, whole) : undefined;
  const text = wanted.many === true ? ["samples", ...wanted.shape] : wanted.shape;
  throw new InputError(
    "npy-shape",
    `${path} has shape [${shape.join(", ")}]; ${wanted.text} takes [${text.join(", ")}]: ` +
      (axes ?? "save an array of that shape"),
  );
}

/** But for dimensions of 1, which change no element's place. */
function isSame(a: readonly number[], b: readonly number[]): boolean {
  return squeezed(a).join() === squeezed(b).join();
}

function squeezed(shape: readonly number[]): number[] {
  return shape.filter((extent) => extent !== 1);
}

/** How to bring the dimensions of `from` into the order of `to`, equal ones as they follow each other; undefined if they differ. */
function transposition(from: readonly number[], to: readonly number[]): string | undefined {
  if (from.length !== to.length) {
    const [few, fewer] = [squeezed(from), squeezed(to)];
    if (few.length !== fewer.length) return undefined;
    const text = transposition(few, fewer);
    return few.length === from.length ? text : text?.replace("x.", "x.squeeze().");
  }
  const left = from.map((extent, axis) => ({ extent, axis }));
  const axes = to.map((extent) => {
    const at = left.findIndex((each) => each.extent === extent);
    return at < 0 ? undefined : left.splice(at, 1)[0]?.axis;
  });
  return axes.includes(undefined) ? undefined : `transpose it with x.transpose(${axes.join(", ")})`;
}

/**
 * Reads the NumPy format: "\x93NUMPY", version (1.0 with a 16-bit header length, later ones with 32 bits), a Python
 * dictionary, the data.
 * @throws InputError a file that is something else, or cut in its header
 */
function readNpy(path: string, bytes: Uint8Array): NpyArray {
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
