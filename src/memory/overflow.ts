import { MemoryError } from "../errors.ts";
import { freeAmong, liveStorages, rangesOf } from "./occupancy.ts";
import type { Layout } from "./problem.ts";
import { tileRange, type Arena, type Choice } from "./residency.ts";

/** Says what the smallest layout needs and what it has, and who is alive in the step that needs the most. */
export function overflowError(arena: Arena, choices: readonly Choice[], layout: Layout): MemoryError {
  const { step, alive } = peak(arena, choices);
  const names = alive.slice(0, MAX_NAMES).map(({ name, bytes }) => `${name} (${bytes})`);
  if (alive.length > MAX_NAMES) names.push(`${alive.length - MAX_NAMES} more`);
  return new MemoryError(
    "arena-overflow",
    `the model needs ${layout.ramBytes} bytes of SRAM, the budget is ${arena.problem.budget}; ` +
      `raise \`sram\` to ${layout.ramBytes} or more, or use a smaller model. ` +
      `Of these bytes: plan ${layout.planBytes}, resident weights ${layout.residentWeightBytes}, ` +
      `activations ${layout.arenaBytes}, scratch ${layout.scratchBytes}, ` +
      `tiles of weights ${layout.weightTileBytes}, slack ${layout.slackBytes}; ` +
      `the peak is step ${quote(step)}, where these are alive, some in bytes of others: ${names.join(", ")}`,
    { neededBytes: layout.ramBytes },
  );
}

const MAX_NAMES = 8;
const MAX_NAME_LENGTH = 60;

interface Living {
  readonly name: string;
  readonly bytes: number;
}

/** The step in which the most bytes are alive, and what is, the largest first. */
function peak(arena: Arena, choices: readonly Choice[]): { step: string; alive: readonly Living[] } {
  const streamed = new Map(
    choices.filter(({ tiles }) => tiles > 0).map((choice) => [choice.demand.step, choice]),
  );
  let most = { step: "", alive: [] as readonly Living[], bytes: -1 };
  let index = 0;
  for (const [step, live] of liveStorages(arena.problem)) {
    const choice = streamed.get(index++);
    const tile = choice === undefined ? undefined : tileRange(choice);
    const own = [
      { name: "its scratch", bytes: step.scratchBytes },
      { name: "a tile of its weights", bytes: tile === undefined ? 0 : tile.end - tile.begin },
    ];
    const { holes, top } = freeAmong(rangesOf(live, arena.storageBegins));
    const activationBytes = holes.reduce((bytes, hole) => bytes - (hole.end - hole.begin), top);
    const bytes = own.reduce((sum, part) => sum + part.bytes, activationBytes);
    if (bytes > most.bytes) {
      const alive = [...live.map(({ name, bytes }) => ({ name: quote(name), bytes })), ...own]
        .filter((part) => part.bytes > 0)
        .sort((a, b) => b.bytes - a.bytes);
      most = { step: step.name, alive, bytes };
    }
  }
  return most;
}

/** A name from a file may be of any length, and hold anything. */
function quote(name: string): string {
  return JSON.stringify(name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name);
}
