/** The name of a value's class. Not by `instanceof`: frames and test runners hand over arrays of another realm. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
