import type { Step } from "./layers.ts";
import type { Estimate, Segments, Side, Way } from "./segments.ts";

/** What a schedule is to keep small. */
export type Measure = "arenaBytes" | "ramBytes";

/** The least that any schedule can need by this measure. */
export function leastPeak({ from }: Segments, measure: Measure): number {
  const none = (): Record<Side, number> => ({ bottom: Infinity, top: Infinity });
  const least = [{ bottom: 0, top: 0 }, ...from.map(none)];
  for (const segments of from) {
    for (const segment of segments) {
      for (const { bytes, from, to } of segment.ways) {
        const [before, after] = [least[segment.begin] ?? none(), least[segment.end] ?? none()];
        after[to] = Math.min(after[to], Math.max(before[from], bytes[measure]));
      }
    }
  }
  const { bottom, top } = least.at(-1) ?? none();
  return Math.min(bottom, top);
}

/** What counts among schedules that fit: time; bytes of records and then time; or work done twice and then time. */
export type Aim = "cycles" | "planBytes" | "extraMacs";

/** The best schedule none of whose steps needs more than `limit` bytes by this measure; undefined if there is none. */
export function bestWithin(
  { from }: Segments,
  measure: Measure,
  limit: number,
  aim: Aim,
): readonly Step[] | undefined {
  interface Reached {
    cost: number;
    way: Way | undefined;
  }
  // A byte of records, or a product done twice, counts more than any time.
  const costOf = (segment: Estimate): number =>
    segment.cycles + (aim === "cycles" ? 0 : 2 ** 40 * segment[aim]);
  const reached = Array.from({ length: from.length + 1 }, (_, i): Record<Side, Reached> => {
    const cost = i === 0 ? 0 : Infinity;
    return { bottom: { cost, way: undefined }, top: { cost, way: undefined } };
  });
  for (const segments of from) {
    for (const segment of segments) {
      for (const way of segment.ways) {
        if (way.bytes[measure] > limit) continue;
        const cost = (reached[segment.begin]?.[way.from].cost ?? Infinity) + costOf(segment);
        const after = reached[segment.end]?.[way.to];
        if (after === undefined || cost >= after.cost) continue;
        after.cost = cost;
        after.way = way;
      }
    }
  }
  const end = reached.at(-1);
  let side: Side = (end?.top.cost ?? Infinity) < (end?.bottom.cost ?? Infinity) ? "top" : "bottom";
  const steps: Step[] = [];
  for (let at = from.length; at > 0;) {
    const way = reached[at]?.[side].way;
    if (way === undefined) return undefined;
    const sharesBytes = way.bytes === way.segment.overlapped;
    steps.unshift({ ...way.segment.step, outputAtTop: way.to === "top", sharesBytes });
    side = way.from;
    at = way.segment.begin;
  }
  return steps;
}

/** Peaks between the least and that of whole layers at which the fastest schedule may change, a few of them. */
export function peaksBetween(
  { from }: Segments,
  measure: Measure,
  low: number,
  high: number,
  most = MAX_PEAKS,
): readonly number[] {
  const peaks = new Set<number>();
  for (const segments of from) {
    for (const { apart, overlapped } of segments) {
      for (const { [measure]: bytes } of [apart, overlapped])
        if (bytes > low && bytes < high) peaks.add(bytes);
    }
  }
  const sorted = [...peaks].sort((a, b) => a - b);
  const stride = Math.max(1, Math.ceil(sorted.length / most));
  return [low, ...sorted.filter((_, index) => index % stride === stride - 1)];
}

const MAX_PEAKS = 12;
