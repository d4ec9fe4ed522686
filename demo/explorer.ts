import type { Schedule } from "thimble";
import { DIGITS_URL } from "./digits-model.ts";
import { byId, element, grouped } from "./dom.ts";
import { Latest } from "./latest.ts";
import type { Benched, Failure, ModelFile, ModelRequest, Planned } from "./messages.ts";
import { showBench, showPlan } from "./plan-view.ts";
import { TryModel } from "./try-model.ts";

/** Stops of the slider: four in an octave, 16 to 512 KB. */
const budgetOf = (stop: number): number => 1024 * 16 * 2 ** Math.floor(stop / 4) * (1 + (stop % 4) / 4);

/** A dropped model, planned anew whenever the budget or the schedule changes. */
export function startExplorer(): void {
  const budget = byId("budget", HTMLInputElement);
  const schedule = byId("schedule", HTMLSelectElement);
  const benchButton = byId("bench", HTMLButtonElement);
  const benchStatus = byId("bench-status", HTMLElement);
  const verdict = byId("verdict", HTMLElement);
  const trial = new TryModel();
  let file: ModelFile | undefined;

  const worker = new Worker(new URL("./model-worker.ts", import.meta.url), { type: "module" });
  const refuse = (failure: Failure): void => {
    showPlan({ report: undefined, svg: "", failure, takes: undefined });
    showFailure(verdict, failure);
  };
  const model = new Latest<ModelRequest, Planned | Benched>(
    worker,
    (answer, isNewest) => {
      if (!isNewest) return;
      verdict.classList.remove("busy");
      if ("variants" in answer) {
        benchStatus.textContent = "";
        showBench(answer);
      } else {
        showPlan(answer);
        if (file !== undefined) trial.open(file, answer.takes);
        if (answer.failure === undefined) showFit(verdict, answer, sram());
        else showFailure(verdict, answer.failure);
      }
      benchButton.disabled = "failure" in answer && answer.failure !== undefined;
    },
    refuse,
  );

  const sram = (): number => budgetOf(Number(budget.value));
  const ask = (what: ModelRequest["do"]): void => {
    if (file === undefined) return;
    model.send({ do: what, ...file, sram: sram(), schedule: schedule.value as Schedule });
  };
  const plan = (): void => {
    const text = `${sram() / 1024} KB`;
    byId("budget-text", HTMLOutputElement).value = text;
    budget.setAttribute("aria-valuetext", text);
    benchStatus.textContent = "";
    verdict.classList.add("busy");
    ask("plan");
  };
  const open = (name: string, bytes: Uint8Array): void => {
    byId("model-name", HTMLElement).textContent = `${name}, ${grouped(bytes.length)} bytes`;
    file = { name: name.replace(/\.tflite$/i, ""), bytes };
    plan();
  };

  budget.addEventListener("input", plan);
  schedule.addEventListener("change", plan);
  benchButton.addEventListener("click", () => {
    benchButton.disabled = true;
    benchStatus.textContent = "measuring…";
    ask("bench");
  });
  const take = async (chosen: File): Promise<void> => {
    if (!(await trial.take(chosen))) open(chosen.name, new Uint8Array(await chosen.arrayBuffer()));
  };
  takeFiles((chosen) => {
    take(chosen).catch(cannotRead);
  });
  const cannotRead = (error: unknown): void => {
    refuse({ name: "Error", code: "unreadable", message: String(error), neededBytes: undefined });
  };
  fetch(DIGITS_URL)
    .then(async (response) => {
      open("digits.tflite", new Uint8Array(await response.arrayBuffer()));
    })
    .catch(cannotRead);
}

/** Files dropped anywhere on the page, or chosen. */
function takeFiles(take: (file: File) => void): void {
  const input = byId("file", HTMLInputElement);
  const offer = (files: FileList | null | undefined): void => {
    const [file] = files ?? [];
    if (file !== undefined) take(file);
  };
  input.addEventListener("change", () => {
    offer(input.files);
    // So that the same file can be chosen again.
    input.value = "";
  });
  const drag = (isOver: boolean) => (event: DragEvent) => {
    event.preventDefault();
    document.body.classList.toggle("dragging", isOver);
  };
  addEventListener("dragover", drag(true));
  addEventListener("dragleave", drag(false));
  addEventListener("drop", (event) => {
    drag(false)(event);
    offer(event.dataTransfer?.files);
  });
}

function showFit(verdict: HTMLElement, { report }: Planned, budgetBytes: number): void {
  if (report === undefined) return;
  const left = budgetBytes - report.ramBytes;
  verdict.className = "verdict fits";
  verdict.replaceChildren(
    element(
      "p",
      "",
      element("strong", "", "Fits. "),
      `${grouped(report.ramBytes)} of ${grouped(budgetBytes)} bytes, ${grouped(left)} are left.`,
    ),
  );
}

function showFailure(verdict: HTMLElement, { name, code, message, neededBytes }: Failure): void {
  verdict.className = "verdict fails";
  const what =
    neededBytes === undefined ? `${name} ` : `Does not fit: ${grouped(neededBytes)} bytes are needed. `;
  verdict.replaceChildren(
    element("p", "", element("strong", "", what), element("code", "", code)),
    element("p", "", message),
  );
}
