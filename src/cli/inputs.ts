import type { ModelPort, TensorArray } from "../index.ts";
import { InputError } from "../index.ts";
import { readFileOrFail } from "./model.ts";

/**
 * The values of one input from a file: `.npy`, `.json`, or else the tensor's bytes, little-endian.
 * @throws InputError what does not fit, and what would
 */
export async function readInput(path: string, port: ModelPort): Promise<TensorArray> {
  const bytes = await readFileOrFail(path);
  if (path.endsWith(".npy")) return fromNpy(path, bytes, port);
  if (path.endsWith(".json")) return fromJson(path, bytes, port);
  const wanted = port.length * (port.type === "int8" ? 1 : 4);
  if (bytes.length !== wanted) {
    throw new InputError(
      "input-bytes",
      `${path} has ${bytes.length} bytes; ${describe(port)} takes ${wanted}: write the raw tensor, a .npy or a .json file`,
    );
  }
  return rawValues(bytes, port.type);
}

function describe(port: ModelPort): string {
  return `input "${port.name}" (${port.type}, shape [${port.shape.join(", ")}])`;
}

function rawValues(bytes: Uint8Array, type: "int8" | "float32"): TensorArray {
  const { buffer } = new Uint8Array(bytes);
  return type === "int8" ? new Int8Array(buffer) : new Float32Array(buffer);
}

/** NumPy format 1.0 and 2.0: magic, version, header length, a Python dictionary, then the data. */
function fromNpy(path: string, bytes: Uint8Array, port: ModelPort): TensorArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isNpy = bytes.length > 12 && Buffer.from(bytes.subarray(1, 6)).toString("latin1") === "NUMPY";
  if (!isNpy) throw new InputError("npy", `${path} is no .npy file`);
  const wide = (bytes[6] ?? 0) >= 2;
  const start = (wide ? 12 : 10) + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = Buffer.from(bytes.subarray(wide ? 12 : 10, start)).toString("latin1");
  const dtype = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "";
  const wantedType = port.type === "int8" ? "|i1" : "<f4";
  if (dtype !== wantedType || /'fortran_order':\s*True/.test(header)) {
    throw new InputError(
      "npy-type",
      `${path} holds ${dtype || "unknown data"}; ${describe(port)} takes C-ordered ${wantedType}: convert it with astype`,
    );
  }
  const data = bytes.subarray(start);
  if (data.length !== port.length * (port.type === "int8" ? 1 : 4)) {
    const shape = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "?";
    throw new InputError(
      "npy-shape",
      `${path} has shape (${shape}); ${describe(port)} takes ${port.length} values`,
    );
  }
  return rawValues(data, port.type);
}

/** Nested arrays of numbers; whole numbers within int8 for an int8 input. */
function fromJson(path: string, bytes: Uint8Array, port: ModelPort): TensorArray {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new InputError("json", `${path} is not JSON`, { cause });
  }
  const values: unknown[] = [parsed].flat<unknown[], 8>(8);
  if (values.length !== port.length || !values.every((value) => typeof value === "number")) {
    throw new InputError(
      "json-values",
      `${path} has ${values.length} values; ${describe(port)} takes ${port.length} numbers`,
    );
  }
  if (port.type === "float32") return Float32Array.from(values);
  if (!values.every((value) => Number.isInteger(value) && value >= -128 && value <= 127)) {
    throw new InputError(
      "json-values",
      `${path} has values that are no int8; ${describe(port)} takes whole numbers from -128 to 127: quantise them ` +
        `with scale ${port.scale} and zero point ${port.zeroPoint}`,
    );
  }
  return Int8Array.from(values);
}
