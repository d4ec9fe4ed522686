import { grouped } from "./grouped.ts";
import type { Box } from "./svg-labels.ts";
import { CHARACTER_WIDTH, ending, placeLabels, spread } from "./svg-labels.ts";
import { escaped, fixed, text } from "./svg.ts";
import type { MapRectangle } from "./text-map.ts";

/** What the picture needs to know of a plan: a report has it. */
export interface MappedPlan {
  readonly model: string;
  readonly variant: string;
  readonly schedule: string;
  readonly input: "resident" | "streamed";
  /** null: unbounded. */
  readonly budgetBytes: number | null;
  readonly planBytes: number;
  readonly residentWeightBytes: number;
  readonly ramBytes: number;
  readonly peakStep: number;
  readonly steps: readonly MappedStep[];
  readonly map: readonly MapRectangle[];
}

interface MappedStep {
  readonly op: string;
  readonly operators: readonly { readonly op: string }[];
  /** Of activations. */
  readonly liveBytes: number;
}

const WIDTH = 1200;
const HEIGHT = 660;
const LEFT = 76;
/** Of the map; the peak is drawn again to the right of it. */
const RIGHT = 860;
const TOP = 96;
const BOTTOM = HEIGHT - 96;
const PEAK_LEFT = 896;
const PEAK_RIGHT = 932;

type Kind = MapRectangle["kind"] | "plan" | "resident";

/** White text is legible on each, and each on white and on black. */
const COLOURS: Readonly<Record<Kind, string>> = {
  plan: "#6b737c",
  resident: "#6a5fb0",
  activation: "#2f73c4",
  ring: "#1b8176",
  scratch: "#9c6a12",
  weights: "#a8457f",
};
const MEANINGS: Readonly<Record<Kind, string>> = {
  plan: "plan",
  resident: "resident weights",
  activation: "whole tensors",
  ring: "rings of rows",
  scratch: "scratch",
  weights: "weights from flash",
};

/** What holds bytes [address, address + bytes) in steps [firstStep, lastStep]. */
interface Holder extends Omit<MapRectangle, "kind"> {
  readonly kind: Kind;
}

/** Bytes to heights. */
interface Scale {
  readonly y: (bytes: number) => number;
  readonly highest: number;
  /** Up to here bytes are drawn lower than above; 0: all are drawn alike. */
  readonly squeezed: number;
}

/**
 * The memory map over time as an SVG document: steps from left to right, bytes from bottom to top, a rectangle for whatever
 * holds bytes from one step to another; the peak of activations marked and beside the map once more, with all that is in
 * memory then; the budget as a line where it is near.
 */
export function svgMap(plan: MappedPlan): string {
  const scale = scaleOf(plan);
  const holders = holdersOf(plan);
  const title = `${plan.model}, ${plan.variant}, schedule ${plan.schedule}${plan.input === "streamed" ? ", input in rows" : ""}`;
  const budget = plan.budgetBytes === null ? "unbounded" : `${grouped(plan.budgetBytes)} bytes`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(title)}: ${grouped(plan.ramBytes)} bytes of SRAM</title>`,
    `<style>${STYLE}</style>`,
    `<defs><pattern id="shared" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
      `<rect width="1.4" height="6" class="hatch"/></pattern></defs>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" class="ground"/>`,
    text(LEFT, 28, escaped(title), "title"),
    text(LEFT, 48, `${grouped(plan.ramBytes)} bytes of SRAM, budget ${budget}`, ""),
    ...mapOf(plan, holders, scale),
    ...axesOf(plan, scale),
    ...peakOf(plan, holders, scale),
    ...legendOf(plan, holders, scale),
    "</svg>",
    "",
  ].join("\n");
}

const STYLE =
  ".ground{fill:#fff}text{fill:#1c2126}.title{font-size:17px;font-weight:600}.edge{fill:none;stroke:#fff;stroke-width:.8}" +
  ".label{fill:#fff;font-size:11px}.small{font-size:11px}.hatch{fill:#fff;opacity:.38}.axis{stroke:#6b727a;fill:none}" +
  ".lead{stroke:#9aa1a9;fill:none}.used{stroke:#1c2126}.budget{stroke:#d23c3c;stroke-width:2;stroke-dasharray:6 4}" +
  ".peak{fill:none;stroke:#d23c3c;stroke-width:2}.mark{fill:#d23c3c;font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}" +
  "@media(prefers-color-scheme:dark){.ground{fill:#14181c}text{fill:#e4e8ec}.label{fill:#fff}.edge{stroke:#14181c}" +
  ".used{stroke:#e4e8ec}.mark{fill:#ff7a7a}.peak,.budget{stroke:#ff7a7a}}";

