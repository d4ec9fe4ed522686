import type { Program } from "../../src/schedule/program.ts";
import type { Stream } from "../../src/schedule/stream.ts";

/** Operations [begin, end) of a program, to run as a stream. */
export interface Cut {
  readonly program: Program;
  readonly begin: number;
  readonly end: number;
  readonly rowsAtOnce: number;
}

type Operation = Program["operations"][number];

/** A write of output bytes or a read of input bytes, in the order in which they happen. */
type Touch = (kind: "read" | "write", id: number, begin: number, end: number) => void;

/**
 * A stream row by row, with every row named where it lies: what a row's window needs must be there when it is made. Rows are
 * derived from the tensors' shapes and the operators' windows alone; of the stream under test only what the plan says is
 * used: rows, rows per pull, links, rings and places.
 */
export class SlowStream {
  readonly #stages: readonly Operation[];
  readonly #values: Program["values"];
  readonly #stream: Stream;
  readonly #maker: ReadonlyMap<number, number>;

  constructor({ program, begin, end }: Cut, stream: Stream) {
    this.#stages = program.operations.slice(begin, end);
    this.#values = program.values;
    this.#stream = stream;
    this.#maker = new Map(this.#stages.flatMap(({ writes }, stage) => writes.map((id) => [id, stage])));
  }

  /** Whether sums are stored at the place of the last output, which is then not written row after row. */
  get accumulates(): boolean {
    const [output = -1] = this.#stages.at(-1)?.writes ?? [];
    return this.accumulatesIn(this.#placeOf(output));
  }

  /** Whether sums are stored at this place. */
  accumulatesIn(place: number): boolean {
    return this.#stages.some(
      ({ rows, writes: [id = -1] }) => rows?.accumulatorBytes !== undefined && this.#placeOf(id) === place,
    );
  }

