/** A rectangle of a drawing, in its units. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Text at the left end of its base line, upright or turned to read from bottom to top. */
export interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly turned: boolean;
}

/** A rectangle that wants a label: `name` is shortened to what there is room for, `size` is not. */
export interface Labelled {
  readonly box: Box;
  readonly name: string;
  readonly size: string;
}

/** Of a character of 11 units in a wide font, at most: engines choose the font. */
export const CHARACTER_WIDTH = 7.2;
const LINE_HEIGHT = 13;
const MARGIN = 4;

/**
 * Labels where they fit beside what is drawn over their boxes, which is what comes later in `boxes`. So no two labels meet:
 * the later one lies in a box that the earlier one keeps clear of.
 */
export function placeLabels(boxes: readonly Labelled[]): Label[] {
  return boxes.flatMap((labelled, index) => {
    const over = boxes.slice(index + 1).map(({ box }) => box);
    return labelWithin(labelled, over) ?? [];
  });
}

/** In the part of the box to the left of all obstacles, level or, where that is too narrow, turned. */
function labelWithin({ box, name, size }: Labelled, obstacles: readonly Box[]): Label | undefined {
  const middle = box.top + box.height / 2;
  const level = { ...box, top: middle - LINE_HEIGHT / 2, height: LINE_HEIGHT };
  const levelText = fitted(name, size, freeWidth(level, obstacles));
  if (box.height > LINE_HEIGHT && levelText !== undefined)
    return { text: levelText, x: box.left + MARGIN, y: middle + 4, turned: false };
  const turnedText = fitted(name, size, box.height);
  const width = freeWidth(box, obstacles);
  if (turnedText === undefined || width <= LINE_HEIGHT) return undefined;
  return {
    text: turnedText,
    x: box.left + width / 2 + 4,
    y: box.top + box.height - MARGIN,
    turned: true,
  };
}

/** Of the box, from its left edge to the first obstacle. */
function freeWidth(box: Box, obstacles: readonly Box[]): number {
  const first = obstacles
    .filter(
      (other) =>
        meets(box.top, box.height, other.top, other.height) &&
        meets(box.left, box.width, other.left, other.width),
    )
    .reduce((least, { left }) => Math.min(least, left), box.left + box.width);
  return Math.max(0, first - box.left);
}

function meets(from: number, length: number, otherFrom: number, otherLength: number): boolean {
  return from < otherFrom + otherLength && otherFrom < from + length;
}

/** The size, after as much of the name as has room. */
function fitted(name: string, size: string, room: number): string | undefined {
  const characters = Math.floor((room - 2 * MARGIN) / CHARACTER_WIDTH);
  if (characters < size.length) return undefined;
  const kept = characters - size.length - 1;
  if (kept < Math.min(4, name.length)) return size;
  return `${ending(name, kept)} ${size}`;
}

/** The end of a long name, which tells it apart. */
export function ending(name: string, characters: number): string {
  return name.length <= characters ? name : `…${name.slice(name.length - characters + 1)}`;
}

/**
 * Heights at least `gap` apart and within [top, bottom], in the given order from the top down, near to where they were
 * wanted.
 */
export function spread(wanted: readonly number[], gap: number, top: number, bottom: number): number[] {
  const places: number[] = [];
  for (const y of wanted) places.push(Math.max(y, places.length === 0 ? top : (places.at(-1) ?? top) + gap));
  let limit = bottom;
  for (let i = places.length - 1; i >= 0; i--) {
    places[i] = Math.min(places[i] ?? limit, limit);
    limit = (places[i] ?? limit) - gap;
  }
  return places;
}
