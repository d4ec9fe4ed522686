import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ExecutionError } from "../../src/errors.ts";
import { Header, SLACK_BYTES } from "../../src/plan/format.ts";
import { align } from "../../src/plan/packing.ts";
import { recordBytes } from "../../src/plan/record.ts";
import {
  lstmScratchBytes,
  lstmWeightBytes,
  svdfScratchBytes,
  svdfWeightParts,
} from "../../src/plan/recurrent-packing.ts";
import { VARIANTS } from "../../src/plan/variant.ts";
import type { PlanToVerify, ValueRange } from "../../src/plan/verify.ts";
import { verifyPlan } from "../../src/plan/verify.ts";
import { provedKernels } from "../kernel-harness.ts";
import { findBreak } from "./oracle.ts";
import { ARENA, CONSTANTS, writePlan } from "./write-plan.ts";

function refusal(plan: PlanToVerify): string | undefined {
  try {
    verifyPlan(plan);
    return undefined;
  } catch (error) {
    if (!(error instanceof ExecutionError)) throw error;
    return error.code;
  }
}

interface Draw {
  readonly variant: (typeof VARIANTS)[number];
  readonly batches: number;
  readonly steps: number;
  readonly depth: number;
  readonly cells: number;
  readonly elementBytes: number;
  readonly timeMajor: boolean;
  readonly rank: number;
  readonly units: number;
  readonly memory: number;
  readonly stateBytes: number;
}

const draw: fc.Arbitrary<Draw> = fc.record({
  variant: fc.constantFrom(...VARIANTS),
  batches: fc.constantFrom(1, 2),
  steps: fc.constantFrom(1, 3),
  depth: fc.constantFrom(1, 5, 16),
  cells: fc.constantFrom(1, 7, 9),
  elementBytes: fc.constantFrom(1, 2),
  timeMajor: fc.boolean(),
  rank: fc.constantFrom(1, 2),
  units: fc.constantFrom(1, 3),
  memory: fc.constantFrom(1, 4),
  stateBytes: fc.constantFrom(1, 2),
});

/** Something with bytes in the arena. Scratch has no value. */
interface Item {
  readonly id: number;
  readonly bytes: number;
}

/** An LSTM, and an SVDF over what it makes (as int8 bytes), with all that they need side by side. */
class Network {
  readonly draw: Draw;
  readonly items: readonly Item[];

  constructor(draw: Draw) {
    this.draw = draw;
    const { batches, steps, depth, cells, elementBytes, units, variant } = draw;
    const filters = units * draw.rank;
    const bytes = [
      batches * steps * depth * elementBytes,
      batches * steps * cells * elementBytes,
      batches * units,
      batches * cells * elementBytes,
      batches * cells * 2,
      batches * filters * draw.memory * draw.stateBytes,
      lstmScratchBytes(variant, this.#lstm()),
      svdfScratchBytes(variant, this.#svdf()),
    ];
    this.items = bytes.map((bytes, id) => ({ id, bytes }));
  }

  #lstm(): { elementBytes: number; inputDepth: number; cells: number } {
    const { elementBytes, depth, cells } = this.draw;
    return { elementBytes, inputDepth: depth, cells };
  }

  #svdf(): { inputDepth: number; filters: number; rank: number; memory: number; stateBytes: number } {
    const { steps, cells, elementBytes, rank, units, memory, stateBytes } = this.draw;
    return { inputDepth: steps * cells * elementBytes, filters: units * rank, rank, memory, stateBytes };
  }

  /** One behind the other. */
  layOut(): number[] {
    let at = ARENA;
    return this.items.map(({ bytes }) => {
      at += align(bytes, 16);
      return at - align(bytes, 16);
    });
  }

