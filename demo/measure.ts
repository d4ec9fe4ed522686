/** Milliseconds that `run` takes, mean of as many as `burstMs` allows: the clock of a page has steps of 5 to 100 µs. */
export function meanMs(run: () => void, burstMs: number): number {
  const start = performance.now();
  let count = 0;
  let now: number;
  do {
    run();
    count++;
    now = performance.now();
  } while (now - start < burstMs);
  return (now - start) / count;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
