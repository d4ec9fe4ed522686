/**
 * The reference's table of the logistic function, of which tanh is made too: 65536 · sigmoid(i / 24), rounded, for i from 0 to
 * 255, less ½, so that both sides of 0 differ in the sign alone. The reference was given it as numbers, some of which are one more than rounding
 * gives (docs/numerics.md).
 */
export function sigmoidTable(): Int16Array {
  const table = Int16Array.from({ length: 256 }, (_, i) =>
    Math.min(32767, Math.floor(65536 / (1 + Math.exp(-i / 24)) + 0.5) - 32768),
  );
  for (const i of ONE_MORE) table[i] = (table[i] ?? 0) + 1;
  return table;
}

const ONE_MORE = [
  4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45,
  46, 49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255,
];
