import type { Model, ModelPort, TensorArray } from "../index.ts";
import { InputError } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { readFileOrFail } from "./files.ts";
import { mediaInput } from "./media.ts";
import { npyData } from "./npy.ts";
import { counted } from "./table.ts";

/** What a file must hold for an input. */
interface Wanted {
  readonly type: ModelPort["type"];
  readonly length: number;
  readonly bytes: number;
  /** For messages. */
  readonly text: string;
  readonly port: ModelPort;
}

/**
 * The values of a model's inputs, a file for each in order, as `readInput` reads them.
 * @throws InputError also another number of files
 */
export async function readInputs(
  { inputs }: Model,
  files: readonly string[],
  args: Pick<Arguments, "quantize" | "picture">,
): Promise<TensorArray[]> {
  if (files.length !== inputs.length) {
    throw new InputError(
      "input-count",
      `the model takes ${counted(inputs.length, "input")}, not ${files.length}: ${inputsText(inputs)}; use --input FILE ` +
        "once for each, in this order",
    );
  }
  const values: TensorArray[] = [];
  for (const [i, port] of inputs.entries()) values.push(await readInput(files[i] ?? "", port, args));
  return values;
}

/** For messages: "image" int8 [1, 96, 96, 3], … */
export function inputsText(inputs: Model["inputs"]): string {
  return inputs.map(({ name, type, shape }) => `"${name}" ${type} [${shape.join(", ")}]`).join(", ");
}

/**
 * The values of one input from a file: a picture (`.png`, `.jpg`), a sound (`.wav`), `.npy`, `.json`, or else the tensor's
 * bytes, little-endian. With `quantize` the last three hold real numbers (float32), which are quantised if the input is int8 or
 * int16.
 * @throws InputError what does not fit, and what would
 */
async function readInput(
  path: string,
  port: ModelPort,
  { quantize, picture }: Pick<Arguments, "quantize" | "picture">,
): Promise<TensorArray> {
  const bytes = await readFileOrFail(path);
  const media = await mediaInput(path, bytes, port, picture);
  if (media !== undefined) return media;
  const type = quantize ? "float32" : port.type;
  const { name, length, shape } = port;
  if (quantize && port.type !== "int8" && port.type !== "int16" && port.type !== "float32") {
    throw new InputError(
      "quantize",
      `input "${name}" is ${port.type}, which has no scale; leave --quantize away`,
    );
  }
  const kind = type === port.type ? type : `${type} to quantise`;
  const wanted: Wanted = {
    type,
    length,
    bytes: length * NUMBERS[type].array.BYTES_PER_ELEMENT,
    text: `input "${name}" (${kind}, shape [${shape.join(", ")}])`,
    port,
  };
  const values = valuesOf(path, bytes, wanted);
  return type === port.type ? values : port.quantize(values);
}

function valuesOf(path: string, bytes: Uint8Array, wanted: Wanted): TensorArray {
  if (/\.npy$/i.test(path)) return fromNpy(path, bytes, wanted);
  if (/\.json$/i.test(path)) return fromJson(path, bytes, wanted);
  if (bytes.length === wanted.bytes) return rawValues(bytes, wanted.type);
  const mend =
    (wanted.type === "int8" || wanted.type === "int16") && bytes.length === 4 * wanted.length
      ? "; if it holds float32, add --quantize"
      : "; a file that is no .npy, .json, picture or sound must be the tensor's bytes";
  throw new InputError(
    "input-bytes",
    `${path} has ${counted(bytes.length, "byte")}; ${wanted.text} takes ${wanted.bytes}${mend}`,
  );
}

/** A copy, which is aligned whatever the bytes' offset. */
function rawValues(bytes: Uint8Array, type: Wanted["type"]): TensorArray {
  return new NUMBERS[type].array(Uint8Array.from(bytes).buffer);
}

/** Per type of an input: what holds it, NumPy's name of it, and what whole numbers it takes. */
export const NUMBERS = {
  int8: { array: Int8Array, npy: "|i1", least: -128, most: 127 },
  uint8: { array: Uint8Array, npy: "|u1", least: 0, most: 255 },
  bool: { array: Uint8Array, npy: "|b1", least: 0, most: 1 },
  int16: { array: Int16Array, npy: "<i2", least: -32768, most: 32767 },
  int32: { array: Int32Array, npy: "<i4", least: -(2 ** 31), most: 2 ** 31 - 1 },
  float32: { array: Float32Array, npy: "<f4", least: -Infinity, most: Infinity },
} as const;

function fromNpy(path: string, bytes: Uint8Array, wanted: Wanted): TensorArray {
  const { type, port, text } = wanted;
  const data = npyData(path, bytes, {
    dtype: NUMBERS[type].npy,
    shape: port.shape,
    text,
    conversion: (dtype) => conversion(dtype, wanted),
  });
  return rawValues(data, type);
}

/** How to make what is wanted of another type: a plain cast would be silently wrong for quantised inputs. */
function conversion(dtype: string, { type, port }: Wanted): string {
  const save = (what: string): string => `save ${what}x.astype('${NUMBERS[type].npy}')`;
  if (type !== "int8" && type !== "int16") return save(type === "float32" ? "real numbers with " : "");
  if (dtype === "<f4" || dtype === "<f8") return "add --quantize if these are real numbers";
  if (type === "int8" && dtype === "|u1") {
    return (
      "pixels that the model takes as uint8 less 128 are (x.astype('i2') - 128).astype('i1'); else quantise real " +
      `numbers with scale ${port.scale} and zero point ${port.zeroPoint}`
    );
  }
  const quantised = save("quantised values with ");
  return dtype === "<i8"
    ? `${quantised}, or add --quantize if these are real numbers`
    : `${quantised}, or real ones with x.astype('<f4') and add --quantize`;
}

/** Arrays of numbers, nested or not; whole numbers within the type but for float32. */
function fromJson(path: string, bytes: Uint8Array, wanted: Wanted): TensorArray {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new InputError("json", `${path} is not JSON; write an array of numbers`, { cause });
  }
  const values: unknown[] = [parsed].flat<unknown[], 8>(8);
  if (!values.every((value) => typeof value === "number")) {
    throw new InputError(
      "json-values",
      `${path} holds more than numbers; write an array of them, nested or not`,
    );
  }
  if (values.length !== wanted.length) {
    throw new InputError(
      "json-values",
      `${path} has ${counted(values.length, "value")}; ${wanted.text} takes ${wanted.length}`,
    );
  }
  const { array, least, most } = NUMBERS[wanted.type];
  const fits = (value: number): boolean =>
    wanted.type === "float32" || (Number.isInteger(value) && value >= least && value <= most);
  if (!values.every(fits)) {
    throw new InputError(
      "json-values",
      `${path} has values that are no ${wanted.type}; ${wanted.text} takes whole numbers from ${least} to ${most}: ` +
        "add --quantize if these are real numbers",
    );
  }
  return array.from(values);
}
