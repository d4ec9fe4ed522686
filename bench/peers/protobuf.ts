/** A message of protocol buffers, written field by field: https://protobuf.dev/programming-guides/encoding. */
export class Message {
  readonly #parts: Uint8Array[] = [];

  /** A varint, of a whole number from 0 to 2^53. */
  int(field: number, value: number): this {
    this.#parts.push(varint(8 * field), varint(value));
    return this;
  }

  bytes(field: number, bytes: Uint8Array): this {
    this.#parts.push(varint(8 * field + 2), varint(bytes.length), bytes);
    return this;
  }

  string(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text));
  }

  message(field: number, message: Message): this {
    return this.bytes(field, message.encode());
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(this.#parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.of(...bytes, rest);
}
