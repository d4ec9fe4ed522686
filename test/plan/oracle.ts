import { Header, SLACK_BYTES } from "../../src/plan/format.ts";
import {
  blockChannels,
  blockHeadBytes,
  convBlockBytes,
  convScratchBytes,
  convSegments,
  depthwiseBlockBytes,
  depthwiseGeometry,
  depthwiseRowsTogether,
  depthwiseScratchBytes,
  isPointwise,
  methodOf,
  SINGLE_COLUMNS,
  SINGLE_VECTOR,
} from "../../src/plan/packing.ts";
import {
  lstmScratchBytes,
  lstmWeightBytes,
  svdfScratchBytes,
  svdfWeightParts,
} from "../../src/plan/recurrent-packing.ts";
import type { PlanRecord, RecordOf, ViewWords } from "../../src/plan/record.ts";
import { decodeRecord, recordBytes } from "../../src/plan/record.ts";
import type { PlanToVerify } from "../../src/plan/verify.ts";
import { operandNames } from "../../src/plan/steps.ts";
import { keptSizes, keptStrides, offsets, reducedSizes, reducedStrides, runWhole } from "./whole-oracle.ts";

/** By CastType. */
const CAST_BYTES = [1, 1, 2, 4, 4, 1];

const NOTHING = -2;
const SCRATCH = -3;
const STATE = -4;
/** Between the ids of a ring's laps. */
const LAP = 1 << 16;

/** A record, and the values behind its operands. */
interface Named {
  readonly record: PlanRecord;
  readonly ids: ReadonlyMap<string, number>;
}

/** Where row `y` of an operand begins, and which lap of its ring it is. */
function ringRow(address: number, rowBytes: number, ringRows: number, y: number): [number, number] {
  return [address + (y % ringRows) * rowBytes, rowBytes === 0 ? 0 : Math.floor(y / ringRows)];
}

class Broken extends Error {}

/** Rows that a stage's rows up to `y1` need of another. */
function needed(y1: number, rate: number, offset: number): number {
  if (rate >> 16 === 0) throw new Broken("divides by 0");
  return Math.trunc(((Math.imul(y1, rate & 0xffff) + offset) | 0) / (rate >> 16));
}

/**
 * Executes a plan byte by byte in the order in which the kernels work, with int32 arithmetic that wraps as theirs does, over
 * a memory that holds value ids. Answers how the plan fails: a read of a byte that holds another value, a byte outside;
 * undefined if it does not. It shares nothing with the checker but the sizes of blocks and scratch.
 */
export function findBreak(plan: PlanToVerify): string | undefined {
  try {
    new Machine(plan).run();
    return undefined;
  } catch (error) {
    if (error instanceof Broken) return error.message;
    throw error;
  }
}

type Spatial =
  | RecordOf<"conv2d">
  | RecordOf<"conv2dWinograd">
  | RecordOf<"depthwiseConv2d">
  | RecordOf<"averagePool2d">
  | RecordOf<"maxPool2d">;

type Mean = RecordOf<"mean"> | RecordOf<"meanInt16">;

/** Operands that are walked element by element. */
interface Unary {
  readonly input: number;
  readonly output: number;
  readonly length: number;
}

class Machine {
  readonly #plan: PlanToVerify;
  readonly #words: Int32Array;
  readonly #memory: Int32Array;
  readonly #arena: number;
  readonly #limit: number;
  #ids: ReadonlyMap<string, number> = new Map();
  #reserved = new Set<number>();

  constructor(plan: PlanToVerify) {
    this.#plan = plan;
    this.#words = new Int32Array(plan.sram.slice().buffer);
    this.#arena = this.#word(Header.arenaAddress);
    this.#memory = new Int32Array(this.#word(Header.ramBytes)).fill(NOTHING);
    this.#limit = this.#memory.length - SLACK_BYTES;
    this.#memory.fill(-1, this.#word(Header.planBytes), plan.sram.length);
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }

