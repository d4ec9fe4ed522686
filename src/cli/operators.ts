import { definitions } from "../ops/index.ts";
import { VARIANTS } from "../plan/variant.ts";
import { builtinName } from "../tflite/schema.ts";
import type { Arguments } from "./arguments.ts";
import { table } from "./table.ts";

/** What `thimble operators` tells of one. */
interface OperatorRow {
  /** Its name in a .tflite file. */
  readonly operator: string;
  /** Element types of activations. */
  readonly types: readonly string[];
  readonly variants: readonly string[];
  /** It can run in streams, row by row, on int8. */
  readonly rows: boolean;
  /** Its output may share bytes with an input that nothing else needs. */
  readonly inPlace: boolean;
  /** It is the input's bytes under another shape, and takes no time. */
  readonly view: boolean;
  /** It moves elements without looking at them, and need not where its operands can lie within each other. */
  readonly moves: boolean;
  /** What it makes of int8 can lie between the channels of others, where it is to be joined to them. */
  readonly pitched: boolean;
}

/** `thimble operators`: what models may use, from the registry itself. */
export function operators({ json }: Pick<Arguments, "json">): string {
  const rows = definitions()
    .map((op): OperatorRow => ({
      operator: builtinName(op.tflite.builtin),
      types: op.types ?? ["int8"],
      variants: VARIANTS,
      rows: op.rows !== undefined,
      inPlace: op.overlapDistance !== undefined || op.inPlaceScratchBytes !== undefined,
      view: op.alias === true,
      moves: op.moves === true,
      pitched: op.pitched !== undefined,
    }))
    .sort((a, b) => (a.operator < b.operator ? -1 : 1));
  if (json) return JSON.stringify(rows, undefined, 2);
  const mark = (holds: boolean): string => (holds ? "yes" : "");
  return table(
    ["operator", "types", "variants", "row by row", "in place", "view", "in a join"],
    rows.map((row) => [
      row.operator,
      row.types.join(" "),
      row.variants.join(" "),
      mark(row.rows),
      mark(row.inPlace),
      row.moves ? "moves" : mark(row.view),
      mark(row.pitched),
    ]),
  );
}