/**
 * All bytes alike; but where most of them stay from the first step to the last, those are drawn low, so that what comes and
 * goes has room.
 */
function scaleOf({ planBytes, residentWeightBytes, ramBytes, budgetBytes }: MappedPlan): Scale {
  const highest = Math.max(ramBytes, nearBudget(budgetBytes, ramBytes) ?? 0, 1);
  const lasting = planBytes + residentWeightBytes;
  const squeezed = lasting > MOST_LASTING * highest ? lasting : 0;
  const share = (bytes: number): number => {
    if (squeezed === 0) return bytes / highest;
    if (bytes <= squeezed) return (LASTING_SHARE * bytes) / squeezed;
    return LASTING_SHARE + ((1 - LASTING_SHARE) * (bytes - squeezed)) / Math.max(highest - squeezed, 1);
  };
  return { y: (bytes) => BOTTOM - share(bytes) * (BOTTOM - TOP), highest, squeezed };
}

const MOST_LASTING = 0.5;
const LASTING_SHARE = 0.18;

/** A budget that can be drawn without making the rest small. */
function nearBudget(budgetBytes: number | null, ramBytes: number): number | undefined {
  return budgetBytes !== null && budgetBytes <= 1.5 * ramBytes ? budgetBytes : undefined;
}

function holdersOf({ planBytes, residentWeightBytes, steps, map }: MappedPlan): Holder[] {
  const always = { firstStep: 0, lastStep: Math.max(0, steps.length - 1) };
  const holders: Holder[] = [
    { kind: "plan", name: "plan", address: 0, bytes: planBytes, ...always },
    {
      kind: "resident",
      name: "resident weights",
      address: planBytes,
      bytes: residentWeightBytes,
      ...always,
    },
    // What starts later is drawn over what it takes bytes from.
    ...[...map].sort((a, b) => a.firstStep - b.firstStep || b.bytes - a.bytes),
  ];
  return holders.filter(({ bytes }) => bytes > 0);
}

function stepX({ steps }: MappedPlan): (step: number) => number {
  return (step) => LEFT + (step * (RIGHT - LEFT)) / Math.max(steps.length, 1);
}

/** Rectangles, what two of them share, edges, labels: each over the one before. */
function mapOf(plan: MappedPlan, holders: readonly Holder[], scale: Scale): string[] {
  const x = stepX(plan);
  const boxOf = ({ address, bytes, firstStep, lastStep }: Omit<Holder, "kind" | "name">): Box => ({
    left: x(firstStep),
    top: scale.y(address + bytes),
    width: x(lastStep + 1) - x(firstStep),
    height: Math.max(scale.y(address) - scale.y(address + bytes), 0.5),
  });
  const boxes = holders.map((holder) => boxOf(holder));
  const labels = placeLabels(
    holders.map((holder, i) => ({
      box: boxes[i] ?? boxOf(holder),
      name: holder.name,
      size: grouped(holder.bytes),
    })),
  );
  return [
    ...holders.map((holder, i) => filled(holder, boxes[i] ?? boxOf(holder))),
    ...sharedOf(holders).map((shared) => hatched(boxOf(shared))),
    `<path d="${boxes.map(outline).join("")}" class="edge"/>`,
    ...labels.map(({ text: words, x: left, y, turned }) =>
      text(
        left,
        y,
        escaped(words),
        "label",
        turned ? ` transform="rotate(-90 ${fixed(left)} ${fixed(y)})"` : "",
      ),
    ),
  ];
}

/** Bytes that two hold in the same step: an output in the place of its input. */
function sharedOf(holders: readonly Holder[]): Omit<Holder, "kind" | "name">[] {
  return holders.flatMap((a, i) =>
    holders.slice(i + 1).flatMap((b) => {
      const address = Math.max(a.address, b.address);
      const bytes = Math.min(a.address + a.bytes, b.address + b.bytes) - address;
      const firstStep = Math.max(a.firstStep, b.firstStep);
      const lastStep = Math.min(a.lastStep, b.lastStep);
      return bytes > 0 && firstStep <= lastStep ? [{ address, bytes, firstStep, lastStep }] : [];
    }),
  );
}

