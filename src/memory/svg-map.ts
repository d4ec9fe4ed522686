import type { MapRectangle } from "./text-map.ts";

/** What the picture needs to know of a plan: a report has it. */
export interface MappedPlan {
  readonly model: string;
  readonly variant: string;
  readonly schedule: string;
  readonly budgetBytes: number | null;
  readonly planBytes: number;
  readonly residentWeightBytes: number;
  readonly ramBytes: number;
  readonly slackBytes: number;
  readonly peakStep: number;
  readonly steps: readonly { readonly op: string; readonly operators: readonly unknown[] }[];
  readonly map: readonly MapRectangle[];
}

const WIDTH = 1200;
const HEIGHT = 640;
const LEFT = 84;
const RIGHT = 24;
const TOP = 64;
const BOTTOM = 92;

type Kind = MapRectangle["kind"] | "plan" | "resident";

/** Legible on white and on black. */
const COLOURS: Readonly<Record<Kind, string>> = {
  activation: "#4c8dd6",
  ring: "#35a79c",
  scratch: "#d9a441",
  weights: "#c05f9b",
  resident: "#8a7fc7",
  plan: "#8c939c",
};
const MEANINGS: Readonly<Record<Kind, string>> = {
  activation: "whole tensors",
  ring: "rings of rows",
  scratch: "scratch",
  weights: "weights from flash",
  resident: "resident weights",
  plan: "plan",
};

/**
 * The memory map over time as an SVG document: steps from left to right, bytes from bottom to top, a rectangle for whatever
 * holds bytes from one step to another, the peak step marked, the budget as a line where it is near.
 */
export function svgMap(plan: MappedPlan): string {
  const { steps, map, ramBytes, budgetBytes, planBytes, residentWeightBytes, peakStep } = plan;
  const count = Math.max(steps.length, 1);
  const showsBudget = budgetBytes !== null && budgetBytes <= 2 * ramBytes;
  const highest = Math.max(ramBytes, showsBudget ? budgetBytes : 0);
  const x = (step: number): number => LEFT + (step * (WIDTH - LEFT - RIGHT)) / count;
  // What stays from the first step to the last is drawn low, so that what comes and goes has room.
  const lasting = planBytes + residentWeightBytes;
  const low = Math.min(lasting / highest, LASTING_SHARE);
  const share = (bytes: number): number =>
    bytes <= lasting
      ? (low * bytes) / Math.max(lasting, 1)
      : low + ((1 - low) * (bytes - lasting)) / Math.max(highest - lasting, 1);
  const y = (bytes: number): number => HEIGHT - BOTTOM - share(bytes) * (HEIGHT - TOP - BOTTOM);

  const rectangle = (
    kind: Kind,
    name: string,
    first: number,
    last: number,
    from: number,
    bytes: number,
  ): string => {
    const [left, width] = [x(first), x(last + 1) - x(first)];
    const [top, height] = [y(from + bytes), y(from) - y(from + bytes)];
    const steps = first === last ? `step ${first}` : `steps ${first} to ${last}`;
    const title = `${name}: ${grouped(bytes)} bytes at ${grouped(from)}, ${steps}`;
    const label =
      width > 7 * LABEL_LENGTH && height > 13
        ? `<text x="${fixed(left + 4)}" y="${fixed(top + height / 2 + 4)}" class="l">${escaped(labelOf(name, bytes, width))}</text>`
        : "";
    return (
      `<g><title>${escaped(title)}</title><rect x="${fixed(left)}" y="${fixed(top)}" width="${fixed(width)}" ` +
      `height="${fixed(Math.max(height, 0.5))}" fill="${COLOURS[kind]}" class="r"/>${label}</g>`
    );
  };

  const used = new Set<Kind>([
    "plan",
    ...(residentWeightBytes > 0 ? (["resident"] as const) : []),
    ...map.map(({ kind }) => kind),
  ]);
  const legend = [...used].map((kind, i) => {
    const at = LEFT + i * 160;
    return (
      `<rect x="${at}" y="${HEIGHT - 30}" width="14" height="14" fill="${COLOURS[kind]}"/>` +
      `<text x="${at + 20}" y="${HEIGHT - 18}">${MEANINGS[kind]}</text>`
    );
  });
  const body = [
    rectangle("plan", "plan", 0, count - 1, 0, planBytes),
    ...(residentWeightBytes > 0
      ? [rectangle("resident", "resident weights", 0, count - 1, planBytes, residentWeightBytes)]
      : []),
    ...map
      .filter(({ bytes }) => bytes > 0)
      .map(({ kind, name, firstStep, lastStep, address, bytes }) =>
        rectangle(kind, name, firstStep, lastStep, address, bytes),
      ),
    `<rect x="${fixed(x(peakStep))}" y="${TOP}" width="${fixed(x(1) - x(0))}" height="${HEIGHT - TOP - BOTTOM}" class="p"/>`,
    `<text x="${fixed(Math.min(x(peakStep), WIDTH - 150))}" y="${TOP - 6}" class="m">peak: step ${peakStep}</text>`,
    line(y(ramBytes), `${grouped(ramBytes)} bytes used`, "u", WIDTH - RIGHT - 4),
    ...(showsBudget
      ? [line(y(budgetBytes), `budget ${grouped(budgetBytes)}`, "b", WIDTH - RIGHT - 200)]
      : []),
    ...ticks(lasting, highest).map(
      (bytes) =>
        `<text x="${LEFT - 8}" y="${fixed(y(bytes) + 4)}" class="e">${bytes / 1024} KiB</text>` +
        `<line x1="${LEFT - 4}" x2="${LEFT}" y1="${fixed(y(bytes))}" y2="${fixed(y(bytes))}" class="a"/>`,
    ),
    ...stepNumbers(count).map(
      (step) =>
        `<text x="${fixed((x(step) + x(step + 1)) / 2)}" y="${HEIGHT - BOTTOM + 16}" class="c">${step}</text>`,
    ),
    `<text x="${fixed((LEFT + WIDTH - RIGHT) / 2)}" y="${HEIGHT - BOTTOM + 34}" class="c">step</text>`,
    `<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" class="a"/>`,
  ];
  const title = `${plan.model}, ${plan.variant}, schedule ${plan.schedule}: ${grouped(ramBytes)} bytes of SRAM`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" class="g"/>`,
    `<text x="${LEFT}" y="28" class="t">${escaped(title)}</text>`,
    ...body,
    ...legend,
    `</svg>`,
    "",
  ].join("\n");
}

