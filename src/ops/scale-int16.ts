import type { PlanRecord } from "../plan/record.ts";
import type { Multiplier } from "./fixed-point.ts";
import { quantizeMultiplier } from "./fixed-point.ts";
import type { Sides, UnaryPlace } from "./lookup.ts";

/** How int16 are scaled: by one, unless said otherwise. */
export interface Int16Scaling {
  readonly above?: Multiplier;
  readonly below?: Multiplier;
  readonly negates?: boolean;
  readonly absolute?: boolean;
  readonly range?: readonly [least: number, most: number];
}

/** Leaves every int16 as it is. */
const ONE = quantizeMultiplier(1);

export function scaleInt16(
  { input, output, length }: UnaryPlace,
  { above = ONE, below = ONE, negates = false, absolute = false, range = [-32768, 32767] }: Int16Scaling,
): PlanRecord {
  return {
    op: "scaleInt16",
    input,
    output,
    length,
    absolute: absolute ? 1 : 0,
    multiplier: above.multiplier,
    shift: above.shift,
    negativeMultiplier: below.multiplier,
    negativeShift: below.shift,
    negates: negates ? 1 : 0,
    activationMin: range[0],
    activationMax: range[1],
  };
}

/** The input's scale over the output's, in float32. */
export function ratioOf({ inputScale, outputScale }: Sides): Multiplier {
  return quantizeMultiplier(Math.fround(inputScale / outputScale));
}
