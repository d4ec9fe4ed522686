import { Random } from "../models/digits/random.ts";
import type { Point, Stroke } from "../models/digits/strokes.ts";
import { FORMS } from "../models/digits/strokes.ts";

/** Of the pad's canvas, in its pixels. */
const PEN_WIDTH = 36;

/** Where the user draws: strokes of mouse, finger or pen, in canvas pixels. */
export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #changed: (strokes: readonly Stroke[]) => void;
  readonly #random = new Random(Date.now());
  #strokes: Point[][] = [];

  /** Calls `changed` with all strokes whenever there is more ink or less. */
  constructor(canvas: HTMLCanvasElement, changed: (strokes: readonly Stroke[]) => void) {
    this.#canvas = canvas;
    this.#changed = changed;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.#strokes.push([]);
      this.#extend([event]);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      const between = event.getCoalescedEvents();
      this.#extend(between.length > 0 ? between : [event]);
    });
    canvas.addEventListener("keydown", ({ key, ctrlKey, metaKey, altKey }) => {
      if (ctrlKey || metaKey || altKey) return;
      if (/^\d$/.test(key)) this.drawExample(Number(key));
      else if (key === "Delete" || key === "Backspace") this.clear();
    });
  }

  clear(): void {
    this.#strokes = [];
    this.#redraw();
  }

  /** Draws one of the forms that the model's training pictures are made of, or any digit. */
  drawExample(digit = Math.floor(10 * this.#random.next())): void {
    const forms = FORMS[digit] ?? [];
    const form = forms[Math.floor(this.#random.next() * forms.length)] ?? [];
    const { width, height } = this.#canvas;
    const slant = this.#random.between(-0.15, 0.05);
    this.#strokes = form.map((stroke) =>
      stroke.map(([x, y]): Point => {
        const v = y - 0.5;
        return [width * (0.5 + 0.42 * (x - 0.5) + 0.6 * slant * v), height * (0.5 + 0.6 * v)];
      }),
    );
    this.#redraw();
  }

  #extend(events: readonly PointerEvent[]): void {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    for (const { clientX, clientY } of events) {
      this.#strokes
        .at(-1)
        ?.push([
          ((clientX - left) * this.#canvas.width) / width,
          ((clientY - top) * this.#canvas.height) / height,
        ]);
    }
    this.#redraw();
  }

  #redraw(): void {
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    if (this.#strokes.length === 0) {
      context.fillStyle = "#8a939c";
      context.font = "36px system-ui, sans-serif";
      context.textAlign = "center";
      context.fillText("draw here", this.#canvas.width / 2, this.#canvas.height / 2);
    }
    inkStrokes(context, this.#strokes, PEN_WIDTH);
    this.#changed(this.#strokes);
  }
}

/** White strokes, smooth through their points, with round ends. */
export function inkStrokes(
  context: CanvasRenderingContext2D,
  strokes: readonly Stroke[],
  penWidth: number,
): void {
  context.strokeStyle = "#fff";
  context.lineWidth = penWidth;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of strokes) {
    const [first = [0, 0]] = stroke;
    context.beginPath();
    context.moveTo(first[0], first[1]);
    // Curves from the middle of a piece to the middle of the next, bent by the point between.
    for (const [i, [x, y]] of stroke.entries()) {
      const [nextX, nextY] = stroke[i + 1] ?? [x, y];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    context.stroke();
  }
}