function axesOf(plan: MappedPlan, scale: Scale): string[] {
  const { steps, ramBytes, budgetBytes } = plan;
  const x = stepX(plan);
  const streams = [...steps.entries()].filter(([, { op }]) => op === "stream");
  const budget = nearBudget(budgetBytes, ramBytes);
  const level = (bytes: number, style: string): string =>
    `<path d="M${LEFT} ${fixed(scale.y(bytes))}H${RIGHT}" class="${style}"/>`;
  return [
    ...ticks(scale.squeezed, scale.highest).map(
      (bytes) =>
        text(LEFT - 9, scale.y(bytes) + 4, bytes === 0 ? "0" : `${bytes / 1024} KiB`, "end") +
        `<path d="M${LEFT - 5} ${fixed(scale.y(bytes))}H${LEFT}" class="axis"/>`,
    ),
    ...(scale.squeezed > 0 ? [breakAt(scale.y(scale.squeezed))] : []),
    // A bar under each stream.
    ...streams.map(
      ([step, { operators }]) =>
        `<g><title>${escaped(`stream of ${operators.map(({ op }) => op).join(", ")}`)}</title>` +
        `<rect x="${fixed(x(step) + 0.5)}" y="${BOTTOM + 3}" width="${fixed(x(step + 1) - x(step) - 1)}" height="4" ` +
        `fill="${COLOURS.ring}" class="stream"/></g>`,
    ),
    ...stepNumbers(steps.length).map((step) =>
      text((x(step) + x(step + 1)) / 2, BOTTOM + 20, String(step), "middle"),
    ),
    text((LEFT + RIGHT) / 2, BOTTOM + 38, "step", "middle"),
    `<path d="M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}" class="axis"/>`,
    level(ramBytes, "used"),
    ...(budget === undefined ? [] : [level(budget, "budget")]),
  ];
}

/** The mark of an axis whose lower part has another scale. */
function breakAt(y: number): string {
  const [left, top] = [LEFT - 6, fixed(y + 8)];
  return (
    `<path d="M${left} ${top}l12 -5M${left} ${fixed(y + 13)}l12 -5" class="axis" stroke-width="1.5"/>` +
    text(LEFT - 9, y + 24, "not to", "end small") +
    text(LEFT - 9, y + 37, "scale", "end small")
  );
}

