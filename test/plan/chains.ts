import fc from "fast-check";
import { rowOverlapDistance } from "../../src/ops/window.ts";
import { Requantization } from "../../src/plan/format.ts";
import {
  align,
  blockChannels,
  blockHeadBytes,
  convBlockBytes,
  convScratchBytes,
  convSegments,
  depthwiseBlockBytes,
  depthwiseRowsTogether,
  depthwiseScratchBytes,
  isPointwise,
  requantizationWord,
  SINGLE_COLUMNS,
  SINGLE_VECTOR,
  WINOGRAD_ROWS,
  winogradScratchBytes,
  winogradWeightBytes,
} from "../../src/plan/packing.ts";
import type { PlanRecord, RecordOf, ViewWords } from "../../src/plan/record.ts";
import type { Variant } from "../../src/plan/variant.ts";
import { VARIANTS } from "../../src/plan/variant.ts";
import type { PlanToVerify } from "../../src/plan/verify.ts";
import { ARENA, CONSTANT_BYTES, CONSTANTS, writePlan } from "./write-plan.ts";

/** Something that has bytes in the arena from one record to another: a tensor, a tile of weights, scratch. */
export interface Item {
  readonly id: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
  /** The item that it may overlap, because its record reads that for the last time, and by how much it must lie lower. */
  readonly above?: { readonly id: number; readonly distance: number };
}

/** A random graph as records without addresses. */
export interface Chain {
  readonly variant: Variant;
  readonly items: readonly Item[];
  readonly records: readonly {
    readonly ids: readonly number[];
    readonly place: (addressOf: (id: number) => number) => PlanRecord;
  }[];
  readonly initial: readonly number[];
  readonly final: readonly number[];
}

/** Draws of numbers below a bound, one after another. */
export type Pick = (bound: number) => number;

export const picks: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(2 ** 20), {
  minLength: 40,
  maxLength: 200,
  size: "max",
});

export function pickFrom(numbers: readonly number[]): Pick {
  let next = 0;
  return (bound) => (numbers[next++ % numbers.length] ?? 0) % bound;
}

interface Tensor {
  readonly id: number;
  readonly batches: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly float: boolean;
}

type Shape = Omit<Tensor, "id">;

const bytesOf = (tensor: Shape): number =>
  tensor.batches * tensor.height * tensor.width * tensor.channels * (tensor.float ? 4 : 1);

/** Scratch has ids of its own, so that it can be placed and moved like a tensor. */
const SCRATCH_IDS = 1000;

interface Draft {
  bytes: number;
  first: number;
  last: number;
  above?: { id: number; distance: number };
}

