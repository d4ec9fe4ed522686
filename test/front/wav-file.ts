export interface WavFormat {
  readonly rate: number;
  readonly channels: number;
  readonly bits: number;
  readonly isFloat?: boolean;
  readonly isExtensible?: boolean;
  /** Parts before the samples. */
  readonly before?: readonly (readonly [name: string, bytes: Uint8Array])[];
  /** What the header says of the samples' size, if not the truth. */
  readonly dataSize?: number;
}

/** A WAV file of samples −1 … 1, channels interleaved. */
export function wavFile(samples: readonly number[], format: WavFormat): Uint8Array {
  const { rate, channels, bits, isFloat = false, isExtensible = false, before = [], dataSize } = format;
  const bytes = bits / 8;
  const data = Buffer.alloc(samples.length * bytes);
  for (const [i, sample] of samples.entries()) {
    const at = i * bytes;
    const whole = Math.max(
      -(2 ** (bits - 1)),
      Math.min(2 ** (bits - 1) - 1, Math.round(sample * 2 ** (bits - 1))),
    );
    if (isFloat && bits === 32) data.writeFloatLE(sample, at);
    else if (isFloat) data.writeDoubleLE(sample, at);
    else if (bits === 8) data.writeUInt8(whole + 128, at);
    else data.writeIntLE(whole, at, bytes);
  }
  const head = Buffer.alloc(isExtensible ? 40 : 16);
  head.writeUInt16LE(isExtensible ? 0xfffe : isFloat ? 3 : 1, 0);
  head.writeUInt16LE(channels, 2);
  head.writeUInt32LE(rate, 4);
  head.writeUInt32LE(rate * channels * bytes, 8);
  head.writeUInt16LE(channels * bytes, 12);
  head.writeUInt16LE(bits, 14);
  if (isExtensible) head.writeUInt16LE(isFloat ? 3 : 1, 24);
  const parts = [["fmt ", head] as const, ...before, ["data", data] as const].map(([name, content]) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(name === "data" ? (dataSize ?? content.length) : content.length);
    return Buffer.concat([Buffer.from(name), size, content, Buffer.alloc(content.length & 1)]);
  });
  const body = Buffer.concat(parts);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(body.length + 4);
  return new Uint8Array(Buffer.concat([Buffer.from("RIFF"), size, Buffer.from("WAVE"), body]));
}
