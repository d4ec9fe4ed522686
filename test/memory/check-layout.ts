import type { Layout, PlanProblem } from "../../src/memory/problem.ts";

interface Bytes {
  readonly what: string;
  readonly begin: number;
  readonly end: number;
  /** Id of a storage; -1 for anything else. */
  readonly storage: number;
}

/**
 * What is wrong with a layout, by brute force: every pair of things that are in memory at the same time, in every step,
 * before the first and after the last; and every figure.
 */
export function faultsOf(problem: PlanProblem, layout: Layout): string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, message: string): void => {
    if (!holds) faults.push(message);
  };
  const { storages, steps } = problem;
  const { arenaAddress } = layout;
  const streamed = (index: number) => {
    const placement = layout.weights[index];
    return placement?.kind === "streamed" ? placement : undefined;
  };
  const at = (what: string, begin: number | undefined, bytes: number, storage = -1): Bytes => {
    expect(begin !== undefined && begin >= 0 && begin % 16 === 0, `${what} begins at ${begin ?? "nothing"}`);
    return { what, begin: begin ?? 0, end: (begin ?? 0) + bytes, storage };
  };

  // Weights: each step's are somewhere, once.
  const always: Bytes[] = [at("plan", 0, layout.planBytes)];
  let planBytes = problem.fixedPlanBytes;
  let residentBytes = 0;
  for (const [index, step] of steps.entries()) {
    const { blocks, blockBytes } = step.weights ?? { blocks: 0, blockBytes: 0 };
    const placement = layout.weights[index] ?? { kind: "none" };
    expect((placement.kind === "none") === (blocks === 0), `weights of step ${index} are ${placement.kind}`);
    planBytes += step.recordBytes;
    if (placement.kind === "resident") {
      always.push(at(`weights ${index}`, placement.address, blocks * blockBytes));
      residentBytes += Math.ceil((blocks * blockBytes) / 16) * 16;
    } else if (placement.kind === "streamed") {
      const { tiles, blocksPerTile } = placement;
      planBytes += tiles === 1 ? 20 : 32;
      expect(
        tiles === Math.ceil(blocks / blocksPerTile),
        `step ${index}: ${tiles} tiles of ${blocks} blocks`,
      );
    }
  }

  // Everything in memory in a step, two by two.
  let arenaEnd = arenaAddress;
  let scratchEnd = arenaAddress;
  let tileEnd = arenaAddress;
  for (let index = -1; index <= steps.length; index++) {
    const step = steps[index];
    const present = [...always];
    for (const { id, name, bytes, firstStep, lastStep } of storages) {
      const own = at(name, layout.storageAddress[id], bytes, id);
      if (firstStep <= index && index <= lastStep) present.push(own);
      if (bytes > 0) arenaEnd = Math.max(arenaEnd, own.end);
    }
    if (step !== undefined && step.scratchBytes > 0) {
      const own = at(`scratch ${index}`, layout.scratchAddress[index], step.scratchBytes);
      scratchEnd = Math.max(scratchEnd, own.end);
      present.push(own);
    }
    const tiles = streamed(index);
    if (tiles !== undefined) {
      const own = at(`tile ${index}`, tiles.address, tiles.blocksPerTile * (step?.weights?.blockBytes ?? 0));
      tileEnd = Math.max(tileEnd, own.end);
      present.push(own);
    }
    for (const [position, a] of present.entries()) {
      const inArena = !always.includes(a);
      expect(inArena ? a.begin >= arenaAddress : a.end <= arenaAddress, `${a.what} is on the wrong side`);
      for (const b of present.slice(position + 1)) {
        if (a.begin >= b.end || b.begin >= a.end) continue;
        const allowed = [
          [a, b],
          [b, a],
        ].some(([input, output]) => mayOverlap(problem, index, input, output));
        expect(allowed, `${a.what} and ${b.what} overlap in step ${index}`);
        expect(!allowed || (tiles?.tiles ?? 0) <= 1, `step ${index} overlaps and reads its input twice`);
      }
    }
  }

  // The figures.
  expect(
    layout.planBytes === Math.ceil(planBytes / 16) * 16,
    `planBytes ${layout.planBytes} for ${planBytes}`,
  );
  expect(layout.residentWeightBytes === residentBytes, `residentWeightBytes ${layout.residentWeightBytes}`);
  expect(arenaAddress % 16 === 0 && arenaAddress === layout.planBytes + residentBytes, "arenaAddress");
  expect(layout.arenaBytes === arenaEnd - arenaAddress, `arenaBytes ${layout.arenaBytes}`);
  expect(layout.scratchBytes === Math.max(0, scratchEnd - arenaEnd), `scratchBytes ${layout.scratchBytes}`);
  const below = Math.max(arenaEnd, scratchEnd);
  expect(
    layout.weightTileBytes === Math.max(0, tileEnd - below),
    `weightTileBytes ${layout.weightTileBytes}`,
  );
  expect(layout.slackBytes === 16, `slackBytes ${layout.slackBytes}`);
  expect(
    layout.ramBytes ===
      layout.planBytes +
        layout.residentWeightBytes +
        layout.arenaBytes +
        layout.scratchBytes +
        layout.weightTileBytes +
        layout.slackBytes,
    `ramBytes ${layout.ramBytes} is not the sum`,
  );
  expect(layout.ramBytes <= problem.budget, `ramBytes ${layout.ramBytes} of ${problem.budget}`);
  return faults;
}

/** Declared, the lifetimes meet in this step, and the output begins far enough below. */
function mayOverlap(problem: PlanProblem, step: number, input?: Bytes, output?: Bytes): boolean {
  if (input === undefined || output === undefined) return false;
  const declared = problem.steps[step]?.overlaps.filter((overlap) => {
    return overlap.input === input.storage && overlap.output === output.storage;
  });
  return (
    declared !== undefined &&
    declared.length > 0 &&
    problem.storages[input.storage]?.lastStep === step &&
    problem.storages[output.storage]?.firstStep === step &&
    declared.every((overlap) => output.begin <= input.begin - overlap.distance)
  );
}

/** Bytes that no layout's activations can undercut: of each step, with all that its outputs could share taken away. */
export function leastArenaBytes({ storages, steps }: PlanProblem): number {
  let least = 0;
  for (let index = -1; index <= steps.length; index++) {
    let bytes = 0;
    for (const storage of storages) {
      if (storage.firstStep > index || storage.lastStep < index) continue;
      const inputs = (steps[index]?.overlaps ?? [])
        .filter(({ output, input }) => output === storage.id && storages[input]?.lastStep === index)
        .map((overlap) => overlap.input);
      const shareable = [...new Set(inputs)].reduce((sum, input) => sum + (storages[input]?.bytes ?? 0), 0);
      bytes += storage.firstStep === index ? Math.max(0, storage.bytes - shareable) : storage.bytes;
    }
    least = Math.max(least, bytes);
  }
  return least;
}