  /** Rows in the order in which each stage makes them. Rings may be given other lengths. */
  run(rings: ReadonlyMap<number, number> = new Map()): {
    made: number[][];
    pulls: number;
  } {
    const places = new Map<number, Map<number, string>>();
    const slot = (id: number, row: number): [Map<number, string>, number] => {
      const place = this.#placeOf(id);
      const ring = this.#ringOf(id, rings);
      const slots = places.get(place) ?? new Map<number, string>();
      places.set(place, slots);
      return [slots, row % ring];
    };
    return this.#pullAll((stage, y0, y1) => {
      const { rows, reads, writes } = stage;
      const accumulates = rows?.accumulatorBytes !== undefined;
      for (let y = y0; y < y1; y++) {
        for (const [i, id] of reads.entries()) {
          if (id === undefined || !this.#maker.has(id)) continue;
          const [first, last] = this.#window(stage, i, y);
          for (let row = first; row <= last; row++) {
            const [slots, at] = slot(id, row);
            const held = slots.get(at);
            if (held !== `${id}:${row}`)
              throw new Error(`row ${row} of ${id} should be read, its place holds ${held ?? "nothing"}`);
          }
        }
        if (accumulates && y + 1 < rows.rows) continue;
        for (const id of writes) {
          const row = accumulates ? 0 : y;
          const [slots, at] = slot(id, row);
          slots.set(at, `${id}:${row}`);
        }
      }
    });
  }

  /** Runs with the last output `distance` bytes below value `input`, whose bytes it overwrites. */
  runOver(input: number, distance: number): void {
    const [output = -1] = this.#stages.at(-1)?.writes ?? [];
    const overwritten = new Set<number>();
    const touch: Touch = (kind, id, begin, end) => {
      for (let at = begin; at < end; at++) {
        if (kind === "write") overwritten.add(at - distance);
        else if (overwritten.has(at))
          throw new Error(`byte ${at} of value ${id} is overwritten before it is read`);
      }
    };
    this.#pullAll((stage, y0, y1) => {
      const writesHere = stage.writes.some((id) => this.#placeOf(id) === this.#placeOf(output));
      const inPlace = stage.rows?.inPlace?.some((i) => stage.reads[i] === input) === true;
      // An operator that works in place goes row by row; of others a whole range of rows may be written first.
      if (writesHere && inPlace) {
        for (let y = y0; y < y1; y++) {
          this.#readRows(stage, input, y, y + 1, touch);
          this.#writeRows(stage, y, y + 1, touch);
        }
        return;
      }
      if (writesHere) this.#writeRows(stage, y0, y1, touch);
      this.#readRows(stage, input, y0, y1, touch);
    });
  }

  #readRows(stage: Operation, input: number, y0: number, y1: number, touch: Touch): void {
    for (const [i, id] of stage.reads.entries()) {
      if (id !== input) continue;
      const bytes = this.#values.get(id)?.bytes ?? 0;
      for (let y = y0; y < y1; y++) {
        const [first, last] = this.#window(stage, i, y);
        const rowBytes = bytes / rowsOf(stage.bound.inputs[i]?.shape);
        touch("read", id, first * rowBytes, (last + 1) * rowBytes);
      }
    }
  }

  #writeRows({ rows, bound, writes }: Operation, y0: number, y1: number, touch: Touch): void {
    const [id = -1] = writes;
    const bytes = this.#values.get(id)?.bytes ?? 0;
    if (rows?.accumulatorBytes !== undefined) {
      if (y1 === rows.rows) touch("write", id, 0, bytes);
      return;
    }
    const rowBytes = bytes / rowsOf(bound.outputs[0]?.shape);
    const ring = this.#ringOf(id);
    for (let y = y0; y < y1; y++) touch("write", id, (y % ring) * rowBytes, ((y % ring) + 1) * rowBytes);
  }

  /** The loop of assembly/kernels/stream.ts. */
  #pullAll(make: (stage: Operation, y0: number, y1: number) => void): {
    made: number[][];
    pulls: number;
  } {
    const { rows, rowsPerPull, links } = this.#stream;
    const made: number[][] = this.#stages.map(() => []);
    let pulls = 0;
    const pull = (index: number, end: number): void => {
      const [stage, all, atOnce] = [this.#stages[index], rows[index], rowsPerPull[index]];
      const done = made[index];
      if (stage === undefined || all === undefined || atOnce === undefined || done === undefined)
        throw new Error("no such stage");
      while (done.length < Math.min(end, all)) {
        const y0 = done.length;
        const y1 = Math.min(y0 + atOnce, all);
        for (const link of links[index] ?? []) {
          pull(link.stage, Math.floor((y1 * link.stride + link.offset) / link.divisor));
        }
        make(stage, y0, y1);
        pulls++;
        for (let y = y0; y < y1; y++) done.push(y);
      }
    };
    for (let i = this.#stages.length - 1; i >= 0; i--) pull(i, Infinity);
    return { made, pulls };
  }

  /** Rows of input `i` that row `y` needs, of those that there are; all of one row for what is accumulated. */
  #window({ rows, reads, bound }: Operation, i: number, y: number): [number, number] {
    const window = rows?.inputs[i];
    if (window === undefined) throw new Error("a stage without a window");
    const maker = this.#stages[this.#maker.get(reads[i] ?? -1) ?? -1];
    if (maker?.rows?.accumulatorBytes !== undefined) return [0, 0];
    const height = rowsOf(bound.inputs[i]?.shape);
    const { divisor = 1 } = window;
    return [
      Math.max(Math.floor((y * window.stride + window.first) / divisor), 0),
      Math.min(Math.floor((y * window.stride + window.last) / divisor), height - 1),
    ];
  }

  #placeOf(id: number): number {
    const next = this.#stream.inPlaceOf.get(id);
    return next === undefined ? id : this.#placeOf(next);
  }

  #ringOf(id: number, rings: ReadonlyMap<number, number> = new Map()): number {
    const ringOf = (of: number): number | undefined => rings.get(of) ?? this.#stream.ringRows.get(of);
    const whole = rowsOf(this.#stages[this.#maker.get(id) ?? -1]?.bound.outputs[0]?.shape);
    return ringOf(id) ?? ringOf(this.#placeOf(id)) ?? whole;
  }
}

/** Rows of a [1, rows, …] tensor; one of any other. */
function rowsOf(shape: readonly number[] | undefined): number {
  return shape !== undefined && shape.length > 2 && shape[0] === 1 ? (shape[1] ?? 1) : 1;
}
