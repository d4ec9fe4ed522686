import { InputError } from "../errors.ts";
import { kindOf } from "./bytes.ts";

/**
 * Options that mean something to whom they are given; those that are undefined are as good as left away.
 * @throws InputError `options`: no object; `option`: a name that is not `known`
 */
export function requireOptions(caller: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new InputError(
      "options",
      `the options of ${caller} are ${kindOf(options)}; leave them away, or give an object`,
    );
  }
  const unknown = Object.entries(options).find(
    ([name, value]) => value !== undefined && !known.includes(name),
  );
  if (unknown === undefined) return;
  throw new InputError(
    "option",
    `${caller} has no option ${JSON.stringify(unknown[0])}; it has ${known.join(", ")}`,
  );
}