  plan(begins: readonly number[], extraBytes = 0): PlanToVerify {
    const { batches, steps, depth, cells, elementBytes, timeMajor, variant } = this.draw;
    const [x = 0, y = 0, z = 0, hidden = 0, cell = 0, state = 0, scratch = 0, scratch2 = 0] = begins;
    const weights2 = CONSTANTS + align(lstmWeightBytes(variant, this.#lstm()), 16);
    expect(weights2 + svdfWeightParts(variant, this.#svdf()).end).toBeLessThan(ARENA);
    const strides = (bytes: number): [number, number] =>
      timeMajor ? [bytes, bytes * batches] : [bytes * steps, bytes];
    const [inputBatchBytes, inputStepBytes] = strides(depth * elementBytes);
    const [outputBatchBytes, outputStepBytes] = strides(cells * elementBytes);
    const values = this.items.map(({ id, bytes }): ValueRange => ({
      id,
      bytes,
      address: begins[id] ?? ARENA,
    }));
    return writePlan({
      variant,
      steps: [
        {
          record: {
            ...{ op: "unidirectionalSequenceLstm", input: x, output: y, weights: CONSTANTS, hidden, cell },
            ...{ ...this.#lstm(), batches, steps },
            ...{ inputBatchBytes, inputStepBytes, outputBatchBytes, outputStepBytes },
            ...{ cellLeftShift: 0, cellClip: 32768, updateMultiplier: 2 ** 30, updateShift: -17 },
            ...{ hiddenMultiplier: 2 ** 30, hiddenShift: -22, hiddenZeroPoint: 3, scratch },
          },
          ids: [0, 1, -1, 3, 4],
        },
        {
          record: {
            ...{ op: "svdf", input: y, output: z, weights: weights2, state, batches, ...this.#svdf() },
            ...{ featureMultiplier: 2 ** 30, featureShift: -5, stateZeroPoint: 0 },
            ...{ outputMultiplier: 2 ** 30, outputShift: -5, outputZeroPoint: 3, scratch: scratch2 },
          },
          ids: [1, 2, -1, 5],
        },
      ],
      arenaBytes:
        Math.max(...values.map(({ address, bytes }) => align(address + bytes, 16))) + extraBytes - ARENA,
      initial: values.slice(0, 1),
      final: values.slice(2, 3),
      states: values.slice(3, 6),
    });
  }
}

describe("plans of operators with state", () => {
  test("are accepted as they are laid out", () => {
    fc.assert(
      fc.property(draw, (drawn) => {
        const network = new Network(drawn);
        const plan = network.plan(network.layOut());
        expect(findBreak(plan)).toBeUndefined();
        expect(refusal(plan)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  test("are accepted where an output covers what has been read, and one byte further up are not", () => {
    let narrow = 0;
    fc.assert(
      fc.property(draw, (drawn) => {
        const { batches, steps, depth, cells, elementBytes, timeMajor } = drawn;
        if (timeMajor && batches > 1 && steps > 1) return;
        const network = new Network(drawn);
        const [x = 0, , ...others] = network.layOut();
        const room = align(batches * steps * cells * elementBytes, 16);
        const begins = [x + room, x + room, ...others.map((begin) => begin + room)];
        const distance = Math.max(0, (batches * steps - 1) * (cells - depth) * elementBytes);
        const at = (output: number): PlanToVerify => network.plan(begins.with(1, output), room);
        const best = at(x + room - distance);
        expect(findBreak(best)).toBeUndefined();
        expect(refusal(best)).toBeUndefined();
        if (distance === 0) return;
        narrow++;
        const above = at(x + room - distance + elementBytes);
        expect(findBreak(above)).toBeDefined();
        expect(refusal(above)).toBeDefined();
      }),
      { numRuns: 200 },
    );
    expect(narrow).toBeGreaterThan(20);
  });

  test("are refused wherever an item is moved onto what is still needed", () => {
    let broken = 0;
    fc.assert(
      fc.property(draw, fc.nat(7), fc.integer({ min: -40, max: 40 }), (drawn, moved, distance) => {
        const network = new Network(drawn);
        const begins = network.layOut();
        const to = (begins[moved] ?? 0) + 16 * distance;
        const plan = network.plan(begins.with(moved, to), 1024);
        const found = findBreak(plan);
        if (found === undefined) return;
        broken++;
        expect(refusal(plan), found).toBeDefined();
      }),
      { numRuns: 600 },
    );
    expect(broken).toBeGreaterThan(200);
  });

  const word = fc.oneof(fc.integer({ min: -4, max: 64 }), fc.integer(), fc.constantFrom(0x7fffffff, 0x10000));

  test("with words changed are refused, or do no harm in the oracle and in the kernels", () => {
    const kernels = new Map(provedKernels().map((instance) => [instance.variant, instance]));
    let accepted = 0;
    fc.assert(
      fc.property(draw, fc.nat(200), word, fc.boolean(), (drawn, at, value, add) => {
        const network = new Network(drawn);
        const plan = network.plan(network.layOut());
        const sram = plan.sram.slice();
        const words = new Int32Array(sram.buffer);
        const records = (recordBytes("unidirectionalSequenceLstm") + recordBytes("svdf")) / 4;
        const index = Header.words + (at % records);
        words[index] = add ? (words[index] ?? 0) + value : value;
        const changed = { ...plan, sram };
        if (refusal(changed) !== undefined) return;
        accepted++;
        expect(findBreak(changed)).toBeUndefined();
        const instance = kernels.get(plan.variant);
        if (instance === undefined) return;
        const limit = (words[Header.ramBytes] ?? 0) - SLACK_BYTES;
        instance.bytes.fill(0x5a, 0, limit + 4096);
        instance.bytes.set(sram);
        expect(instance.exports.run(4 * Header.words)).toBe(0);
        expect(Buffer.compare(instance.bytes.subarray(0, sram.length), sram)).toBe(0);
        const behind = instance.bytes.subarray(limit, limit + 4096);
        expect(behind.every((byte) => byte === 0x5a)).toBe(true);
      }),
      { numRuns: 800 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  const small: Draw = {
    ...{ variant: "simd", batches: 2, steps: 3, depth: 5, cells: 7, elementBytes: 1, timeMajor: false },
    ...{ rank: 1, units: 3, memory: 4, stateBytes: 1 },
  };

  test("need their states before the first record and after the last", () => {
    const network = new Network(small);
    const begins = network.layOut();
    const plan = network.plan(begins);
    expect(refusal({ ...plan, states: plan.states.slice(1) })).toBe("plan-overlap");
    expect(refusal({ ...plan, states: [] })).toBe("plan-overlap");
    // A state that no record reads, where the first operator works: it would not be there in the next run.
    const unread = { id: 9, address: begins[6] ?? 0, bytes: 16 };
    expect(refusal({ ...plan, states: [...plan.states, unread] })).toBe("plan-overlap");
    const outside = { id: 9, address: ARENA - 16, bytes: 16 };
    expect(refusal({ ...plan, states: [...plan.states, outside] })).toBe("plan-bounds");
    // An input that the host writes over a state before every run, though no record reads it.
    const written = { id: 9, address: begins[4] ?? 0, bytes: 1 };
    expect(refusal({ ...plan, initial: [...plan.initial, written] })).toBe("plan-overlap");
  });

  test.each<[string, number]>([
    ["elementBytes", 3],
    ["inputStepBytes", 4],
    ["outputBatchBytes", 20],
    ["hiddenShift", 31],
    ["cellLeftShift", -32],
    ["hiddenZeroPoint", 128],
    ["steps", 0],
  ])("refuse what no kernel can mean: %s %i", (name, value) => {
    const network = new Network(small);
    const plan = network.plan(network.layOut());
    const field = { elementBytes: 11, inputStepBytes: 13, outputBatchBytes: 14, hiddenShift: 21 };
    const others = { cellLeftShift: 16, hiddenZeroPoint: 22, steps: 8 };
    const at = { ...field, ...others }[name] ?? NaN;
    const sram = plan.sram.slice();
    new Int32Array(sram.buffer)[Header.words + at] = value;
    expect(refusal({ ...plan, sram })).toBe("plan-field");
  });
});
