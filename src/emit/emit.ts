import { UnsupportedError } from "../errors.ts";
import type { Graph, Tensor } from "../graph/graph.ts";
import { byteSize, tensorOf } from "../graph/graph.ts";
import type { MemoryDemand } from "../memory/lifetimes.ts";
import type { Layout, WeightPlacement } from "../memory/problem.ts";
import type { Packed } from "../ops/op.ts";
import { Header, MAGIC, PLAN_VERSION } from "../plan/format.ts";
import { align } from "../plan/packing.ts";
import type { PlanRecord } from "../plan/record.ts";
import { encodeRecord, recordBytes } from "../plan/record.ts";
import type { Variant } from "../plan/variant.ts";
import { VARIANTS, storageFlip } from "../plan/variant.ts";
import { operandNames } from "../plan/verify.ts";
import type { LayerStep } from "../schedule/layers.ts";
import type { Image, Port } from "./image.ts";
import type { EmittedStep } from "./report.ts";
import { report } from "./report.ts";

/** Everything that the earlier stages decided. */
export interface Compilation {
  readonly graph: Graph;
  readonly variant: Variant;
  readonly budget: number;
  readonly steps: readonly LayerStep[];
  readonly packed: readonly (Packed | undefined)[];
  readonly demand: MemoryDemand;
  readonly layout: Layout;
}

/** Storages of the graph's int8 inputs and outputs: what the relaxed variant flips at the border. */
function borderStorages(
  graph: Graph,
  ids: readonly number[],
  storageOf: MemoryDemand["storageOf"],
  variant: Variant,
): ReadonlyMap<number, Tensor> {
  const storages = new Map<number, Tensor>();
  if (storageFlip(variant) === 0) return storages;
  for (const id of ids) {
    const tensor = tensorOf(graph, id);
    const storage = storageOf(id);
    if (tensor.type === "int8" && storage !== undefined) storages.set(storage, tensor);
  }
  return storages;
}

/** Bytes of the header and of the records that belong to no step. */
export function fixedPlanBytes(graph: Graph, demand: MemoryDemand, variant: Variant): number {
  const flips =
    borderStorages(graph, graph.inputs, demand.storageOf, variant).size +
    borderStorages(graph, graph.outputs, demand.storageOf, variant).size;
  return 4 * Header.words + recordBytes("end") + flips * recordBytes("flipSign");
}

/** Writes records, resident weights and flash for a proved layout. */
export function emit(compilation: Compilation): Image {
  const { graph, variant, steps, packed, demand, layout } = compilation;
  const sram = new Uint8Array(layout.planBytes + layout.residentWeightBytes);
  const flash: Uint8Array[] = [];
  const writer = new RecordWriter(sram, 4 * Header.words);
  const addressOf = (tensor: Tensor | undefined): number => {
    const storage = tensor && demand.storageOf(tensor.id);
    return storage === undefined ? 0 : (layout.storageAddress[storage] ?? 0);
  };
  const flip = (border: readonly number[]): void => {
    for (const [storage, tensor] of borderStorages(graph, border, demand.storageOf, variant)) {
      writer.write({ op: "flipSign", address: addressOf(tensor), bytes: byteSize(tensor) }, () => storage);
    }
  };

  flip(graph.inputs);
  let flashBytes = 0;
  let nextTile = demand.storages.length;
  const emitted = steps.map((step, index): EmittedStep => {
    const blob = packed[index];
    const placement = layout.weights[index] ?? { kind: "none" };
    const firstRecord = writer.address;
    if (blob !== undefined && placement.kind === "resident") sram.set(blob.bytes, placement.address);
    const source = flashBytes;
    if (blob !== undefined && placement.kind === "streamed") {
      flash.push(blob.bytes);
      flashBytes += blob.bytes.length;
    }
    for (const piece of pieces(step, blob, placement)) {
      let weightsId = -1;
      if (piece.fetch !== undefined) {
        weightsId = nextTile++;
        const { offset, bytes } = piece.fetch;
        writer.write(
          { op: "fetch", destination: piece.packed, source: source + offset, bytes },
          () => weightsId,
        );
      }
      const record = step.op.lower?.(
        step.bound,
        {
          inputs: step.bound.inputs.map(addressOf),
          outputs: step.bound.outputs.map(addressOf),
          packed: piece.packed,
          scratch: layout.scratchAddress[index] ?? 0,
          c0: piece.c0,
          c1: piece.c1,
        },
        variant,
        blob,
      );
      if (record !== undefined) {
        writer.write(record, (operand) => operandId(operand, step, blob, demand, weightsId));
      }
    }
    return { step, firstRecord, endRecord: writer.address };
  });
  flip(graph.outputs);
  writer.write({ op: "end" }, () => -1);

  const header = new Uint32Array(Header.words);
  header[Header.magic] = MAGIC;
  header[Header.version] = PLAN_VERSION;
  header[Header.variant] = VARIANTS.indexOf(variant);
  header[Header.entry] = 4 * Header.words;
  header[Header.planBytes] = layout.planBytes;
  header[Header.residentWeightBytes] = layout.residentWeightBytes;
  header[Header.arenaAddress] = layout.arenaAddress;
  header[Header.ramBytes] = layout.ramBytes;
  sram.set(new Uint8Array(header.buffer));

  return {
    variant,
    sram,
    flash: concatenate(flash, flashBytes),
    operands: Int32Array.from(writer.operands),
    inputs: ports(graph, "inputs", addressOf, demand),
    outputs: ports(graph, "outputs", addressOf, demand),
    report: report(compilation, emitted, flashBytes, addressOf),
  };
}

