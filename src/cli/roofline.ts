import { escaped, fixed, text } from "../memory/svg.ts";
import type { Profile, ProfiledStep } from "./bench.ts";

const WIDTH = 960;
const HEIGHT = 600;
const LEFT = 72;
const RIGHT = WIDTH - 28;
const TOP = 84;
const BOTTOM = HEIGHT - 92;

/** Of the operators that have products; dark enough for white and light enough for black. */
const COLOURS: Readonly<Record<string, string>> = {
  conv2d: "#2f73c4",
  depthwiseConv2d: "#1b8176",
  fullyConnected: "#a8457f",
  stream: "#9c6a12",
};
const OTHER = "#6b737c";

const STYLE =
  ".ground{fill:#fff}text{fill:#1c2126}.title{font-size:17px;font-weight:600}.grid{stroke:#d9dde1}.roof{fill:none;stroke:#d23c3c;stroke-width:2}" +
  ".mark{fill:#d23c3c}.end{text-anchor:end}.middle{text-anchor:middle}.step{stroke:#fff;fill-opacity:.85}.lead{stroke:#9aa1a9}" +
  "@media(prefers-color-scheme:dark){.ground{fill:#14181c}text{fill:#e4e8ec}.grid{stroke:#333a41}.step{stroke:#14181c}" +
  ".roof{stroke:#ff7a7a}.mark{fill:#ff7a7a}}";

/** A step with products as a point of the picture. */
interface Point extends ProfiledStep {
  readonly index: number;
  /** Multiply-accumulates per byte that it has at hand, and per cycle. */
  readonly intensity: number;
  readonly speed: number;
  readonly share: number;
}

/**
 * The roofline of a profile as an SVG document (Williams, Waterman, Patterson 2009): multiply-accumulates per cycle over those
 * per byte of weights and activations, both logarithmic, under what the loads and the dot product alone reach. A circle per
 * step, its area the share of the time; the slowest are named.
 */
export function rooflineSvg(title: string, { limits, steps }: Profile): string {
  const { gigahertz, macsPerCycle, bytesPerCycle } = limits;
  const total = steps.reduce((sum, { min }) => sum + min, 0);
  const points = steps.flatMap((step, index): Point[] => {
    const { macs, bytes, min } = step;
    if (macs === 0 || min <= 0) return [];
    return [
      {
        ...step,
        index,
        intensity: macs / Math.max(bytes, 1),
        speed: macs / min / gigahertz / 1e3,
        share: min / total,
      },
    ];
  });
  const rest = 1 - points.reduce((sum, { share }) => sum + share, 0);
  const roof = Number.isNaN(macsPerCycle) ? Math.max(...points.map(({ speed }) => speed), 1) : macsPerCycle;
  const ridge = roof / bytesPerCycle;
  const x = axis([...points.map(({ intensity }) => intensity), ridge], LEFT, RIGHT);
  const y = axis([...points.map(({ speed }) => speed), roof], BOTTOM, TOP);
  const floor = y.at(2 ** y.low);
  const start = Math.max(2 ** y.low / bytesPerCycle, 2 ** x.low);
  const corner = `${fixed(x.at(ridge))},${fixed(y.at(roof))}`;
  const line = Number.isNaN(macsPerCycle)
    ? ""
    : `<polyline class="roof" points="${fixed(x.at(start))},${fixed(y.at(start * bytesPerCycle))} ${corner} ${RIGHT},${fixed(y.at(roof))}"/>` +
      text(x.at(ridge) + 6, y.at(roof) - 8, `${roof.toFixed(1)} MAC/c: the dot product alone`, "mark") +
      text(
        x.at(start) + 8,
        y.at(start * bytesPerCycle) - 4,
        `${bytesPerCycle.toFixed(0)} bytes/c: loads alone`,
        "mark",
      );
  const kinds = [...new Set(points.map(({ op }) => (op in COLOURS ? op : "other")))];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(title)}: roofline</title>`,
    `<style>${STYLE}</style>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" class="ground"/>`,
    text(LEFT, 30, escaped(title), "title"),
    text(
      LEFT,
      50,
      `${points.length} steps with products; those without take ${percent(rest)} of the time. Area: share of the time.`,
      "",
    ),
    ...x.ticks.map(
      (at) =>
        `<path class="grid" d="M${fixed(x.at(at))} ${TOP}V${fixed(floor)}"/>` +
        text(x.at(at), BOTTOM + 18, label(at), "middle"),
    ),
    ...y.ticks.map(
      (at) =>
        `<path class="grid" d="M${LEFT} ${fixed(y.at(at))}H${RIGHT}"/>` +
        text(LEFT - 8, y.at(at) + 4, label(at), "end"),
    ),
    text((LEFT + RIGHT) / 2, BOTTOM + 40, "MAC per byte of weights and of activations alive", "middle"),
    `<text x="20" y="${(TOP + BOTTOM) / 2}" class="middle" transform="rotate(-90 20 ${(TOP + BOTTOM) / 2})">MAC per cycle</text>`,
    line,
    ...points
      .toSorted((a, b) => b.share - a.share)
      .map(
        ({ intensity, speed, share, op }) =>
          `<circle class="step" cx="${fixed(x.at(intensity))}" cy="${fixed(y.at(speed))}" r="${fixed(radius(share))}" fill="${COLOURS[op] ?? OTHER}"/>`,
      ),
    ...names(points, x.at, y.at),
    ...kinds.map((kind, i) => {
      const at = LEFT + i * 150;
      return (
        `<circle cx="${at + 6}" cy="${HEIGHT - 18}" r="6" fill="${COLOURS[kind] ?? OTHER}"/>` +
        text(at + 18, HEIGHT - 14, kind, "")
      );
    }),
    "</svg>\n",
  ].join("\n");
}