/** The peak, marked in the map and drawn once more beside it with names. */
function peakOf(plan: MappedPlan, holders: readonly Holder[], scale: Scale): string[] {
  const { peakStep, steps, map } = plan;
  const step = steps[peakStep];
  if (step === undefined) return [];
  const x = stepX(plan);
  const alive = holders.filter(({ firstStep, lastStep }) => firstStep <= peakStep && peakStep <= lastStep);
  const now = alive.map((holder) => ({ ...holder, firstStep: peakStep, lastStep: peakStep }));
  const boxOf = ({ address, bytes }: Pick<Holder, "address" | "bytes">): Box => ({
    left: PEAK_LEFT,
    top: scale.y(address + bytes),
    width: PEAK_RIGHT - PEAK_LEFT,
    height: Math.max(scale.y(address) - scale.y(address + bytes), 0.5),
  });
  const boxes = now.map(boxOf);
  const named = now
    .map((holder) => ({ ...holder, at: scale.y(holder.address + holder.bytes / 2) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, MOST_NAMES)
    .sort((a, b) => a.at - b.at);
  const places = spread(
    named.map(({ at }) => at),
    NAME_GAP,
    TOP + 6,
    BOTTOM - 4,
  );
  const left = now.length - named.length;
  const what =
    step.op === "stream"
      ? `stream of ${step.operators.map(({ op }) => op).join(", ")}`
      : `${step.op}${map.length > 0 ? "" : ", nothing alive"}`;
  return [
    `<path d="${outline({ left: x(peakStep), top: TOP - 2, width: x(peakStep + 1) - x(peakStep), height: BOTTOM - TOP + 4 })}" class="peak"/>`,
    text(Math.max(LEFT, Math.min(x(peakStep), RIGHT - 120)), TOP - 10, `peak: step ${peakStep}`, "mark"),
    text(PEAK_LEFT, TOP - 42, `step ${peakStep}, the peak of activations:`, "mark"),
    text(PEAK_LEFT, TOP - 26, escaped(cut(what, 42)), "small"),
    text(PEAK_LEFT, TOP - 10, `${grouped(step.liveBytes)} bytes of activations`, "small"),
    ...now.map((holder, i) => filled(holder, boxes[i] ?? boxOf(holder))),
    ...sharedOf(now).map((shared) => hatched(boxOf(shared))),
    `<path d="${boxes.map(outline).join("")}" class="edge"/>`,
    `<path d="${outline({ left: PEAK_LEFT, top: TOP - 2, width: PEAK_RIGHT - PEAK_LEFT, height: BOTTOM - TOP + 4 })}" class="peak"/>`,
    ...named.map(({ kind, name, bytes, at }, i) => {
      const y = places[i] ?? at;
      return (
        `<path d="M${PEAK_RIGHT + 2} ${fixed(at)}L${PEAK_RIGHT + 14} ${fixed(y)}" class="lead"/>` +
        `<rect x="${PEAK_RIGHT + 16}" y="${fixed(y - 4)}" width="8" height="8" fill="${COLOURS[kind]}"/>` +
        text(PEAK_RIGHT + 28, y + 4, escaped(`${grouped(bytes)} ${nameInPeak(kind, name)}`), "small")
      );
    }),
    ...(left > 0 ? [text(PEAK_RIGHT + 28, BOTTOM + 14, `and ${left} smaller`, "small")] : []),
  ];
}

const MOST_NAMES = 28;
const NAME_GAP = 15;

/** Scratch and tiles have their step's name, which stands above. */
function nameInPeak(kind: Kind, name: string): string {
  return kind === "scratch" || kind === "weights" ? MEANINGS[kind] : ending(name, 24);
}

/** Kinds in one row, marks in another. */
function legendOf(
  { ramBytes, budgetBytes, steps }: MappedPlan,
  holders: readonly Holder[],
  scale: Scale,
): string[] {
  const used = new Set(holders.map(({ kind }) => kind));
  const swatch = (fill: string): string => `<rect y="-11" width="14" height="14" fill="${fill}"/>`;
  const kinds = (Object.keys(COLOURS) as Kind[])
    .filter((kind) => used.has(kind))
    .map((kind): LegendEntry => [swatch(COLOURS[kind]), MEANINGS[kind]]);
  const shared = `${swatch(COLOURS.activation)}${swatch("url(#shared)")}`;
  const budget = nearBudget(budgetBytes, ramBytes);
  const marks: LegendEntry[] = [[`<path d="M0 -4H14" class="used"/>`, `${grouped(ramBytes)} bytes used`]];
  if (budget !== undefined) marks.push([`<path d="M0 -4H14" class="budget"/>`, `budget ${grouped(budget)}`]);
  if (steps.some(({ op }) => op === "stream"))
    marks.push([`<rect y="-6" width="14" height="4" fill="${COLOURS.ring}"/>`, "steps that are streams"]);
  if (scale.squeezed > 0)
    marks.push([
      `<path d="M1 -1l12 -5M1 -6l12 -5" class="axis"/>`,
      "not to scale below: what stays all the time",
    ]);
  if (sharedOf(holders).length > 0) kinds.push([shared, "bytes of two: an output where its input was"]);
  return [...rowOf(kinds, HEIGHT - 30), ...rowOf(marks, HEIGHT - 10)];
}

/** A mark at (0, 0) and what it means. */
type LegendEntry = readonly [mark: string, meaning: string];

function rowOf(entries: readonly LegendEntry[], y: number): string[] {
  let x = LEFT;
  return entries.map(([mark, meaning]) => {
    const entry = `<g transform="translate(${fixed(x)} ${y})">${mark}${text(20, 0, meaning, "")}</g>`;
    x += 44 + CHARACTER_WIDTH * meaning.length;
    return entry;
  });
}

function filled({ kind, name, bytes, address, firstStep, lastStep }: Holder, box: Box): string {
  const when = firstStep === lastStep ? `step ${firstStep}` : `steps ${firstStep} to ${lastStep}`;
  const tip = `${MEANINGS[kind]}: ${name}, ${grouped(bytes)} bytes at ${grouped(address)}, ${when}`;
  return `<g><title>${escaped(tip)}</title><rect ${attributes(box)} fill="${COLOURS[kind]}" class="bytes"/></g>`;
}

function hatched(box: Box): string {
  return `<rect ${attributes(box)} fill="url(#shared)" class="both"/>`;
}

function attributes({ left, top, width, height }: Box): string {
  return `x="${fixed(left)}" y="${fixed(top)}" width="${fixed(width)}" height="${fixed(height)}"`;
}

function outline({ left, top, width, height }: Box): string {
  return `M${fixed(left)} ${fixed(top)}h${fixed(width)}v${fixed(height)}h${fixed(-width)}z`;
}

/** Some round numbers of bytes from `lowest` up to `highest`, and 0. */
function ticks(lowest: number, highest: number): number[] {
  let unit = 1024;
  while ((highest - lowest) / unit > 10) unit *= 2;
  const first = Math.floor(lowest / unit) + 1;
  const count = Math.max(0, Math.floor(highest / unit) - first + 1);
  return [0, ...Array.from({ length: count }, (_, i) => (first + i) * unit)];
}

function stepNumbers(count: number): number[] {
  const stride = [1, 2, 5, 10, 20, 50].find((each) => count <= 30 * each) ?? Math.ceil(count / 30);
  return Array.from({ length: Math.ceil(count / stride) }, (_, i) => i * stride);
}

function cut(words: string, characters: number): string {
  return words.length <= characters ? words : `${words.slice(0, characters - 1)}…`;
}
