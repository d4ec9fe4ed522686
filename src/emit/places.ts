import type { Tensor } from "../graph/graph.ts";
import type { Addresses, Place } from "../ops/op.ts";
import type { Operation, Program } from "../schedule/program.ts";
import type { Stream } from "../schedule/stream.ts";
import type { Columns, Strip } from "../schedule/strips.ts";

/** One stage of a strip. */
export interface StripStage {
  readonly strip: Strip;
  readonly operations: readonly Operation[];
  readonly stage: number;
}

/** Where an operation's operands lie, in the stream and strip that it is part of, and the padding before what it reads of the first. */
export function places(
  program: Program,
  addressOf: (value: number | undefined) => number,
  { bound, reads, writes, rows }: Operation,
  stream?: Stream,
  part?: StripStage,
): Pick<Addresses, "inputs" | "outputs" | "padLeft"> {
  const placeOf = (
    value: number | undefined,
    tensor: Tensor | undefined,
    columns: Columns | undefined,
  ): Place => {
    const address = addressOf(value);
    let ringRows: number | undefined;
    let end = value;
    for (let id = value; id !== undefined; id = stream?.inPlaceOf.get(id)) {
      ringRows ??= stream?.ringRows.get(id);
      end = id;
    }
    const pixelBytes = program.values.get(end ?? -1)?.view?.pixels?.step;
    const place = {
      address,
      ...(ringRows !== undefined && { ringRows }),
      ...(pixelBytes !== undefined && { pixelBytes }),
    };
    if (part === undefined || columns === undefined || tensor === undefined) return place;
    const [, , width = 1, channels = 1] = tensor.shape;
    const pitch = pixelBytes ?? channels;
    // A ring has the columns that its maker makes, anything else has all.
    const maker = part.operations.findIndex(({ writes }) => writes.some((id) => id === end));
    const isRing = end !== undefined && stream?.ringRows.has(end) === true;
    const has = (isRing ? part.strip.made[maker] : undefined) ?? { begin: 0, end: width };
    return {
      ...place,
      address: address + (columns.begin - has.begin) * pitch,
      columns: { width: columns.end - columns.begin, rowBytes: (has.end - has.begin) * pitch },
    };
  };
  const made = part?.strip.made[part.stage];
  const read = part?.strip.read[part.stage] ?? [];
  const window = rows?.inputs[0]?.columns;
  const operands = {
    inputs: reads.map((value, i) => placeOf(value, bound.inputs[i], read[i])),
    outputs: bound.outputs.map((tensor, i) => placeOf(writes[i], tensor, made)),
  };
  if (made === undefined || window === undefined) return operands;
  return { ...operands, padLeft: (read[0]?.begin ?? 0) - (made.begin * window.stride + window.first) };
}
