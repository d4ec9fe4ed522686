import { bind } from "#internal/graph/graph";
import { opOf } from "#internal/ops/index";
import { importModel } from "#internal/tflite/import";
import type { Model, TensorArray } from "thimble";
import { load } from "thimble";
import type { Variant } from "thimble";
import type { NamedModel } from "../models-at.ts";
import { noise } from "../noise.ts";
import { mendQuantizedDimensions } from "./mend.ts";
import type { Peer, PeerModel, Values } from "./peer.ts";

/** One engine on one model; times in microseconds. */
export interface PeerRow {
  readonly model: string;
  readonly engine: string;
  readonly min: number;
  readonly median: number;
  /** That the model's file asks for. */
  readonly macs: number;
  /** That it computes: thimble leaves out channels that it knows, and taps that meet nothing but padding. */
  readonly computed?: number;
  /** The largest difference of an output from thimble's, in steps of its scale. */
  readonly difference: number;
  /** Why there is no time. */
  readonly refused?: string;
}

/** Rounds over all engines, and milliseconds that each has in one; before them each runs so long. */
const ROUNDS = 8;
const ROUND_TIME = 80;
const WARM_UP = 600;

/** A step of the clock: 0 in Node, some microseconds in a page. A sample takes fifty of them or more. */
const CLOCK_STEP = clockStep();

interface Engine {
  readonly name: string;
  readonly model: PeerModel;
  readonly computed?: number;
  readonly difference: number;
  least: number;
  readonly medians: number[];
}

/**
 * Times a model on thimble, as it is by default, and on every peer, as their users have them: copy the input in, run, have the output. Peers copy
 * that out of their memory, as their bindings ask for; what thimble's `run` gives is a view of its own.
 */
export async function measureModel(
  { name, bytes }: Pick<NamedModel, "name" | "bytes">,
  variant: Variant,
  peers: readonly Peer[],
): Promise<PeerRow[]> {
  const ours = await load(bytes, { name, variant });
  const [input] = noise(ours) as Values[];
  const [inputPort] = ours.inputs;
  const [outputPort] = ours.outputs;
  if (input === undefined || inputPort === undefined || outputPort === undefined)
    throw new Error(`${name}: no ports`);
  const expected = valuesOf(ours.run(input));
  const mended = mendQuantizedDimensions(bytes);
  const graph = importModel(bytes, name);
  const macs = graph.nodes.reduce((sum, node) => sum + opOf(node).macs(bind(graph, node)), 0);
  const engines: Engine[] = [engineOf(`thimble (${variant})`, wrapped(ours), 0, ours.report.macs)];
  const rows: PeerRow[] = [];
  for (const peer of peers) {
    try {
      const model = await peer.load({ bytes: mended, graph, input: inputPort, output: outputPort });
      const made = await model.run(input);
      engines.push(engineOf(peer.name, model, largestDifference(expected, made, outputPort.scale)));
    } catch (error) {
      const refused = error instanceof Error ? error.message : String(error);
      rows.push({ model: name, engine: peer.name, min: NaN, median: NaN, macs, difference: NaN, refused });
    }
  }
  for (const engine of engines) await sample(engine, input, WARM_UP);
  for (const engine of engines) {
    engine.least = Infinity;
    engine.medians.length = 0;
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of engines) await sample(engine, input, ROUND_TIME);
  }
  const timed = engines.map((engine): PeerRow => {
    const medians = engine.medians.sort((a, b) => a - b);
    return {
      model: name,
      engine: engine.name,
      min: engine.least,
      median: medians[medians.length >> 1] ?? NaN,
      macs,
      ...(engine.computed !== undefined && { computed: engine.computed }),
      difference: engine.difference,
    };
  });
  ours[Symbol.dispose]();
  return [...timed, ...rows];
}

function engineOf(name: string, model: PeerModel, difference: number, computed?: number): Engine {
  const engine = { name, model, difference, least: Infinity, medians: [] };
  return computed === undefined ? engine : { ...engine, computed };
}

function wrapped(model: Model): PeerModel {
  return { run: (input) => model.run(input) as Values };
}

/** A copy of what rivals have a counterpart of. */
function valuesOf(array: TensorArray): Values {
  if (array instanceof Int8Array || array instanceof Float32Array) return array.slice();
  throw new Error(`outputs of ${array.constructor.name} are not compared`);
}

/** Runs an engine for so many milliseconds; keeps the least and the median of its samples, in microseconds. */
async function sample(engine: Engine, input: Values, time: number): Promise<void> {
  const { model } = engine;
  const samples: number[] = [];
  let calls = 1;
  for (const end = performance.now() + time; performance.now() < end;) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) {
      const made = model.run(input);
      if (made instanceof Promise) await made;
    }
    const taken = performance.now() - start;
    if (taken < Math.max(50 * CLOCK_STEP, 0.05)) {
      calls *= 2;
      samples.length = 0;
      continue;
    }
    samples.push((taken / calls) * 1e3);
  }
  samples.sort((a, b) => a - b);
  engine.least = Math.min(engine.least, samples[0] ?? Infinity);
  engine.medians.push(samples[samples.length >> 1] ?? NaN);
}

function clockStep(): number {
  let least = Infinity;
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    least = Math.min(least, now - start);
  }
  // Where it moves with every reading, it has no step to speak of.
  return least < 0.002 ? 0 : least;
}

function largestDifference(expected: Values, made: Values, scale: number): number {
  if (made.length !== expected.length) return Infinity;
  const step = expected instanceof Float32Array ? scale : 1;
  let most = 0;
  for (const [i, value] of expected.entries())
    most = Math.max(most, Math.abs(value - (made[i] ?? NaN)) / step);
  return most;
}