interface Axis {
  readonly at: (value: number) => number;
  /** Powers of two within it, and the exponent that it begins with. */
  readonly ticks: readonly number[];
  readonly low: number;
}

/** A logarithmic axis with room for all values. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const exponents = values.filter((value) => value > 0).map((value) => Math.log2(value));
  const low = Math.floor(Math.min(...exponents) - 0.3);
  const high = Math.max(Math.ceil(Math.max(...exponents) + 0.3), low + 1);
  return {
    at: (value) => from + ((Math.log2(value) - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i)),
    low,
  };
}

/** Of a circle whose area is the share; small ones stay visible. */
function radius(share: number): number {
  return Math.max(4, 60 * Math.sqrt(share / Math.PI));
}

/** So many steps are named: the slowest, beside their circles where no name and preferably no circle is. */
const NAMED = 8;
const CHARACTER_WIDTH = 6.6;

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function names(
  points: readonly Point[],
  x: (value: number) => number,
  y: (value: number) => number,
): string[] {
  const circles = points.map(({ index, intensity, speed, share }) => {
    return { index, ...around(x(intensity), y(speed), radius(share), radius(share)) };
  });
  const taken: Box[] = [];
  return points
    .toSorted((a, b) => b.share - a.share)
    .slice(0, NAMED)
    .flatMap(({ index, intensity, speed, share }) => {
      const name = `${index}: ${percent(share)}`;
      const half = (name.length * CHARACTER_WIDTH) / 2;
      const [across, down, size] = [x(intensity), y(speed), radius(share)];
      const places = [
        around(across, down - size - 9, half, 7),
        around(across, down + size + 9, half, 7),
        around(across - size - half - 4, down, half, 7),
        around(across + size + half + 4, down, half, 7),
      ].filter((box) => box.left >= LEFT && box.right <= RIGHT && !taken.some((other) => meet(box, other)));
      const others = circles.filter((circle) => circle.index !== index);
      const place = places.find((box) => !others.some((other) => meet(box, other))) ?? places[0];
      if (place === undefined) return [];
      taken.push(place);
      return [text((place.left + place.right) / 2, place.bottom - 3, name, "middle")];
    });
}

function around(x: number, y: number, halfWidth: number, halfHeight: number): Box {
  return { left: x - halfWidth, right: x + halfWidth, top: y - halfHeight, bottom: y + halfHeight };
}

function meet(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function label(value: number): string {
  return value >= 1 ? String(value) : `1/${1 / value}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