  run(): void {
    const { states, initial, final } = this.#plan;
    for (const { id, address, bytes } of [...states, ...initial]) this.#fill(address, bytes, id);
    let operand = 0;
    const records: Named[] = [];
    for (let at = this.#word(Header.entry); ;) {
      const record = decodeRecord(this.#words, at >> 2);
      if (record === undefined) throw new Broken("a record is cut");
      const names = operandNames(record.op);
      const ids = new Map(names.map((name, i) => [name, this.#plan.operands[operand + i] ?? NaN]));
      records.push({ record, ids });
      if (record.op === "end") break;
      operand += names.length;
      at += recordBytes(record.op);
    }
    for (let i = 0; i < records.length; i++) {
      const { record, ids } = records[i] as Named;
      if (record.op === "stream") i = this.#stream(record, records, i + 1) - 1;
      else if (record.op === "tiles") this.#tiles(record, ids, records[++i]);
      else this.#run(record, ids);
    }
    for (const { id, address, bytes } of [...final, ...states]) this.#check(address, bytes, id, "final");
  }

  #run(record: PlanRecord, ids: ReadonlyMap<string, number>): void {
    this.#ids = ids;
    this.#reserved = new Set();
    this.#execute(record);
  }

  /** Runs the stages that follow a stream's record, and returns the index of what follows them. */
  #stream({ stages, state }: RecordOf<"stream">, records: readonly Named[], first: number): number {
    this.#reserved = new Set();
    this.#fill(state, 8 * stages, STATE);
    let next = first;
    const parts = Array.from({ length: stages }, () => {
      const { record: stage } = records[next++] as Named;
      if (stage.op !== "stage") throw new Broken("a stage is missing");
      const inside: Named[] = [];
      for (let bytes = 0; bytes < stage.bytes; bytes += recordBytes(inside.at(-1)?.record.op ?? "end")) {
        inside.push(records[next++] as Named);
      }
      return { stage, inside, done: 0 };
    });
    const pull = (index: number, end: number): void => {
      const part = parts[index];
      if (part === undefined) throw new Broken("no such stage");
      const { stage, inside } = part;
      while (part.done < Math.min(end, stage.rows)) {
        const y0 = part.done;
        const y1 = Math.min(y0 + stage.rowsPerPull, stage.rows);
        if (stage.lhs >= 0) pull(stage.lhs, needed(y1, stage.lhsRate, stage.lhsOffset));
        if (stage.rhs >= 0) pull(stage.rhs, needed(y1, stage.rhsRate, stage.rhsOffset));
        for (const { record, ids } of inside) this.#run("y0" in record ? { ...record, y0, y1 } : record, ids);
        part.done = y1;
      }
    };
    for (let i = stages - 1; i >= 0; i--) pull(i, Infinity);
    this.#check(state, 8 * stages, STATE, "state");
    return next;
  }

  /** Runs an operator once per tile of its weights, with so many more channels each time. */
  #tiles(
    { destination, source, bytes, tileBytes, tileChannels, channels }: RecordOf<"tiles">,
    ids: ReadonlyMap<string, number>,
    operator: Named | undefined,
  ): void {
    if (operator === undefined || !("c0" in operator.record)) throw new Broken("nothing to run in tiles");
    if (tileBytes < 1 || tileChannels < 1) throw new Broken("tiles of nothing");
    if (operator.record.c0 !== 0 || operator.record.c1 !== channels) throw new Broken("other channels");
    let c0 = 0;
    for (let done = 0; done < bytes; done += tileBytes) {
      const fetched = Math.min(tileBytes, bytes - done);
      this.#run({ op: "fetch", destination, source: source + done, bytes: fetched }, ids);
      const c1 = Math.min(c0 + tileChannels, channels);
      this.#run({ ...operator.record, c0, c1 }, operator.ids);
      c0 = c1;
    }
    if (c0 !== channels) throw new Broken(`${c0} of ${channels} channels`);
  }

  #fill(address: number, bytes: number, id: number): void {
    for (let i = 0; i < bytes; i++) this.#put(address + i, id);
  }