/** Appends records to the plan, and their operands' value ids to the table that the checker reads. */
class RecordWriter {
  readonly operands: number[] = [];
  readonly #sram: Uint8Array;
  address: number;

  constructor(sram: Uint8Array, address: number) {
    this.#sram = sram;
    this.address = address;
  }

  write(record: PlanRecord, idOf: (operand: string) => number): void {
    const words = encodeRecord(record);
    this.#sram.set(new Uint8Array(words.buffer), this.address);
    this.address += words.byteLength;
    for (const operand of operandNames(record.op)) this.operands.push(idOf(operand));
  }
}

interface Piece {
  readonly packed: number;
  readonly c0: number;
  readonly c1: number;
  /** Range of the step's weights to bring in first. */
  readonly fetch?: { readonly offset: number; readonly bytes: number };
}

/** The records of a step: one, or one per tile of streamed weights. */
function pieces(step: LayerStep, blob: Packed | undefined, placement: WeightPlacement): Piece[] {
  const channels = step.bound.outputs[0]?.shape.at(-1) ?? 1;
  if (blob === undefined || placement.kind === "none") return [{ packed: 0, c0: 0, c1: channels }];
  if (placement.kind === "resident") return [{ packed: placement.address, c0: 0, c1: channels }];
  return placement.tiles.map(({ firstBlock, blocks }) => ({
    packed: placement.address,
    c0: firstBlock * blob.blockChannels,
    c1: Math.min((firstBlock + blocks) * blob.blockChannels, channels),
    fetch: { offset: firstBlock * blob.blockBytes, bytes: blocks * blob.blockBytes },
  }));
}

/**
 * The value behind an operand of a step's record; -1 for resident constants.
 * @throws UnsupportedError a constant where only activations are read
 */
function operandId(
  operand: string,
  { bound, node }: LayerStep,
  blob: Packed | undefined,
  demand: MemoryDemand,
  weightsId: number,
): number {
  if (operand === "weights") return weightsId;
  const tensor = operand === "output" ? bound.outputs[0] : bound.inputs[operand === "rhs" ? 1 : 0];
  const storage = tensor && demand.storageOf(tensor.id);
  if (storage !== undefined) return storage;
  if (operand === "input" || blob === undefined) {
    throw new UnsupportedError(
      "constant-input",
      `${node.op} "${node.name}" reads the constant "${tensor?.name ?? ""}" alone; compute its output before export (the converter's constant folding does)`,
    );
  }
  return weightsId;
}

function ports(
  graph: Graph,
  side: "inputs" | "outputs",
  addressOf: (tensor: Tensor) => number,
  demand: MemoryDemand,
): Port[] {
  return graph[side].map((id, index) => {
    const stored = tensorOf(graph, id);
    const outer = graph.border?.[side][index];
    const tensor = outer === undefined ? stored : tensorOf(graph, outer);
    return {
      name: tensor.name,
      shape: tensor.shape,
      type: tensor.type,
      scale: stored.quantization?.scales[0] ?? 1,
      zeroPoint: stored.quantization?.zeroPoints[0] ?? 0,
      storedType: stored.type,
      address: addressOf(stored),
      value: demand.storageOf(id) ?? -1,
    };
  });
}

function concatenate(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(align(length, 16));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
