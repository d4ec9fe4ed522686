import { clampTo, multiplyByQuantizedMultiplier, quantizeMultiplier } from "./fixed-point.ts";
import { sigmoidReference, tanhReference } from "./sigmoid-table.ts";

const INT8 = [-128, 127] as const;
const INT16 = [-32768, 32767] as const;

/** One gate: int8 matrices [cells, depth] and [cells, cells] with a scale each, a bias per cell. */
export interface LstmGate {
  readonly input: Int8Array;
  readonly inputScale: number;
  readonly recurrent: Int8Array;
  readonly recurrentScale: number;
  readonly bias: readonly number[];
}

/** An LSTM; scales are float32. */
export interface Lstm {
  readonly batches: number;
  readonly steps: number;
  readonly depth: number;
  readonly cells: number;
  readonly timeMajor: boolean;
  readonly type: "int8" | "int16";
  readonly inputScale: number;
  readonly inputZeroPoint: number;
  readonly hiddenScale: number;
  readonly hiddenZeroPoint: number;
  /** The cell state's scale is 2^cellPower. */
  readonly cellPower: number;
  readonly cellClip: number;
  readonly input: LstmGate;
  readonly forget: LstmGate;
  readonly cell: LstmGate;
  readonly output: LstmGate;
}

/** [batch, cells], changed by every run. */
export interface LstmState {
  readonly hidden: number[];
  readonly cell: number[];
}

/** UNIDIRECTIONAL_SEQUENCE_LSTM: the output, [batch, time, cells] or time first; `state` becomes what the next run begins with. */
export function lstmReference(lstm: Lstm, x: readonly number[], state: LstmState): number[] {
  const { batches, steps, depth, cells, timeMajor } = lstm;
  const range = lstm.type === "int8" ? INT8 : INT16;
  const out: number[] = Array.from({ length: batches * steps * cells }, () => 0);
  const cellScale = 2 ** lstm.cellPower;
  const forgetting = quantizeMultiplier(2 ** -15);
  const updating = quantizeMultiplier(2 ** -30 / cellScale);
  const emitting = quantizeMultiplier(2 ** -30 / lstm.hiddenScale);
  for (let t = 0; t < steps; t++) {
    for (let n = 0; n < batches; n++) {
      const at = timeMajor ? t * batches + n : n * steps + t;
      const vector = x.slice(at * depth, (at + 1) * depth);
      const hidden = state.hidden.slice(n * cells, (n + 1) * cells);
      for (let c = 0; c < cells; c++) {
        const gate = (of: LstmGate): number => preactivation(lstm, of, vector, hidden, c);
        const forget = sigmoidReference(3 * gate(lstm.forget));
        const input = sigmoidReference(3 * gate(lstm.input));
        const fresh = tanhReference(3 * gate(lstm.cell));
        const output = sigmoidReference(3 * gate(lstm.output));
        const i = n * cells + c;
        const kept = clampTo(scaled(forget * (state.cell[i] ?? NaN), forgetting), INT16);
        const added = clampTo(scaled(input * fresh, updating), INT16);
        let cell = clampTo(kept + added, INT16);
        if (lstm.cellClip > 0) {
          const bound = Math.min(Math.floor(lstm.cellClip / cellScale), 32767);
          cell = clampTo(cell, [0 - bound, bound]);
        }
        state.cell[i] = cell;
        const activated = tanhReference(Math.floor(cell * 3 * 2 ** (12 + lstm.cellPower) + 0.5));
        const value = clampTo(scaled(activated * output, emitting) + lstm.hiddenZeroPoint, range);
        state.hidden[i] = value;
        out[at * cells + c] = value;
      }
    }
  }
  return out;
}

type Scale = ReturnType<typeof quantizeMultiplier>;

function scaled(value: number, { multiplier, shift }: Scale): number {
  return multiplyByQuantizedMultiplier(value, multiplier, shift);
}

/** Of cell `c`, Q3.12: both products are clamped, and so is their sum. */
function preactivation(
  lstm: Lstm,
  gate: LstmGate,
  x: readonly number[],
  hidden: readonly number[],
  c: number,
): number {
  const ofInput = product(lstm, x, lstm.inputZeroPoint, gate.input, c, gate.bias[c] ?? 0);
  const ofHidden = product(lstm, hidden, lstm.hiddenZeroPoint, gate.recurrent, c, 0);
  const a = requantized(lstm, ofInput, Math.fround(lstm.inputScale * gate.inputScale));
  const b = requantized(lstm, ofHidden, Math.fround(lstm.hiddenScale * gate.recurrentScale));
  return clampTo(clampTo(a, INT16) + clampTo(b, INT16), INT16);
}

function product(
  lstm: Lstm,
  vector: readonly number[],
  zeroPoint: number,
  matrix: Int8Array,
  row: number,
  bias: number,
): number {
  const sum = vector.reduce(
    (sum, x, i) => sum + (x - zeroPoint) * (matrix[row * vector.length + i] ?? NaN),
    bias,
  );
  return lstm.type === "int8" ? sum | 0 : sum;
}

/** To a scale of 2^-12: with int16 by a multiplier of 16 bits, one rounding. */
function requantized({ type }: Lstm, sum: number, scale: number): number {
  const { multiplier, shift } = quantizeMultiplier(scale / 2 ** -12);
  if (type === "int8") return scaled(sum, { multiplier, shift });
  const m = multiplier < 0x7fff0000 ? Math.floor((multiplier + 2 ** 15) / 2 ** 16) : 0x7fff;
  const product = (BigInt(sum) * BigInt(m) + 2n ** BigInt(14 - shift)) >> BigInt(15 - shift);
  return Number(BigInt.asIntN(32, product));
}
