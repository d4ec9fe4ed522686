import { readFileSync, writeFileSync } from "node:fs";

/** Share of the dot-product loop that a shape reaches, both measured in one run. */
export interface Share {
  readonly variant: string;
  readonly label: string;
  readonly ofPeak: number;
}

/** By engine, then by variant and shape. */
type Shares = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Of the repository, from build/bench. */
const FILE = new URL("../../bench/tile-shares.json", import.meta.url);

/** An engine that spills one accumulator of a tile more, or less, moves its share by more than this. */
const TOLERANCE = 0.1;

/** One shape per tile, large enough that little else counts. */
const SHAPES = [
  "pointwise 144×32×64",
  "pointwise 36×128×128",
  "pointwise 9×256×256",
  "matrix×vector 1×640×128",
  "conv 3×3×16 s1 → 32×32×16",
  "conv 3×3×64 s1 → 8×8×64",
  "conv 10×4×1 s2 → 25×5×64",
  "Winograd 3×3×16 → 32×32×16",
  "Winograd 3×3×64 → 8×8×64",
  "depthwise 3×3 s1 → 48×48×8",
  "depthwise 3×3 s2 → 20×20×48",
  "depthwise 5×5 s1 → 10×10×118",
  "depthwise 7×7 s1 → 14×14×256",
];

/** "V8 13.6": what allocates the registers of all tiles. */
function engine(): string {
  return `V8 ${process.versions.v8.split(".").slice(0, 2).join(".")}`;
}

function keyOf({ variant, label }: Share): string {
  return `${variant} ${label}`;
}

function tiles(shares: readonly Share[]): readonly Share[] {
  return shares.filter(({ label, ofPeak }) => SHAPES.includes(label) && !Number.isNaN(ofPeak));
}

/** Keeps what was measured as this engine's reference. */
export function recordShares(shares: readonly Share[]): void {
  const all = JSON.parse(readFileSync(FILE, "utf8")) as Shares;
  const own = tiles(shares).map((share) => [keyOf(share), Number(share.ofPeak.toFixed(3))] as const);
  const updated = { ...all, [engine()]: { ...all[engine()], ...Object.fromEntries(own) } };
  writeFileSync(FILE, `${JSON.stringify(updated, undefined, 2)}\n`);
}

/** Every tile against this engine's reference, or else the one recorded last, and a verdict. */
export function sharesText(shares: readonly Share[]): string {
  const all = JSON.parse(readFileSync(FILE, "utf8")) as Shares;
  const against = all[engine()] === undefined ? (Object.keys(all).at(-1) ?? "") : engine();
  const lines: string[] = [];
  let changed = 0;
  for (const share of tiles(shares)) {
    const reference = all[against]?.[keyOf(share)];
    if (reference === undefined) continue;
    const ratio = share.ofPeak / reference;
    const verdict = ratio < 1 - TOLERANCE ? "SLOWER" : ratio > 1 + TOLERANCE ? "faster" : "as before";
    if (verdict !== "as before") changed++;
    lines.push(
      `${keyOf(share).padEnd(46)} ${share.ofPeak.toFixed(3)} of the dot product, was ${reference.toFixed(3)}: ${verdict}`,
    );
  }
  const verdict =
    lines.length === 0
      ? "no reference for these variants"
      : changed === 0
        ? "the tiles are in registers as before"
        : `${changed} of ${lines.length} tiles changed: if a second run says the same, look at the engine's code of them`;
  return [`${engine()} against ${against}`, ...lines, verdict].join("\n");
}