  #put(at: number, id: number): void {
    if (!(at >= this.#arena && at < this.#limit)) throw new Broken(`write outside, at ${at}`);
    if (this.#reserved.has(at)) throw new Broken(`write over what is in use, at ${at}`);
    this.#memory[at] = id;
  }

  #check(address: number, bytes: number, id: number, what: string): void {
    for (let at = address; at < address + bytes; at++) {
      if (!(at >= 0 && at < this.#memory.length)) throw new Broken(`${what}: read outside, at ${at}`);
      if (this.#memory[at] !== id) throw new Broken(`${what}: ${at} holds ${this.#memory[at]}, not ${id}`);
    }
  }

  /** A ring's rows of one lap are another value than those of the next. */
  #read(operand: string, address: number, bytes = 1, lap = 0): void {
    this.#check(address, bytes, (this.#ids.get(operand) ?? NaN) + LAP * lap, operand);
  }

  #write(operand: string, address: number, bytes = 1, lap = 0): void {
    this.#fill(address, bytes, (this.#ids.get(operand) ?? NaN) + LAP * lap);
  }

  #execute(record: PlanRecord): void {
    switch (record.op) {
      case "end":
      case "stream":
      case "stage":
      case "tiles":
        return;
      case "input":
        for (let y = record.y0; y < record.y1; y++) {
          const [at, lap] = ringRow(record.output, record.rowBytes, record.ringRows, y);
          this.#write("output", at, record.rowBytes, lap);
        }
        return;
      case "fetch":
        if (record.source + record.bytes > this.#plan.flashBytes) throw new Broken("flash");
        this.#write("output", record.destination, record.bytes);
        return;
      case "flipSign":
        this.#read("input", record.address, record.bytes);
        this.#write("input", record.address, record.bytes);
        return;
      case "conv2d":
        this.#conv2d(record);
        return;
      case "conv2dWinograd":
        this.#winograd(record);
        return;
      case "depthwiseConv2d":
        this.#depthwise(record);
        return;
      case "averagePool2d":
      case "maxPool2d":
        this.#pool(record);
        return;
      case "add":
      case "sub":
      case "squaredDifference":
      case "weightedSum":
      case "mul":
      case "div":
      case "minimum":
      case "maximum":
      case "compare":
      case "prelu":
        this.#elementwise(record);
        return;
      case "softmax":
      case "softmaxToInt16":
      case "l2Normalization":
      case "logSoftmax":
        for (let row = 0; row < record.rows; row++) {
          this.#read("input", record.input + row * record.depth, record.depth);
          for (let i = row * record.depth; i < (row + 1) * record.depth; i++) {
            this.#read("input", record.input + i);
            const bytes = record.op === "softmaxToInt16" ? 2 : 1;
            this.#write("output", record.output + i * bytes, bytes);
          }
        }
        return;
      case "softmaxInt16":
        this.#reserveWeights(record.weights, 2 * 2 * 513);
        for (let row = 0; row < record.rows; row++) {
          const vector = 2 * row * record.depth;
          const [input, output] = [record.input + vector, record.output + vector];
          this.#read("input", input, 2 * record.depth);
          this.#inOrder({ input, output, length: record.depth }, 2, 2);
        }
        return;
      case "requantize":
        this.#inOrder(record, 1, 1);
        return;
      case "scaleInt16":
        this.#inOrder(record, 2, 2);
        return;
      case "sigmoidInt16":
        this.#reserveWeights(record.weights, 512);
        this.#inOrder(record, 2, 2);
        return;
      case "cast":
      case "convert":
        this.#inOrder(record, CAST_BYTES[record.from] ?? NaN, CAST_BYTES[record.to] ?? NaN);
        return;
      case "quantize":
        this.#inOrder(record, 4, 1);
        return;
      case "dequantize":
        this.#inOrder(record, 1, 4);
        return;
      case "mean":
      case "meanInt16":
        this.#mean(record);
        return;
      case "pad":
        this.#pad(record);
        return;
      case "resizeBilinear":
      case "resizeNearest":
        this.#resize(record);
        return;
      case "lookup":
        this.#lookup(record);
        return;
      case "copy":
        this.#copy(record);
        return;
      case "unidirectionalSequenceLstm":
        this.#lstm(record);
        return;
      case "svdf":
        this.#svdf(record);
        return;
      default:
        runWhole(record, {
          read: (operand, address, bytes) => {
            this.#read(operand, address, bytes);
          },
          write: (operand, address, bytes) => {
            this.#write(operand, address, bytes);
          },
          reserveWeights: (address, bytes) => {
            this.#reserveWeights(address, bytes);
          },
        });
        return;
    }
  }

  /** Elements of `from` and `to` bytes. */
  #inOrder({ input, output, length }: Unary, from: number, to: number): void {
    for (let i = 0; i < length; i++) {
      this.#read("input", input + from * i, from);
      this.#write("output", output + to * i, to);
    }
  }

  /** Scratch and weights may not be written while the record runs. */
  #reserve(scratch: number, scratchBytes: number, weights: number, weightBytes: number): void {
    this.#fill(scratch, scratchBytes, SCRATCH);
    this.#reserveWeights(weights, weightBytes);
    for (let i = 0; i < scratchBytes; i++) this.#reserved.add(scratch + i);
  }

