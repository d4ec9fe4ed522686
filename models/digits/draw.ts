import type { Random } from "./random.ts";
import type { Form, Point, Stroke } from "./strokes.ts";
import { FORMS } from "./strokes.ts";

/** Side of a picture in pixels. */
export const SIDE = 28;

/** Curve points per control point. */
const STEPS = 6;

/**
 * A picture of a digit as somebody might write it: 28×28 grey bytes, row by row, ink near 255 on paper near 0. One of the
 * digit's forms is bent, sheared, turned, scaled and placed about the middle, drawn with a pen of varying width and ink, and
 * strewn with noise. Whole bytes, so that the last bit of a sine does not matter.
 */
export function drawDigit(digit: number, random: Random): Uint8Array {
  const forms = FORMS[digit];
  const form = forms?.[Math.floor(random.next() * forms.length)];
  if (form === undefined) throw new RangeError(`there is no digit ${digit}`);
  const height = 20 * Math.exp(0.15 * random.normal());
  const width = height * Math.exp(0.2 * random.normal() - 0.15);
  // A narrow digit takes a finer pen, or its loops would fill.
  const widest = (20 * Math.min(width, height)) / Math.max(width, height) / 7;
  const radius = Math.min(random.between(0.6, 2.4), widest);
  return ink(framed(written(form, width, height, random), radius, random), radius, random);
}

/** The form's strokes as polylines in pixels about 0. */
function written(form: Form, width: number, height: number, random: Random): Point[][] {
  const bent = bend(
    form.map((stroke) => smooth(wobbled(stroke, random))),
    random,
  );
  const slant = 0.25 * random.normal() - 0.15;
  const angle = 0.12 * random.normal();
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  return bent.map((stroke) =>
    stroke.map(([x, y]): Point => {
      const v = height * (y - 0.5);
      const u = width * (x - 0.5) + slant * v;
      return [cosine * u - sine * v, sine * u + cosine * v];
    }),
  );
}

/**
 * Moves and scales strokes onto the paper. Most pictures are as scanned digits are normalised: ink fills a box of 20 pixels,
 * its centre of mass in the middle (LeCun et al. 1998, "Gradient-based learning applied to document recognition"), nearly. Of
 * the others what is too large is scaled to fit.
 */
function framed(strokes: readonly (readonly Point[])[], radius: number, random: Random): Point[][] {
  const points = strokes.flat();
  const [left, right] = extent(points.map(([x]) => x));
  const [top, bottom] = extent(points.map(([, y]) => y));
  const longest = Math.max(right - left, bottom - top);
  const isNormalised = random.next() < 0.8;
  const scale = isNormalised
    ? (20.5 - 2 * radius + 0.7 * random.normal()) / longest
    : Math.min(1, 23 / longest);
  const spread = isNormalised ? 0.8 : 1.2;
  const [massX, massY] = centreOfMass(strokes);
  const shift = (low: number, high: number, mass: number): number => {
    const room = Math.max(0, SIDE - 3 - scale * (high - low)) / 2;
    const centre = SIDE / 2 - (scale * (low + high)) / 2;
    const aside = scale * ((low + high) / 2 - mass) + spread * random.normal();
    return centre + Math.max(-room, Math.min(room, aside));
  };
  const [shiftX, shiftY] = [shift(left, right, massX), shift(top, bottom, massY)];
  return strokes.map((stroke) => stroke.map(([x, y]): Point => [scale * x + shiftX, scale * y + shiftY]));
}

/** Of the strokes' ink: every piece counts by its length. */
function centreOfMass(strokes: readonly (readonly Point[])[]): Point {
  let [mass, sumX, sumY] = [0, 0, 0];
  for (const stroke of strokes) {
    for (let i = 0; i + 1 < stroke.length; i++) {
      const [[x0, y0], [x1, y1]] = [stroke[i] ?? [0, 0], stroke[i + 1] ?? [0, 0]];
      const length = Math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2);
      mass += length;
      sumX += (length * (x0 + x1)) / 2;
      sumY += (length * (y0 + y1)) / 2;
    }
  }
  return [sumX / mass, sumY / mass];
}

/** Points that nobody hits exactly, ends that come short or go far, corners that are rounded now and then. */
function wobbled(stroke: Stroke, random: Random): Point[] {
  const wobble = random.between(0.01, 0.04);
  const isRounded = random.next() < 0.25;
  const points: Point[] = [];
  let last: Point = [NaN, NaN];
  for (const point of stroke) {
    const isCorner = point[0] === last[0] && point[1] === last[1];
    last = point;
    if (isCorner) {
      const [moved] = points.slice(-1);
      if (moved !== undefined && !isRounded) points.push(moved);
      continue;
    }
    points.push([point[0] + wobble * random.normal(), point[1] + wobble * random.normal()]);
  }
  const end = (at: number, from: number): void => {
    const [p, q] = [points.at(at), points.at(from)];
    const further = 0.1 * random.normal();
    if (p === undefined || q === undefined) return;
    points[at < 0 ? points.length + at : at] = [
      p[0] + further * (p[0] - q[0]),
      p[1] + further * (p[1] - q[1]),
    ];
  };
  end(0, 1);
  end(-1, -2);
  return points;
}