/** A chain of two to nine steps over all operators. */
export function drawChain(pick: Pick): Chain {
  const variant = VARIANTS[pick(VARIANTS.length)] ?? "simd";
  const drafts = new Map<number, Draft>();
  const records: Chain["records"][number][] = [];
  let nextId = 0;
  let constant = 0;

  const create = (shape: Shape): Tensor => {
    const id = nextId++;
    drafts.set(id, { bytes: bytesOf(shape), first: records.length, last: records.length });
    return { ...shape, id };
  };
  const use = (id: number): void => {
    const draft = drafts.get(id);
    if (draft) draft.last = records.length;
  };
  const constantAt = (bytes: number): number => {
    if (constant + bytes > CONSTANT_BYTES) constant = 0;
    const address = CONSTANTS + constant;
    constant += align(bytes, 16);
    return address;
  };
  const push = (ids: readonly number[], place: Chain["records"][number]["place"]): void => {
    ids.forEach(use);
    records.push({ ids, place });
  };
  const mayOverlap = (output: Tensor, input: Tensor, distance: number | undefined): void => {
    const draft = drafts.get(output.id);
    if (draft && distance !== undefined) draft.above = { id: input.id, distance };
  };

  /** Records of a convolution: one with resident weights, or one per tile of blocks, fetched before it. */
  const convolve = (
    input: Tensor,
    output: Tensor,
    blockBytes: number,
    scratchBytes: number,
    record: (
      c0: number,
      c1: number,
      weights: number,
      scratch: number,
      addressOf: (id: number) => number,
    ) => PlanRecord,
  ): void => {
    const perBlock = blockChannels(variant);
    const blocks = Math.ceil(output.channels / perBlock);
    const scratch = SCRATCH_IDS + records.length;
    if (pick(3) > 0 && blocks * blockBytes <= CONSTANT_BYTES) {
      const weights = constantAt(blocks * blockBytes);
      drafts.set(scratch, { bytes: scratchBytes, first: records.length, last: records.length });
      push([input.id, output.id, -1], (at) => record(0, output.channels, weights, at(scratch), at));
      return;
    }
    const perTile = 1 + pick(blocks);
    const source = pick(64);
    if (pick(2) === 0) {
      const tile = nextId++;
      const tileBytes = perTile * blockBytes;
      const bytes = blocks * blockBytes;
      const tileChannels = perTile * perBlock;
      drafts.set(tile, { bytes: tileBytes, first: records.length, last: records.length + 1 });
      drafts.set(scratch + 1, { bytes: scratchBytes, first: records.length, last: records.length + 1 });
      push([tile], (at) => ({
        op: "tiles",
        destination: at(tile),
        source,
        bytes,
        tileBytes,
        tileChannels,
        channels: output.channels,
      }));
      push([input.id, output.id, tile], (at) => record(0, output.channels, at(tile), at(scratch + 1), at));
      return;
    }
    for (let block = 0; block < blocks; block += perTile) {
      const count = Math.min(perTile, blocks - block);
      const tile = nextId++;
      const bytes = count * blockBytes;
      drafts.set(tile, { bytes, first: records.length, last: records.length });
      push([tile], (at) => ({ op: "fetch", destination: at(tile), source, bytes }));
      const own = SCRATCH_IDS + records.length;
      drafts.set(own, { bytes: scratchBytes, first: records.length, last: records.length });
      const c0 = block * perBlock;
      const c1 = Math.min((block + count) * perBlock, output.channels);
      push([input.id, output.id, tile], (at) => record(c0, c1, at(tile), at(own), at));
    }
  };

  let current = create({
    batches: pick(4) === 0 ? 2 : 1,
    height: 1 + pick(9),
    width: 1 + pick(9),
    channels: 1 + pick(20),
    float: pick(6) === 0,
  });
  const initial = [current.id];
  const made: Tensor[] = [current];
  const steps = 2 + pick(8);
  for (let step = 0; step < steps; step++) {
    const input = current;
    const { batches, height, width, channels } = input;
    const kind = input.float ? 8 : pick(13);
    if (kind <= 4) {
      // A window: its output is as large as one that begins within the input.
      const pointwise = kind === 0;
      const winograd = kind === 1 && variant === "simd" && pick(2) === 0;
      const size = (): number => (pointwise ? 1 : winograd ? 3 : 1 + pick(4));
      const kernelHeight = size();
      const kernelWidth = size();
      const pool = kind === 4;
      const dilationY = pool || winograd ? 1 : 1 + pick(2);
      const dilationX = pool || winograd ? 1 : 1 + pick(2);
      const strideY = winograd ? 1 : 1 + pick(3);
      const strideX = winograd ? 1 : 1 + pick(3);
      const padTop = pick(kernelHeight);
      const padLeft = pick(kernelWidth);
      const window = { kernelHeight, kernelWidth, strideY, strideX, padTop, padLeft };
      const multiplier = kind === 2 || kind === 3 ? 1 + (pick(3) === 0 ? pick(3) : 0) : 1;
      const output = create({
        batches,
        height: Math.floor((height - 1 + padTop) / strideY) + 1,
        width: Math.floor((width - 1 + padLeft) / strideX) + 1,
        channels: kind <= 1 ? 1 + pick(24) : channels * multiplier,
        float: false,
      });
      const common = (at: (id: number) => number, c0: number, c1: number): SpatialFields => ({
        ...window,
        inputView: denseView(at(input.id), input),
        outputView: denseView(at(output.id), output),
        y0: 0,
        y1: output.height,
        c0,
        c1,
        batches,
        inputBatchBytes: bytesOf(input) / batches,
        outputBatchBytes: bytesOf(output) / batches,
        activationMin: -128,
        activationMax: 127,
      });
      const isOnePixel = kind <= 1 && !winograd && output.height * output.width === 1;
      const patch = convSegments(variant, kernelHeight, kernelWidth, channels, dilationX);
      const isVector = isOnePixel && patch.segments === 1;
      const isSliding = kind <= 1 && kernelHeight >= strideY && dilationY * dilationX === 1;
      const inMcu = [
        Requantization.scalar,
        Requantization.single,
        ...(isVector ? [Requantization.singleVector] : []),
        ...(isSliding ? [Requantization.singleColumns] : []),
      ];
      const uniform =
        variant === "simd"
          ? [Requantization.uniformRelu, Requantization.uniformGeneral]
          : [Requantization.uniformReluFused, Requantization.uniformGeneralFused];
      const short =
        variant === "simd"
          ? [Requantization.reluSingle]
          : [Requantization.reluFusedSingle, Requantization.generalFusedSingle];
      const methods = [0, 1, 2, 3, ...short, ...(isOnePixel ? uniform : [])];
      const method =
        variant === "mcu" ? (inMcu[pick(inMcu.length)] ?? NaN) : (methods[pick(methods.length)] ?? NaN);
      const arithmetic = {
        requantization: requantizationWord(method, 1),
        requantizationMultiplier: 2 ** 30,
        inputZeroPoint: -128,
        activationMin: pick(2) === 0 ? -128 : 3,
        outputZeroPoint: 3,
      };
      const shapes = [
        [batches, height, width, channels],
        [batches, output.height, output.width, output.channels],
      ].map((shape) => ({ shape, type: "int8" as const }));
      const [from, to] = shapes as [(typeof shapes)[number], (typeof shapes)[number]];
      if (winograd) {
        const records0 = records.length;
        const blockBytes = blockHeadBytes(variant, method) + winogradWeightBytes(channels);
        const scratchBytes = winogradScratchBytes(variant, channels, output.width);
        convolve(input, output, blockBytes, scratchBytes, (c0, c1, weights, scratch, at) => ({
          op: "conv2dWinograd",
          ...common(at, c0, c1),
          ...arithmetic,
          dilationY,
          dilationX,
          weights,
          scratch,
        }));
        if (records.length === records0 + 1) {
          mayOverlap(output, input, rowOverlapDistance(window, from, to, WINOGRAD_ROWS));
        }
      } else if (kind <= 1) {
        const scratchBytes = convScratchBytes(variant, {
          kernelHeight,
          kernelWidth,
          channels,
          strideX,
          dilationX,
          outputHeight: output.height,
          outputWidth: output.width,
          pointwise: isPointwise(window, input, output),
          dense: strideX === 1,
          isColumns: method === SINGLE_COLUMNS,
          isVector: method === SINGLE_VECTOR,
        });
        const blockBytes = convBlockBytes(variant, method, patch);
        convolve(input, output, blockBytes, scratchBytes, (c0, c1, weights, scratch, at) => {
          return {
            op: "conv2d",
            ...common(at, c0, c1),
            ...arithmetic,
            dilationY,
            dilationX,
            weights,
            scratch,
          };
        });
      } else if (kind <= 3) {
        const kernel = { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX };
        const records0 = records.length;
        const blockBytes = depthwiseBlockBytes(variant, method, kernel);
        const geometry = {
          ...kernel,
          channels: output.channels,
          outputWidth: output.width,
          padLeft,
          depthMultiplier: multiplier,
          isRelu: arithmetic.activationMin >= arithmetic.outputZeroPoint,
        };
        const scratchBytes = depthwiseScratchBytes(variant, geometry);
        convolve(input, output, blockBytes, scratchBytes, (c0, c1, weights, scratch, at) => ({
          op: "depthwiseConv2d",
          ...common(at, c0, c1),
          ...arithmetic,
          dilationY,
          dilationX,
          weights,
          scratch,
          depthMultiplier: multiplier,
          plane: 0,
        }));
        if (records.length === records0 + 1) {
          const rows = depthwiseRowsTogether(variant, geometry);
          mayOverlap(output, input, rowOverlapDistance(window, from, to, rows));
        }
      } else {
        const op = pick(2) === 0 ? "averagePool2d" : "maxPool2d";
        const ids = op === "maxPool2d" ? [input.id, output.id] : [input.id, output.id, -1];
        push(ids, (at) =>
          op === "maxPool2d"
            ? { op, ...common(at, 0, channels) }
            : { op, ...common(at, 0, channels), accumulators: 0 },
        );
        mayOverlap(output, input, rowOverlapDistance(window, from, to));
      }
      current = output;
    } else if (kind <= 6) {
      // A sum or product with a constant per channel, or with any tensor of this size.
      const length = bytesOf(input);
      const partners = made.filter((tensor) => !tensor.float && bytesOf(tensor) === length);
      const partner = pick(2) === 0 ? partners[pick(partners.length)] : undefined;
      const output = create(input);
      const rhs = partner === undefined ? constantAt(channels) : undefined;
      const loops =
        partner === undefined
          ? { length: channels, n3: length / channels, lhsStride3: channels, rhsStride3: 0 }
          : { length, n3: 1, lhsStride3: 0, rhsStride3: 0 };
      const fields = { ...ELEMENTWISE, ...loops };
      const op = pick(2) === 0 ? "add" : "mul";
      push([input.id, partner?.id ?? -1, output.id], (at) => {
        const place = { lhs: at(input.id), rhs: rhs ?? at(partner?.id ?? 0), output: at(output.id) };
        return op === "add"
          ? { op, ...fields, ...place, ...ADD_SCALES }
          : { op, ...fields, ...place, ...MUL_SCALES };
      });
      mayOverlap(output, input, 0);
      current = output;
    } else if (kind === 7) {
      const output = create(input);
      push([input.id, output.id], (at) => ({
        op: "requantize",
        input: at(input.id),
        output: at(output.id),
        length: bytesOf(input),
        inputZeroPoint: 0,
        outputZeroPoint: 0,
        multiplier: 2 ** 30,
        shift: 0,
      }));
      mayOverlap(output, input, 0);
      current = output;
    } else if (kind === 8) {
      const op = input.float ? "quantize" : "dequantize";
      const output = create({ ...input, float: !input.float });
      push([input.id, output.id], (at) => ({
        op,
        input: at(input.id),
        output: at(output.id),
        length: batches * height * width * channels,
        scaleBits: 0x3f800000,
        zeroPoint: 0,
      }));
      if (input.float) mayOverlap(output, input, 0);
      current = output;
    } else if (kind === 9) {
      const output = create(input);
      const rows = batches * height * width;
      push([input.id, output.id], (at) => ({
        op: "softmax",
        input: at(input.id),
        output: at(output.id),
        rows,
        depth: channels,
        multiplier: 2 ** 30,
        shift: 20,
        diffMin: -100,
      }));
      mayOverlap(output, input, 0);
      current = output;
    } else if (kind === 10) {
      const output = create({ ...input, height: 1, width: 1 });
      push([input.id, output.id, -1], (at) => ({
        op: "mean",
        y0: 0,
        y1: 1,
        inputRowBytes: 0,
        inputRingRows: 1,
        outputRowBytes: 0,
        outputRingRows: 1,
        rows: 1,
        accumulators: 0,
        input: at(input.id),
        output: at(output.id),
        n0: 1,
        n1: 1,
        n2: batches,
        n3: channels,
        stride0: 0,
        stride1: 0,
        stride2: height * width * channels,
        stride3: 1,
        r0: 1,
        r1: 1,
        r2: 1,
        r3: height * width,
        reducedStride0: 0,
        reducedStride1: 0,
        reducedStride2: 0,
        reducedStride3: channels,
        inputZeroPoint: 0,
        outputZeroPoint: 0,
        multiplier: 2 ** 30,
        shift: -3,
      }));
      current = output;
    } else if (kind === 11) {
      const [top, bottom, left, right] = [pick(2), pick(2), pick(2), pick(2)] as const;
      const output = create({ ...input, height: height + top + bottom, width: width + left + right });
      push([input.id, output.id], (at) => ({
        op: "pad",
        y0: 0,
        y1: 1,
        input: at(input.id),
        output: at(output.id),
        n0: 1,
        n1: batches,
        n2: height,
        n3: width,
        n4: channels,
        before0: 0,
        before1: 0,
        before2: top,
        before3: left,
        before4: 0,
        after0: 0,
        after1: 0,
        after2: bottom,
        after3: right,
        after4: 0,
        value: -1,
        beforeRows: 0,
        rows: 1,
        inputRowBytes: 0,
        inputRingRows: 1,
        outputRowBytes: 0,
        outputRingRows: 1,
      }));
      current = output;
    } else {
      const output = create({ ...input, height: width, width: height });
      push([input.id, output.id], (at) => ({
        op: "copy",
        y0: 0,
        y1: 1,
        input: at(input.id),
        output: at(output.id),
        n0: 1,
        n1: batches,
        n2: width,
        n3: height,
        n4: channels,
        inputStride0: 0,
        inputStride1: height * width * channels,
        inputStride2: channels,
        inputStride3: width * channels,
        inputStride4: 1,
        outputStride0: 0,
        outputStride1: height * width * channels,
        outputStride2: height * channels,
        outputStride3: channels,
        outputStride4: 1,
        inputRowBytes: 0,
        inputRingRows: 1,
        outputRowBytes: 0,
        outputRingRows: 1,
      }));
      current = output;
    }
    made.push(current);
  }
  if (!current.float && variant === "relaxed") {
    push([current.id], (at) => ({ op: "flipSign", address: at(current.id), bytes: bytesOf(current) }));
  }
  const outputs = [...new Set([current.id, ...(pick(3) === 0 ? [made[pick(made.length)]?.id ?? 0] : [])])];
  for (const id of outputs) use(id);

  const items = [...drafts].map(([id, draft]): Item => {
    const { above, ...item } = draft;
    // An overlap needs the input to die in the record that makes the output.
    const dies = above && drafts.get(above.id)?.last === item.first && !outputs.includes(above.id);
    return { id, ...item, ...(dies ? { above } : {}) };
  });
  return { variant, items, records, initial, final: outputs };
}

