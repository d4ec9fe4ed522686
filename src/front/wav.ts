import { InputError } from "../errors.ts";
import { requireBytes } from "../given/bytes.ts";

/** Sound of one channel. */
export interface Sound {
  /** Samples per second. */
  readonly rate: number;
  /** −1 … 1. */
  readonly samples: Float32Array;
}

/** Codes of formats. */
const PCM = 1;
const FLOAT = 3;
/** The sub-format tells. */
const EXTENSIBLE = 0xfffe;

/** How samples lie in a WAV file. */
interface Encoding {
  readonly isFloat: boolean;
  readonly channels: number;
  readonly rate: number;
  /** Of one sample of one channel. */
  readonly bytes: number;
}

/**
 * Reads a WAV file: PCM of 8, 16, 24 or 32 bits, or float of 32 or 64, of any rate, its channels mixed to one. 16-bit samples
 * become exactly q / 32768.
 * @throws InputError `wav`: something else, or a damaged file; `bytes`: no bytes at all
 */
export function readWav(file: Uint8Array | ArrayBuffer): Sound {
  const bytes = requireBytes("readWav", file, "read the file first");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string =>
    at + 4 > bytes.length ? "" : String.fromCharCode(...bytes.subarray(at, at + 4));
  if (tag(0) !== "RIFF" || tag(8) !== "WAVE") throw damaged("it does not begin with RIFF … WAVE");
  let encoding: Encoding | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const [name, size, start] = [tag(at), view.getUint32(at + 4, true), at + 8];
    const room = bytes.length - start;
    if (name === "data") {
      if (encoding === undefined) throw damaged("its samples come before their format");
      // Programs that write to a pipe do not know the size: they put the largest, or none.
      const isOpen = size === 0xffffffff || (size === 0 && room > 0);
      if (!isOpen && size > room)
        throw damaged(`it has ${room} bytes of samples where its header says ${size}`);
      return { rate: encoding.rate, samples: mixed(view, start, isOpen ? room : size, encoding) };
    }
    if (size > room) throw damaged(`its part "${name.replace(/[^ -~]/g, "?")}" of ${size} bytes is cut`);
    if (name === "fmt ") encoding = encodingOf(view, start, size);
    // Parts begin at even places.
    at = start + size + (size & 1);
  }
  throw damaged("it has no samples");
}

function damaged(what: string): InputError {
  return new InputError(
    "wav",
    `this is no sound file of the kind WAV: ${what}; write PCM or float WAV again`,
  );
}

const KINDS: Readonly<Record<number, readonly number[]>> = {
  [PCM]: [8, 16, 24, 32],
  [FLOAT]: [32, 64],
};

function encodingOf(view: DataView, at: number, size: number): Encoding {
  if (size < 16) throw damaged("its format is cut");
  const code = view.getUint16(at, true);
  // The sub-format begins with the code.
  const format = code === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : code;
  const [channels, rate] = [view.getUint16(at + 2, true), view.getUint32(at + 4, true)];
  const [block, bits] = [view.getUint16(at + 12, true), view.getUint16(at + 14, true)];
  if (KINDS[format]?.includes(bits) !== true) {
    throw damaged(
      `samples of ${bits} bits in format ${format} are neither PCM of 8 to 32 bits nor float of 32 or 64`,
    );
  }
  if (channels === 0 || block !== (channels * bits) / 8) {
    throw damaged(`${channels} channels of ${bits} bits do not make the ${block} bytes it gives them`);
  }
  if (rate === 0) throw damaged("its rate is 0");
  return { isFloat: format === FLOAT, channels, rate, bytes: bits / 8 };
}

/** The mean of the channels. What is left of a frame at the end is dropped. */
function mixed(
  view: DataView,
  start: number,
  size: number,
  { isFloat, channels, bytes }: Encoding,
): Float32Array {
  const read = isFloat ? floatReader(view, bytes) : pcmReader(view, bytes);
  return Float32Array.from({ length: Math.floor(size / (channels * bytes)) }, (_, frame) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      sum += read(start + (frame * channels + channel) * bytes);
    }
    return sum / channels;
  });
}

function floatReader(view: DataView, bytes: number): (at: number) => number {
  const read =
    bytes === 4 ? (at: number) => view.getFloat32(at, true) : (at: number) => view.getFloat64(at, true);
  return (at) => {
    const value = read(at);
    return Number.isFinite(value) ? value : 0;
  };
}

function pcmReader(view: DataView, bytes: number): (at: number) => number {
  switch (bytes) {
    case 1:
      return (at) => (view.getUint8(at) - 128) / 128;
    case 2:
      return (at) => view.getInt16(at, true) / 2 ** 15;
    case 3:
      return (at) => (view.getUint8(at) + view.getInt16(at + 1, true) * 256) / 2 ** 23;
    default:
      return (at) => view.getInt32(at, true) / 2 ** 31;
  }
}