/** Moves points by smooth waves, and stretches one side at the cost of the other. */
function bend(strokes: readonly (readonly Point[])[], random: Random): Point[][] {
  const wave = (): ((t: number) => number) => {
    const [slow, fast] = [0.037 * random.normal(), 0.015 * random.normal()];
    const [phase, other] = [random.next(), random.next()];
    return (t) =>
      slow * Math.sin(Math.PI * (t + 2 * phase)) + fast * Math.sin(2 * Math.PI * (1.3 * t + other));
  };
  const [xByX, xByY, yByX, yByY] = [wave(), wave(), wave(), wave()];
  const [growX, growY] = [Math.exp(0.17 * random.normal()), Math.exp(0.17 * random.normal())];
  return strokes.map((stroke) =>
    stroke.map(([x, y]): Point => [
      Math.max(x, 0) ** growX + Math.min(x, 0) + xByX(x) + xByY(y),
      Math.max(y, 0) ** growY + Math.min(y, 0) + yByX(x) + yByY(y),
    ]),
  );
}

function extent(values: readonly number[]): [low: number, high: number] {
  return [Math.min(...values), Math.max(...values)];
}

/** A Catmull-Rom curve through the points; from one point to the same again it stands still. */
function smooth(points: readonly Point[]): Point[] {
  const at = (i: number): Point => points[Math.max(0, Math.min(points.length - 1, i))] ?? [0, 0];
  const curve: Point[] = [at(0)];
  for (let i = 0; i + 1 < points.length; i++) {
    const [p0, p1, p2, p3] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    if (p1[0] === p2[0] && p1[1] === p2[1]) continue;
    const along = (axis: 0 | 1, t: number): number =>
      p1[axis] +
      0.5 * t * (p2[axis] - p0[axis] + t * (2 * p0[axis] - 5 * p1[axis] + 4 * p2[axis] - p3[axis])) +
      0.5 * t ** 3 * (3 * (p1[axis] - p2[axis]) + p3[axis] - p0[axis]);
    for (let step = 1; step <= STEPS; step++) curve.push([along(0, step / STEPS), along(1, step / STEPS)]);
  }
  return curve;
}

/** Draws the strokes: a pixel is as dark as it is near the nearest stroke. */
function ink(strokes: readonly (readonly Point[])[], radius: number, random: Random): Uint8Array {
  const swing = random.between(0, 0.35);
  const phase = random.next();
  const softness = random.between(0.9, 1.8);
  const roughness = random.between(0, 0.25);
  const strength = random.between(170, 290);
  const noise = random.next() < 0.6 ? 0 : random.between(0, 18);
  // Of each pixel how far it lies within the pen's edge, where the nearest stroke passes.
  const depth = new Float64Array(SIDE * SIDE).fill(-Infinity);
  for (const stroke of strokes) {
    for (let i = 0; i + 1 < stroke.length; i++) {
      const width = radius * (1 + swing * Math.sin(2 * Math.PI * (phase + (1.5 * i) / stroke.length)));
      stamp(depth, stroke[i] ?? [0, 0], stroke[i + 1] ?? [0, 0], width, softness);
    }
  }
  return Uint8Array.from(depth, (within) => {
    const edge = within + roughness * random.normal();
    const cover = Math.max(0, Math.min(1, 0.5 + edge / softness));
    const grain = noise === 0 ? 0 : noise * random.normal();
    return Math.max(0, Math.min(255, Math.round(strength * cover + grain)));
  });
}

function stamp(depth: Float64Array, from: Point, to: Point, radius: number, softness: number): void {
  const reach = radius + softness;
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = dx * dx + dy * dy;
  const first = (a: number, b: number): number => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const last = (a: number, b: number): number => Math.min(SIDE - 1, Math.ceil(Math.max(a, b) + reach));
  for (let y = first(from[1], to[1]); y <= last(from[1], to[1]); y++) {
    for (let x = first(from[0], to[0]); x <= last(from[0], to[0]); x++) {
      const [px, py] = [x + 0.5 - from[0], y + 0.5 - from[1]];
      const t = length === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / length));
      const distance = Math.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2);
      const at = y * SIDE + x;
      if (radius - distance > (depth[at] ?? 0)) depth[at] = radius - distance;
    }
  }
}
