import type { Report } from "thimble";
import { byId, duration, element, grouped, showFigures } from "./dom.ts";
import type { Benched, Planned } from "./messages.ts";

/** Figures, memory map and operators of a plan. */
export function showPlan({ report, svg, failure }: Planned): void {
  byId("plan", HTMLElement).hidden = report === undefined;
  if (report === undefined) return;
  const map = byId("map", HTMLImageElement);
  URL.revokeObjectURL(map.src);
  map.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  map.alt =
    `Memory over ${report.steps.length} steps: ${grouped(report.ramBytes)} bytes, ` +
    `the peak of activations at step ${report.peakStep}`;
  showFigures(byId("plan-figures", HTMLElement), {
    [failure === undefined ? "RAM" : "RAM it would need"]: `${grouped(report.ramBytes)} bytes`,
    activations: grouped(report.arenaBytes),
    "scratch and tiles": grouped(report.scratchBytes + report.weightTileBytes + report.slackBytes),
    "resident weights": grouped(report.residentWeightBytes),
    plan: grouped(report.planBytes),
    flash: `${grouped(report.flashBytes)} bytes`,
    "read from flash": grouped(report.streamedBytes),
    MACs: grouped(report.macs),
    peak: `step ${report.peakStep} of ${report.steps.length}`,
  });
  showOperators(report);
  byId("variants", HTMLTableElement).hidden = true;
}

/** A row for every operator; what is of a whole step stands in the row of its first. */
function showOperators({ steps, peakStep }: Report): void {
  const rows = steps.flatMap((step, index) =>
    step.operators.map(({ op, name, shape, macs, weightBytes }, i) => {
      const isFirst = i === 0;
      const time = element("td", "number", "");
      if (isFirst) time.dataset["step"] = String(index);
      const label = step.op === "stream" ? `${op} ≋` : op;
      const nameCell = element("td", "name", name);
      nameCell.title = name;
      const stepName = index === peakStep ? `${index} peak` : String(index);
      return element(
        "tr",
        `${isFirst ? "" : "within"} ${index === peakStep && isFirst ? "peak" : ""}`.trim(),
        element("td", "number", stepName),
        element("td", "", label),
        element("td", "", shape.join("×")),
        element("td", "number", macs === 0 ? "" : grouped(macs)),
        element("td", "number", weightBytes === 0 ? "" : grouped(weightBytes)),
        element("td", "number", isFirst ? grouped(step.liveBytes) : ""),
        time,
        nameCell,
      );
    }),
  );
  byId("operators", HTMLTableElement).tBodies[0]?.replaceChildren(...rows);
}

/** The variants against each other, and the time of every step in the table of operators. */
export function showBench({ variants, stepMs }: Benched): void {
  const table = byId("variants", HTMLTableElement);
  const slowest = variants.find(({ medianMs }) => !Number.isNaN(medianMs))?.medianMs ?? NaN;
  table.tBodies[0]?.replaceChildren(
    ...variants.map(({ variant, medianMs, remark }) =>
      element(
        "tr",
        "",
        element("td", "", variant),
        element("td", "number", duration(medianMs)),
        element("td", "number", Number.isNaN(medianMs) ? "–" : `${(slowest / medianMs).toFixed(1)}×`),
        element("td", "", remark),
      ),
    ),
  );
  table.hidden = false;
  for (const cell of document.querySelectorAll<HTMLElement>("#operators [data-step]")) {
    cell.textContent = duration(stepMs[Number(cell.dataset["step"])] ?? NaN);
  }
}