const STYLE =
  ".g{fill:#fff}text{fill:#1c2126}.t{font-size:17px;font-weight:600}.r{stroke:#fff;stroke-width:.7}" +
  ".l{fill:#fff;font-size:11px}.p{fill:none;stroke:#d23c3c;stroke-width:1.5;stroke-dasharray:5 3}.m{fill:#d23c3c}" +
  ".u{stroke:#1c2126}.b{stroke:#d23c3c;stroke-dasharray:6 4}.a{stroke:#6b727a;fill:none}.e{text-anchor:end}.c{text-anchor:middle}" +
  "@media(prefers-color-scheme:dark){.g{fill:#14181c}text{fill:#e4e8ec}.l{fill:#fff}.r{stroke:#14181c}.u{stroke:#e4e8ec}.m{fill:#ff7a7a}}";

function line(y: number, text: string, style: string, end: number): string {
  return (
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${fixed(y)}" y2="${fixed(y)}" class="${style}"/>` +
    `<text x="${end}" y="${fixed(y - 4)}" class="e">${text}</text>`
  );
}

const LABEL_LENGTH = 9;

/** Of the height, at most, for plan and resident weights. */
const LASTING_SHARE = 0.18;

/** As much of a rectangle's name and size as it has room for. */
function labelOf(name: string, bytes: number, width: number): string {
  const room = Math.floor(width / 7) - 1;
  const size = grouped(bytes);
  const kept = room - size.length - 1;
  if (kept < 4) return size;
  return `${name.length > kept ? `…${name.slice(name.length - kept + 1)}` : name} ${size}`;
}

/** Some round numbers of KiB from `lowest` up to `highest`, and 0. */
function ticks(lowest: number, highest: number): number[] {
  let unit = 1024;
  while ((highest - lowest) / unit > 10) unit *= 2;
  const first = Math.ceil(lowest / unit);
  const above = Array.from({ length: Math.floor(highest / unit) - first + 1 }, (_, i) => (first + i) * unit);
  return above[0] === 0 ? above : [0, ...above];
}

function stepNumbers(count: number): number[] {
  const stride = Math.max(1, Math.ceil(count / 30));
  return Array.from({ length: Math.ceil(count / stride) }, (_, i) => i * stride);
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Names come from files: no markup of theirs, and nothing that XML does not allow. */
function escaped(text: string): string {
  return text
    .replace(/[^\u0020-\ud7ff\ue000-\ufffd]/g, "?")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