type SpatialFields = Omit<RecordOf<"maxPool2d">, "op">;

function denseView(address: number, { height, width, channels }: Shape): ViewWords {
  const rowBytes = width * channels;
  return { address, pixelBytes: channels, rowBytes, ringRows: height, height, width, channels };
}

const ELEMENTWISE = {
  y0: 0,
  y1: 1,
  lhsRowBytes: 0,
  lhsRingRows: 1,
  rhsRowBytes: 0,
  rhsRingRows: 1,
  outputRowBytes: 0,
  outputRingRows: 1,
  lhsStep: 1,
  rhsStep: 1,
  n0: 1,
  n1: 1,
  n2: 1,
  lhsStride0: 0,
  lhsStride1: 0,
  lhsStride2: 0,
  rhsStride0: 0,
  rhsStride1: 0,
  rhsStride2: 0,
  lhsZeroPoint: 0,
  rhsZeroPoint: 0,
  outputZeroPoint: 0,
  outputMultiplier: 2 ** 30,
  outputShift: 0,
  activationMin: -128,
  activationMax: 127,
};
const ADD_SCALES = { lhsMultiplier: 2 ** 30, lhsShift: 0, rhsMultiplier: 2 ** 30, rhsShift: 0 };
const MUL_SCALES = { singleScale: 0, singleOffset: 0, singleFine: 0, singleBias: 0 };

