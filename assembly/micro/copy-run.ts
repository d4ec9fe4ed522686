/** Runs from this length on are worth a call to the engine's own copy. */
const LONG: usize = 64;

/** Copies `bytes` that do not overlap: pixels, most often, which are too short for `memory.copy`, a call in some engines. */
export function copyRun(to: usize, from: usize, bytes: usize): void {
  if (bytes >= LONG) {
    memory.copy(to, from, bytes);
    return;
  }
  const end = to + bytes;
  while (to + 8 <= end) {
    store<u64>(to, load<u64>(from));
    from += 8;
    to += 8;
  }
  while (to < end) {
    store<u8>(to, load<u8>(from));
    from++;
    to++;
  }
}
