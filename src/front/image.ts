/** Pictures to the inputs of models: `thimble/image`. */
import { InputError } from "../errors.ts";
import { kindOf } from "../given/bytes.ts";
import type { TensorArray } from "../plan/arrays.ts";
import type { ModelPort } from "../runtime/port.ts";
import { resizePixels } from "./resize.ts";

/**
 * A picture: rows of pixels from the top, each of 1 (grey), 3 (RGB) or 4 (RGBA) bytes, which the length tells. A canvas's
 * `ImageData` is one. Alpha is left out, as image readers of training pipelines leave it out.
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** How a picture of other proportions than the input's is fitted. */
export const FITS = ["crop", "pad", "stretch"] as const;
/** One of `FITS`. */
export type Fit = (typeof FITS)[number];

/** What a model takes for black … white. */
export const RANGES = ["0..1", "-1..1", "0..255"] as const;
/** One of `RANGES`. */
export type Range = (typeof RANGES)[number];

/** How a picture becomes an input. */
export interface PictureOptions {
  /**
   * "crop": the middle of the picture, as much as fills the input (default); "pad": all of it, in the middle of black;
   * "stretch": all of it, out of proportion.
   */
  readonly fit?: Fit;
  /** Default: what the input's quantisation covers, see `rangeOf`. */
  readonly range?: Range;
}

/** Height, width and channels of an input that takes pictures. */
export interface PictureShape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/**
 * What pictures an input takes: [1, height, width, 1 or 3], or [1, height, width] of grey. Undefined if it takes none; of an
 * input of features, [1, 49, 10, 1] for example, the shape alone cannot tell.
 */
export function pictureShape({ shape, type }: Pick<ModelPort, "shape" | "type">): PictureShape | undefined {
  const [batch, height = 0, width = 0, channels = 1] = shape;
  const fits = (shape.length === 3 || shape.length === 4) && batch === 1 && height > 1 && width > 1;
  if (!fits || (channels !== 1 && channels !== 3)) return undefined;
  return type === "int8" || type === "int16" || type === "uint8" || type === "float32"
    ? { height, width, channels }
    : undefined;
}

const BOUNDS: Readonly<Record<Range, readonly [number, number]>> = {
  "0..1": [0, 1],
  "-1..1": [-1, 1],
  "0..255": [0, 255],
};

/**
 * The range that an input's quantisation covers: of scale s and zero point z, int8 holds s · (−128 − z) … s · (127 − z), where
 * converters put the range of the training data. Ends may differ by 5 % of the range. Undefined where none fits: int16 has
 * room on both sides, float32 without a scale can hold anything, and data may have been normalised by mean and deviation.
 */
export function rangeOf({ type, scale, zeroPoint }: ModelPort): Range | undefined {
  if (type === "uint8") return "0..255";
  if (type === "int16") return undefined;
  const [least, most] = [scale * (-128 - zeroPoint), scale * (127 - zeroPoint)];
  return RANGES.find((range) => {
    const [low, high] = BOUNDS[range];
    const slack = 0.05 * (high - low);
    return Math.abs(least - low) <= slack && Math.abs(most - high) <= slack;
  });
}

/**
 * A picture as the values of an input: fitted, resized (triangle filter), grey where the input has one channel (0.299 R +
 * 0.587 G + 0.114 B), scaled to the input's range, and quantised if the input is.
 * @throws InputError `image-shape`: an input that takes no pictures; `image-range`: its range cannot be told, or is none;
 * `image-fit`: a fit that is none; `image-data`: a picture whose data is not bytes, or does not go with its size
 */