/** Whether two items must not share bytes, wherever they lie. */
function contend(a: Item, b: Item): boolean {
  return a.id !== b.id && a.first <= b.last && b.first <= a.last;
}

/** Addresses for a chain's items: in random places that are valid, in place where that is allowed and drawn. */
export function layOut(chain: Chain, pick: Pick): Map<number, number> {
  const begins = new Map<number, number>();
  for (const item of chain.items) {
    const fits = (begin: number): boolean =>
      begin >= ARENA &&
      chain.items.every((other) => {
        const at = begins.get(other.id);
        if (at === undefined || !contend(item, other)) return true;
        const { above } = item;
        if (above?.id === other.id && begin <= at - align(above.distance, 4)) return true;
        return begin + item.bytes <= at || at + other.bytes <= begin;
      });
    const above = item.above && begins.get(item.above.id);
    const candidates =
      item.above !== undefined && above !== undefined
        ? [Math.floor((above - item.above.distance - 16 * pick(2)) / 16) * 16]
        : [];
    for (let attempt = 0; attempt < 8; attempt++) candidates.push(ARENA + 16 * pick(16 << attempt));
    const end = Math.max(ARENA, ...chain.items.map(({ id, bytes }) => (begins.get(id) ?? ARENA) + bytes));
    begins.set(item.id, candidates.find(fits) ?? align(end, 16));
  }
  return begins;
}

/** The bytes that a layout takes, of the arena. */
export function extentOf(chain: Chain, begins: ReadonlyMap<number, number>): number {
  return align(
    Math.max(...chain.items.map(({ id, bytes }) => (begins.get(id) ?? ARENA) + bytes)) - ARENA,
    16,
  );
}

/** The chain's plan with its items at `begins`; `records` may differ from those that the layout gives. */
export function planOf(
  chain: Chain,
  begins: ReadonlyMap<number, number>,
  arenaBytes: number,
  change: (record: PlanRecord, index: number) => PlanRecord = (record) => record,
): PlanToVerify {
  const addressOf = (id: number): number => begins.get(id) ?? ARENA;
  const value = (id: number): { id: number; address: number; bytes: number } => ({
    id,
    address: addressOf(id),
    bytes: chain.items.find((item) => item.id === id)?.bytes ?? 0,
  });
  return writePlan({
    variant: chain.variant,
    steps: chain.records.map(({ ids, place }, index) => ({ ids, record: change(place(addressOf), index) })),
    arenaBytes,
    initial: chain.initial.map(value),
    final: chain.final.map(value),
  });
}
