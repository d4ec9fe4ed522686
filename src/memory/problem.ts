/** What the planner is given: no graph, no operators, only bytes and times. */

/** A range of arena bytes that must keep its content from the step that writes it to the last that reads it. */
export interface Storage {
  /** Index in `PlanProblem.storages`. */
  readonly id: number;
  /** The value it holds; others may be made in its place. */
  readonly value?: number;
  /** A hint: at the top (true) or at the bottom of the arena; undefined: no preference. */
  readonly fromTop?: boolean;
  /** Holds only the rows in use. */
  readonly isRing?: boolean;
  /** For messages and maps. */
  readonly name: string;
  readonly bytes: number;
  /** Step that writes it; -1 for a graph input, written before the first step. */
  readonly firstStep: number;
  /** Last step that reads it; the number of steps for a graph output, read after the last. */
  readonly lastStep: number;
}

/** `output` (born in this step) may overlap `input` (dying in it) if it begins `distance` bytes or more below it. */
export interface Overlap {
  readonly input: number;
  readonly output: number;
  readonly distance: number;
}

/** Weights of one step: `blocks` × `blockBytes`; a streamed tile holds a whole number of blocks. */
export interface WeightDemand {
  readonly blocks: number;
  readonly blockBytes: number;
}

export interface Step {
  readonly name: string;
  readonly scratchBytes: number;
  readonly weights?: WeightDemand;
  readonly overlaps: readonly Overlap[];
  /** Of the step; weights that are streamed have one more. */
  readonly recordBytes: number;
}

export interface PlanProblem {
  readonly storages: readonly Storage[];
  readonly steps: readonly Step[];
  /** Bytes of linear memory to stay within; Infinity keeps everything resident. */
  readonly budget: number;
  /** Stream weights though they would fit: the fewest bytes count, not the fewest streamed. */
  readonly leanest?: boolean;
  /** Header, end record and records that belong to no step. */
  readonly fixedPlanBytes: number;
}

/** Where the weights of a step lie. Addresses are absolute. */
export type WeightPlacement =
  | { readonly kind: "none" }
  | { readonly kind: "resident"; readonly address: number }
  /** In so many tiles of whole blocks, the last perhaps of fewer. */
  | {
      readonly kind: "streamed";
      readonly address: number;
      readonly tiles: number;
      readonly blocksPerTile: number;
    };

/**
 * A proved arrangement: header and records at 0, resident weights, then the arena with activations, scratch and weight
 * tiles. The byte figures are disjoint and sum to `ramBytes`: `arenaBytes` is the extent of the activations;
 * `scratchBytes` and `weightTileBytes` only what they add beyond it (both use holes first).
 */
export interface Layout {
  /** Absolute address of each storage. */
  readonly storageAddress: readonly number[];
  /** Absolute address of each step's scratch, 0 if none. */
  readonly scratchAddress: readonly number[];
  readonly weights: readonly WeightPlacement[];
  readonly planBytes: number;
  readonly residentWeightBytes: number;
  readonly arenaAddress: number;
  readonly arenaBytes: number;
  readonly scratchBytes: number;
  readonly weightTileBytes: number;
  readonly slackBytes: number;
  readonly ramBytes: number;
}
