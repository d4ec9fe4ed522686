/** Arguments that engines take in one call. */
const CHUNK = 4096;

/**
 * Text of which every byte is a character; worklets have no TextDecoder. The arguments are not spread: an iterator
 * takes ten times as long in code that runs for the first time.
 */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(at, at + CHUNK)) as string;
  }
  return text;
}
