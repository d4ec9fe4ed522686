import { best } from "../models/digits/data.ts";
import type { Stroke } from "../models/digits/strokes.ts";
import { byId, duration, element, grouped, showFigures } from "./dom.ts";
import { Latest } from "./latest.ts";
import type { Recognised } from "./messages.ts";
import { mnistPixels } from "./mnist.ts";
import { Pad } from "./pad.ts";

/** The drawing pad and what the model says of it, as it is drawn. */
export function startDigits(): void {
  const seen = byId("seen", HTMLCanvasElement);
  const answer = byId("answer", HTMLOutputElement);
  const figures = byId("digit-figures", HTMLElement);
  const rows = Array.from({ length: 10 }, (_, digit) => {
    const bar = element("span", "");
    const value = element("span", "number", "0 %");
    const row = element("li", "", element("span", "", String(digit)), element("span", "bar", bar), value);
    return { bar, value, row };
  });
  byId("scores", HTMLElement).append(...rows.map(({ row }) => row));

  let isBlank = true;
  const show = (scores: ArrayLike<number>): void => {
    const winner = isBlank ? -1 : best(scores);
    answer.value = isBlank ? "–" : String(winner);
    for (const [digit, { bar, value, row }] of rows.entries()) {
      const percent = isBlank ? 0 : 100 * (scores[digit] ?? 0);
      bar.style.width = `${percent}%`;
      value.textContent = `${percent.toFixed(0)} %`;
      row.className = digit === winner ? "best" : "";
    }
  };
  const worker = new Worker(new URL("./digits-worker.ts", import.meta.url), { type: "module" });
  const model = new Latest<Uint8Array, Recognised>(
    worker,
    ({ scores, latencyMs, ramBytes, flashBytes, variant }) => {
      show(scores);
      showFigures(figures, {
        "one inference": duration(latencyMs),
        RAM: `${grouped(ramBytes)} bytes`,
        flash: `${grouped(flashBytes)} bytes`,
        kernels: variant,
      });
    },
    ({ message }) => {
      answer.value = "!";
      showFigures(figures, { "the model does not run": message });
    },
  );
  const pad = new Pad(byId("pad", HTMLCanvasElement), (strokes: readonly Stroke[]) => {
    isBlank = strokes.length === 0;
    model.send(mnistPixels(seen, strokes));
  });
  byId("clear", HTMLButtonElement).addEventListener("click", () => {
    pad.clear();
  });
  byId("example", HTMLButtonElement).addEventListener("click", () => {
    pad.drawExample();
  });
  pad.clear();
}
