import { isImageFile } from "../emit/image-file.ts";
import type { Image, Report } from "../index.ts";
import { bestVariant } from "../asset.ts";
import { grouped } from "../memory/grouped.ts";
import { svgMap } from "../memory/svg-map.ts";
import { textMap } from "../memory/text-map.ts";
import { disassemble } from "../plan/disassemble.ts";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { budgetVerdict } from "./budget.ts";
import { readFileOrFail, writeFileOrFail } from "./files.ts";
import { imageOf, modelName } from "./model.ts";
import { counted, shortened, table } from "./table.ts";

/** `thimble inspect`: every byte of the plan, the steps, the memory map. */
export async function inspect(path: string, args: Arguments): Promise<string> {
  const { options, json, plan, svg, budget } = args;
  if (json && plan) throw new UsageError("inspect takes --json or --plan, not both");
  if (budget !== undefined) return await tryBudget(path, budget, args);
  const image = await imageOf(path, options);
  if (svg !== undefined) await writeFileOrFail(svg, new TextEncoder().encode(svgMap(image.report)));
  if (json) return JSON.stringify(image.report, undefined, 2);
  if (plan) return disassemble(image.sram);
  return inspection(image);
}

async function tryBudget(path: string, budget: number, args: Arguments): Promise<string> {
  if (args.plan || args.svg !== undefined) throw new UsageError("--budget takes no --plan and no --svg");
  const bytes = await readFileOrFail(path);
  if (isImageFile(bytes))
    throw new UsageError(`${path} is a compiled image: --budget needs its .tflite model`);
  const variant = args.options.variant ?? (await bestVariant());
  const { text, fits } = budgetVerdict(bytes, modelName(path), budget, {
    ...args,
    options: { ...args.options, variant },
  });
  if (!fits) process.exitCode = 1;
  return text;
}

/** The text that `inspect` prints. */
function inspection(image: Image): string {
  const { report } = image;
  const ports = (["inputs", "outputs"] as const).flatMap((side) =>
    image[side].map(
      (port) => `${side.slice(0, -1).padEnd(6)} ${port.type} [${port.shape.join(", ")}] "${port.name}"`,
    ),
  );
  return [
    `${report.model} for ${report.variant}, schedule ${report.schedule}, inputs ${report.input}`,
    ...ports,
    operatorText(report),
    "",
    bytesText(report),
    "",
    peakText(report),
    "",
    stepTable(report),
    "",
    ...streamTexts(report),
    textMap(report.map, report.steps.length, report.ramBytes),
  ].join("\n");
}

/** "12 steps: 2 streams (of 6 operators), 5 conv2d, 4 depthwiseConv2d, …" */
function operatorText({ steps }: Report): string {
  const streams = steps.filter(({ op }) => op === "stream");
  const within = streams.reduce((sum, { operators }) => sum + operators.length, 0);
  const counts = new Map<string, number>();
  for (const { op } of steps) if (op !== "stream") counts.set(op, (counts.get(op) ?? 0) + 1);
  const parts = [
    ...(streams.length > 0
      ? [`${counted(streams.length, "stream")} (of ${counted(within, "operator")})`]
      : []),
    ...[...counts].map(([op, count]) => `${count} ${op}`),
  ];
  return `${counted(steps.length, "step")}${parts.length > 0 ? ": " : ""}${parts.join(", ")}`;
}

/** Where the bytes of SRAM and flash go. */
function bytesText(report: Report): string {
  const budget = report.budgetBytes === null ? "unbounded" : `${grouped(report.budgetBytes)} bytes`;
  return table(
    ["SRAM", "bytes", ""],
    [
      ["plan", grouped(report.planBytes), "header and records"],
      ["weights", grouped(report.residentWeightBytes), "resident, with requantisation constants"],
      ["arena", grouped(report.arenaBytes), "activations"],
      ["scratch", grouped(report.scratchBytes), "beyond the arena's holes"],
      ["tiles", grouped(report.weightTileBytes), "streamed weights, beyond the arena's holes"],
      ["slack", grouped(report.slackBytes), "read past the end, never used"],
      ["in all", grouped(report.ramBytes), `budget ${budget}, ${grouped(report.linearMemoryBytes)} in pages`],
      ["", "", ""],
      ["flash", grouped(report.flashBytes), `${grouped(report.streamedBytes)} copied per inference`],
      [
        "MACs",
        grouped(report.macs),
        `per inference, ${grouped(report.extraMacs)} of them done twice to save SRAM`,
      ],
    ],
  );
}

/** Operators of a stream that are named where it is mentioned. */
const MOST_NAMED = 4;

/** The moment when activations need most, and which they are. */
function peakText({ steps, peakStep, map }: Report): string {
  const step = steps[peakStep];
  if (step === undefined) return "no steps";
  const alive = map.filter(
    (entry) =>
      (entry.kind === "activation" || entry.kind === "ring") &&
      entry.firstStep <= peakStep &&
      peakStep <= entry.lastStep,
  );
  const shared = alive.reduce((sum, { bytes }) => sum + bytes, -step.liveBytes);
  const line = (bytes: string, what: string): string => `  ${bytes.padStart(11)}  ${what}`;
  const names = step.operators.map(({ op }) => op).join(", ");
  const what = step.operators.length > MOST_NAMED ? counted(step.operators.length, "operator") : names;
  const operator = step.op === "stream" ? `stream of ${what}` : step.op;
  return [
    `peak: ${grouped(step.liveBytes)} bytes of activations in step ${peakStep} (${operator}), where these are alive:`,
    ...alive.map(({ kind, bytes, name }) =>
      line(grouped(bytes), `${kind === "ring" ? "ring of " : ""}${shortened(name, 70)}`),
    ),
    ...(shared > 0 ? [line(`-${grouped(shared)}`, "that outputs share with what they are made of")] : []),
  ].join("\n");
}

/** What each stream is made of: its operators, how many rows they make at a time, and which rows are kept. */
function streamTexts({ steps }: Report): string[] {
  return steps.flatMap(({ op, operators, strips }, index) => {
    if (op !== "stream") return [];
    const rows = operators.map((each) => [
      each.op,
      each.shape.join("×"),
      each.rowsPerPull ?? "",
      each.ringRows === undefined ? "whole" : counted(each.ringRows, "row"),
      each.ringBytes === undefined ? "" : grouped(each.ringBytes),
      shortened(each.name, 36),
    ]);
    const columns = strips === undefined ? "" : `, in ${strips} strips of columns`;
    return [
      `stream of step ${index}${columns}:`,
      table(["operator", "output", "at a time", "kept", "bytes", "name"], rows),
      "",
    ];
  });
}

function stepTable(report: Report): string {
  const rows = report.steps.map((step, index) => [
    index,
    step.op === "stream" ? `stream of ${step.operators.length}` : step.op,
    step.outputs.map(({ shape }) => shape.join("×")).join(" "),
    grouped(step.macs),
    grouped(step.weightBytes),
    step.weights === "streamed" ? counted(step.tiles, "tile") : step.weights,
    grouped(step.liveBytes),
    grouped(step.scratchBytes),
    shortened(step.name, 36),
  ]);
  return table(["step", "operator", "output", "MACs", "weights", "kept", "live", "scratch", "name"], rows);
}