export function pictureInput(port: ModelPort, picture: Picture, options: PictureOptions = {}): TensorArray {
  const to = pictureShape(port);
  if (to === undefined) {
    throw new InputError(
      "image-shape",
      `input "${port.name}" is ${port.type} of shape [${port.shape.join(", ")}], which is no picture; pictures go into ` +
        "[1, height, width, 1 or 3]",
    );
  }
  const { fit = "crop", range = rangeOf(port) } = options;
  if (!FITS.includes(fit)) throw new InputError("image-fit", `fit is ${FITS.join(", ")}, not "${fit}"`);
  if (range === undefined) {
    throw new InputError(
      "image-range",
      `input "${port.name}" is ${port.type} with scale ${port.scale} and zero point ${port.zeroPoint}, which does not tell ` +
        `what it takes for black and white; say which of ${RANGES.join(", ")} the model was trained with`,
    );
  }
  if (!RANGES.includes(range))
    throw new InputError("image-range", `range is ${RANGES.join(", ")}, not "${range}"`);
  const pixels = toChannels(fitted(picture, channelsOf(picture), to, fit), to.channels);
  const [low, high] = BOUNDS[range];
  const values = pixels.map((value) => low + (value * (high - low)) / 255);
  if (port.type === "float32") return values;
  return port.type === "uint8" ? Uint8Array.from(values, Math.round) : port.quantize(values);
}

function channelsOf({ width, height, data }: Picture): number {
  const kind = kindOf(data);
  if (kind !== "Uint8Array" && kind !== "Uint8ClampedArray") {
    throw new InputError(
      "image-data",
      `a picture's data is a Uint8Array or Uint8ClampedArray of 0 … 255, not ${kind}; of real numbers 0 … 1 make ` +
        "Uint8ClampedArray.from(data, (value) => 255 * value)",
    );
  }
  const pixels = width * height;
  const channels = data.length / pixels;
  const isSize = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (isSize && (channels === 1 || channels === 3 || channels === 4)) return channels;
  throw new InputError(
    "image-data",
    `${data.length} bytes are no picture of ${width} × ${height} pixels; give 1 (grey), 3 (RGB) or 4 (RGBA) bytes a pixel`,
  );
}

/** The picture in the input's height and width, with its own channels. */
function fitted(picture: Picture, channels: number, to: PictureShape, fit: Fit): Channels {
  const { width, height, data } = picture;
  const from = { width, height, channels };
  const [across, down] = [width / to.width, height / to.height];
  if (fit === "pad" && across !== down) {
    const scale = Math.max(across, down);
    const inner = {
      width: Math.max(1, Math.round(width / scale)),
      height: Math.max(1, Math.round(height / scale)),
    };
    const pixels = resizePixels(data, from, { x: 0, y: 0, width, height }, inner);
    return { channels, values: centred(pixels, inner, to, channels) };
  }
  const scale = Math.min(across, down);
  const [w, h] = fit === "crop" ? [scale * to.width, scale * to.height] : [width, height];
  const crop = { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
  return { channels, values: resizePixels(data, from, crop, to) };
}

/** Pixels of so many values, 0 … 255. */
interface Channels {
  readonly channels: number;
  readonly values: Float32Array;
}

/** The picture in the middle of black. */
function centred(
  pixels: Float32Array,
  inner: { readonly width: number; readonly height: number },
  { width, height }: PictureShape,
  channels: number,
): Float32Array {
  const result = new Float32Array(width * height * channels);
  const [left, top] = [(width - inner.width) >> 1, (height - inner.height) >> 1];
  const length = inner.width * channels;
  for (let y = 0; y < inner.height; y++) {
    const row = pixels.subarray(y * length, (y + 1) * length);
    result.set(row, ((top + y) * width + left) * channels);
  }
  return result;
}

function toChannels({ channels, values }: Channels, wanted: 1 | 3): Float32Array {
  if (channels === wanted) return values;
  const result = new Float32Array((values.length / channels) * wanted);
  for (let i = 0, at = 0; at < result.length; i += channels, at += wanted) {
    const red = values[i] ?? 0;
    const [green, blue] = channels === 1 ? [red, red] : [values[i + 1] ?? 0, values[i + 2] ?? 0];
    if (wanted === 1) {
      result[at] = 0.299 * red + 0.587 * green + 0.114 * blue;
    } else {
      result[at] = red;
      result[at + 1] = green;
      result[at + 2] = blue;
    }
  }
  return result;
}