  #reserveWeights(weights: number, bytes: number): void {
    this.#read("weights", weights, bytes);
    for (let i = 0; i < bytes; i++) this.#reserved.add(weights + i);
  }

  #pixel(view: ViewWords, batch: number, y: number, x: number): number {
    return view.address + batch + (y % view.ringRows) * view.rowBytes + x * view.pixelBytes;
  }

  /** Reads channels [c0, c1) of the window of one output pixel. */
  #readWindow(record: Spatial, n: number, y: number, x: number, c0: number, c1: number): void {
    const { inputView: view } = record;
    const [dilationY, dilationX] = "dilationY" in record ? [record.dilationY, record.dilationX] : [1, 1];
    const top = (Math.imul(y, record.strideY) - record.padTop) | 0;
    const left = (Math.imul(x, record.strideX) - record.padLeft) | 0;
    for (let ky = 0; ky < record.kernelHeight; ky++) {
      const row = (top + Math.imul(ky, dilationY)) | 0;
      if (row >= view.height && dilationY === 1) break;
      if (row < 0 || row >= view.height) continue;
      for (let kx = 0; kx < record.kernelWidth; kx++) {
        const column = (left + Math.imul(kx, dilationX)) | 0;
        if (column >= view.width && dilationX === 1) break;
        if (column < 0 || column >= view.width) continue;
        const at = this.#pixel(view, n * record.inputBatchBytes, row, column) + c0;
        this.#read("input", at, c1 - c0, Math.floor(row / view.ringRows));
      }
    }
  }

  #writePixel(record: Spatial, n: number, y: number, x: number, c0: number, c1: number): void {
    const at = this.#pixel(record.outputView, n * record.outputBatchBytes, y, x) + c0;
    this.#write("output", at, c1 - c0, Math.floor(y / record.outputView.ringRows));
  }

  #conv2d(record: RecordOf<"conv2d">): void {
    const { variant } = this.#plan;
    const { inputView, outputView, kernelHeight, kernelWidth, strideX, dilationX, c0, c1 } = record;
    const { channels } = inputView;
    const { width: outputWidth, height: outputHeight } = outputView;
    const pointwise = isPointwise(record, inputView, outputView);
    const geometry = {
      kernelHeight,
      kernelWidth,
      channels,
      strideX,
      dilationX,
      outputHeight,
      outputWidth,
      pointwise,
      dense: strideX === 1 && inputView.pixelBytes === channels,
      isColumns: methodOf(record) === SINGLE_COLUMNS,
      isVector: methodOf(record) === SINGLE_VECTOR,
    };
    const patch = convSegments(variant, kernelHeight, kernelWidth, channels, dilationX);
    this.#reserve(
      record.scratch,
      convScratchBytes(variant, geometry),
      record.weights,
      Math.ceil((c1 - c0) / blockChannels(variant, methodOf(record))) *
        convBlockBytes(variant, methodOf(record), patch),
    );
    // Three columns go down together, or all.
    const columns = methodOf(record) === SINGLE_COLUMNS ? 3 : outputWidth;
    for (let n = 0; n < record.batches; n++) {
      for (let x0 = 0; x0 < outputWidth; x0 += columns) {
        const x1 = Math.min(x0 + columns, outputWidth);
        for (let y = record.y0; y < record.y1; y++) {
          for (let x = x0; x < x1; x++) this.#readWindow(record, n, y, x, 0, channels);
          for (let x = x0; x < x1; x++) this.#writePixel(record, n, y, x, c0, c1);
        }
      }
    }
  }

  /** Windows of two rows are read before either is written. */
  #winograd(record: RecordOf<"conv2dWinograd">): void {
    const { inputView, outputView, c0, c1 } = record;
    const { channels } = inputView;
    const { width } = outputView;
    const columns = 2 * Math.ceil(width / 2) + 2;
    const eights = Math.ceil(channels / 8);
    const rowBytes = 16 * Math.ceil((2 * columns * channels) / 16) + 16;
    // Tiles of 16 positions by four: int16 of their channels, int32 of 8 sums.
    this.#reserve(
      record.scratch,
      208 + 4 * rowBytes + 16 * 4 * (2 * 8 * eights + 4 * 8),
      record.weights,
      Math.ceil((c1 - c0) / 8) * (blockHeadBytes("simd", methodOf(record)) + 16 * 8 * 8 * eights * 2),
    );
    for (let n = 0; n < record.batches; n++) {
      for (let y = record.y0; y < record.y1; y += 2) {
        const rows = y + 1 < record.y1 ? [y, y + 1] : [y];
        const pixels = rows.flatMap((row) => Array.from({ length: width }, (_, x) => [row, x] as const));
        for (const [row, x] of pixels) this.#readWindow(record, n, row, x, 0, channels);
        for (const [row, x] of pixels) this.#writePixel(record, n, row, x, c0, c1);
      }
    }
  }

  #depthwise(record: RecordOf<"depthwiseConv2d">): void {
    const { variant } = this.#plan;
    const { c0, c1, depthMultiplier } = record;
    this.#reserve(
      record.scratch,
      depthwiseScratchBytes(variant, depthwiseGeometry(record)),
      record.weights,
      Math.ceil((c1 - c0) / blockChannels(variant)) * depthwiseBlockBytes(variant, methodOf(record), record),
    );
    const rowsAtOnce = depthwiseRowsTogether(variant, depthwiseGeometry(record));
    const together = blockChannels(variant);
    if (record.plane !== 0) {
      this.#planes(record, together);
      return;
    }
    for (let n = 0; n < record.batches; n++) {
      for (let y = record.y0; y < record.y1; y += rowsAtOnce) {
        const rows = Array.from({ length: Math.min(rowsAtOnce, record.y1 - y) }, (_, i) => y + i);
        for (let c = c0; c < c1; c += together) {
          const end = Math.min(c + together, c1);
          const pixels = rows.flatMap((row) =>
            Array.from({ length: record.outputView.width }, (_, x) => [row, x] as const),
          );
          for (const [row, x] of pixels) {
            this.#readWindow(
              record,
              n,
              row,
              x,
              Math.floor(c / depthMultiplier),
              Math.ceil(end / depthMultiplier),
            );
          }
          for (const [row, x] of pixels) this.#writePixel(record, n, row, x, c, end);
        }
      }
    }
  }

  /** A block's channels are read whole, and kept, before its output is written. */
  #planes(record: RecordOf<"depthwiseConv2d">, together: number): void {
    const { inputView, outputView, plane, y0, y1, c0, c1 } = record;
    const planeBytes = inputView.height * inputView.width * together;
    this.#fill(plane, planeBytes, SCRATCH);
    for (let i = 0; i < planeBytes; i++) this.#reserved.add(plane + i);
    for (let c = c0; c < c1; c += together) {
      const end = Math.min(c + together, c1);
      for (let y = 0; y < inputView.height; y++) {
        for (let x = 0; x < inputView.width; x++)
          this.#read("input", this.#pixel(inputView, 0, y, x) + c, end - c);
      }
      for (let y = y0; y < y1; y++) {
        for (let x = 0; x < outputView.width; x++) this.#writePixel(record, 0, y, x, c, end);
      }
    }
  }

  #pool(record: RecordOf<"averagePool2d"> | RecordOf<"maxPool2d">): void {
    if (record.op === "averagePool2d" && record.accumulators !== 0) {
      this.#globalPool(record);
      return;
    }
    for (let n = 0; n < record.batches; n++) {
      for (let y = record.y0; y < record.y1; y++) {
        for (let x = 0; x < record.outputView.width; x++) {
          for (let c = record.c0; c < record.c1; c++) {
            this.#readWindow(record, n, y, x, c, c + 1);
            this.#writePixel(record, n, y, x, c, c + 1);
          }
        }
      }
    }
  }

  #globalPool({ inputView: view, outputView, accumulators, y0, y1 }: RecordOf<"averagePool2d">): void {
    if (y0 === 0) this.#write("accumulators", accumulators, 4 * view.channels);
    for (let y = y0; y < y1; y++) {
      for (let x = 0; x < view.width; x++) {
        this.#read("input", this.#pixel(view, 0, y, x), view.channels, Math.floor(y / view.ringRows));
        this.#read("accumulators", accumulators, 4 * view.channels);
        this.#write("accumulators", accumulators, 4 * view.channels);
      }
    }
    if (y1 < view.height) return;
    for (let c = 0; c < view.channels; c++) {
      this.#read("accumulators", accumulators + 4 * c, 4);
      this.#write("output", outputView.address + c);
    }
  }

  #elementwise(record: Omit<RecordOf<"minimum">, "op">): void {
    for (let y = record.y0; y < record.y1; y++) this.#elementwiseRow(record, y);
  }

  #elementwiseRow(record: Omit<RecordOf<"minimum">, "op">, y: number): void {
    const [lhsRow, lhsLap] = ringRow(record.lhs, record.lhsRowBytes, record.lhsRingRows, y);
    const [rhsRow, rhsLap] = ringRow(record.rhs, record.rhsRowBytes, record.rhsRingRows, y);
    const [outputRow, lap] = ringRow(record.output, record.outputRowBytes, record.outputRingRows, y);
    let out = outputRow;
    for (let i0 = 0; i0 < record.n0; i0++) {
      for (let i1 = 0; i1 < record.n1; i1++) {
        for (let i2 = 0; i2 < record.n2; i2++) {
          for (let i3 = 0; i3 < record.n3; i3++) {
            const lhs =
              lhsRow +
              i0 * record.lhsStride0 +
              i1 * record.lhsStride1 +
              i2 * record.lhsStride2 +
              i3 * record.lhsStride3;
            const rhs =
              rhsRow +
              i0 * record.rhsStride0 +
              i1 * record.rhsStride1 +
              i2 * record.rhsStride2 +
              i3 * record.rhsStride3;
            for (let i = 0; i < record.length; i++) {
              this.#read("lhs", lhs + i * record.lhsStep, 1, lhsLap);
              this.#read("rhs", rhs + i * record.rhsStep, 1, rhsLap);
              this.#write("output", out++, 1, lap);
            }
          }
        }
      }
    }
  }

  #mean(record: Mean): void {
    for (let y = record.y0; y < record.y1; y++) this.#meanRow(record, y);
  }

  #meanRow(record: Mean, y: number): void {
    const sums = record.accumulators;
    const [input, inputLap] = ringRow(record.input, record.inputRowBytes, record.inputRingRows, y);
    const kept = record.n0 * record.n1 * record.n2 * record.n3;
    if (sums !== 0 && y === 0) this.#write("accumulators", sums, 4 * kept);
    const row = sums === 0 ? y : 0;
    const [outputRow, lap] = ringRow(record.output, record.outputRowBytes, record.outputRingRows, row);
    const size = record.op === "mean" ? 1 : 2;
    let out = outputRow;
    for (const base of offsets(keptSizes(record), keptStrides(record))) {
      for (const offset of offsets(reducedSizes(record), reducedStrides(record))) {
        this.#read("input", input + base + offset, size, inputLap);
      }
      if (sums !== 0) this.#read("accumulators", sums + 4 * ((out - outputRow) / size), 4);
      if (sums === 0 || y + 1 === record.rows) this.#write("output", out, size, lap);
      out += size;
    }
  }

  /** Cells by the kernels' arithmetic, pixel by pixel. */
  #resize(record: RecordOf<"resizeBilinear"> | RecordOf<"resizeNearest">): void {
    const { inputView, outputView, y0, y1, batches } = record;
    const cells = (i: number, size: number, axis: "X" | "Y"): readonly number[] => {
      const clip = (cell: number): number => Math.max(Math.min(cell, size - 1), 0);
      if (record.op === "resizeBilinear") {
        const position = (Math.imul(i, record[`scale${axis}`]) + record[`offset${axis}`]) | 0;
        const low = clip(Math.trunc(position / 1024));
        return [low, Math.max(low, clip(Math.trunc((position + 1023) / 1024)))];
      }
      const [scale = 0, offset = 0] = new Float32Array(
        Int32Array.of(record[`scaleBits${axis}`], record.offsetBits).buffer,
      );
      const at = Math.fround(Math.fround(i + offset) * scale);
      const up = record.rounds !== 0 && at - Math.floor(at) >= 0.5 ? 1 : 0;
      return [clip(Math.floor(at) + up)];
    };
    for (let n = 0; n < batches; n++) {
      for (let y = y0; y < y1; y++) {
        for (let x = 0; x < outputView.width; x++) {
          for (const row of cells(y, inputView.height, "Y")) {
            for (const column of cells(x, inputView.width, "X")) {
              const at = this.#pixel(inputView, n * record.inputBatchBytes, row, column);
              this.#read("input", at, outputView.channels, Math.floor(row / inputView.ringRows));
            }
          }
          const to = this.#pixel(outputView, n * record.outputBatchBytes, y, x);
          this.#write("output", to, outputView.channels, Math.floor(y / outputView.ringRows));
        }
      }
    }
  }

  #lookup(record: RecordOf<"lookup">): void {
    this.#reserveWeights(record.weights, 256);
    for (let y = record.y0; y < record.y1; y++) {
      const [source, fromLap] = ringRow(record.input, record.inputRowBytes, record.inputRingRows, y);
      const [target, toLap] = ringRow(record.output, record.outputRowBytes, record.outputRingRows, y);
      for (let i = 0; i < record.length; i++) {
        this.#read("input", source + i, 1, fromLap);
        this.#write("output", target + i, 1, toLap);
      }
    }
  }

  #copy(record: RecordOf<"copy">): void {
    const sizes = [record.n0, record.n1, record.n2, record.n3, record.n4];
    const { inputStride0, inputStride1, inputStride2, inputStride3, inputStride4 } = record;
    const { outputStride0, outputStride1, outputStride2, outputStride3, outputStride4 } = record;
    const from = offsets(sizes, [inputStride0, inputStride1, inputStride2, inputStride3, inputStride4]);
    const to = offsets(sizes, [outputStride0, outputStride1, outputStride2, outputStride3, outputStride4]);
    for (let y = record.y0; y < record.y1; y++) {
      const [source, fromLap] = ringRow(record.input, record.inputRowBytes, record.inputRingRows, y);
      const [target, toLap] = ringRow(record.output, record.outputRowBytes, record.outputRingRows, y);
      for (const [i, offset] of from.entries()) {
        this.#read("input", source + offset, 1, fromLap);
        this.#write("output", target + (to[i] ?? 0), 1, toLap);
      }
    }
  }

  /** Step by step: all of a step's input and state is read before its output and state are written. */
  #lstm(record: RecordOf<"unidirectionalSequenceLstm">): void {
    const { variant } = this.#plan;
    const { batches, steps, inputDepth, cells, elementBytes: size, hidden, cell } = record;
    this.#reserve(
      record.scratch,
      lstmScratchBytes(variant, record),
      record.weights,
      lstmWeightBytes(variant, record),
    );
    for (let n = 0; n < batches; n++) {
      for (let t = 0; t < steps; t++) {
        const from = record.input + n * record.inputBatchBytes + t * record.inputStepBytes;
        const to = record.output + n * record.outputBatchBytes + t * record.outputStepBytes;
        this.#read("input", from, inputDepth * size);
        this.#read("hidden", hidden + n * cells * size, cells * size);
        for (let i = n * cells; i < (n + 1) * cells; i++) {
          this.#read("cell", cell + 2 * i, 2);
          this.#write("cell", cell + 2 * i, 2);
          this.#write("hidden", hidden + i * size, size);
          this.#write("output", to + (i - n * cells) * size, size);
        }
      }
    }
  }

  /** All of the state moves on, then batch by batch its newest values are written and all is read. */
  #svdf(record: RecordOf<"svdf">): void {
    const { variant } = this.#plan;
    const { batches, inputDepth, filters, rank, memory, stateBytes, state } = record;
    this.#reserve(
      record.scratch,
      svdfScratchBytes(variant, record),
      record.weights,
      svdfWeightParts(variant, record).end,
    );
    const bytes = filters * memory * stateBytes;
    this.#read("state", state, batches * bytes);
    this.#write("state", state, batches * bytes);
    for (let n = 0; n < batches; n++) {
      this.#read("input", record.input + n * inputDepth, inputDepth);
      for (let f = 1; f <= filters; f++) {
        this.#write("state", state + n * bytes + (f * memory - 1) * stateBytes, stateBytes);
      }
      for (let unit = 0; unit < filters / rank; unit++) {
        const share = rank * memory * stateBytes;
        this.#read("state", state + n * bytes + unit * share, share);
        this.#write("output", record.output + n * (filters / rank) + unit);
      }
    }
  }

  #pad(record: RecordOf<"pad">): void {
    const sizes = [record.n0, record.n1, record.n2, record.n3, record.n4];
    const before = [record.before0, record.before1, record.before2, record.before3, record.before4];
    const after = [record.after0, record.after1, record.after2, record.after3, record.after4];
    for (let y = record.y0; y < record.y1; y++) {
      const row = y - record.beforeRows;
      const isRow = row >= 0 && row < record.rows;
      const [source, fromLap] = ringRow(
        record.input,
        record.inputRowBytes,
        record.inputRingRows,
        isRow ? row : 0,
      );
      const [target, toLap] = ringRow(record.output, record.outputRowBytes, record.outputRingRows, y);
      let from = source;
      let to = target;
      const visit = (axis: number, inside: boolean): void => {
        if (axis === 5) {
          if (inside) this.#read("input", from++, 1, fromLap);
          this.#write("output", to++, 1, toLap);
          return;
        }
        const [size = 1, low = 0, high = 0] = [sizes[axis], before[axis], after[axis]];
        for (let i = 0; i < low + size + high; i++) visit(axis + 1, inside && i >= low && i < low + size);
      };
      visit(0, isRow);
    }
  }
}
