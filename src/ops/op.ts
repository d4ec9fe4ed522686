import type { BoundNode, ElementType, Tensor, TensorType } from "../graph/graph.ts";
import type { PlanRecord } from "../plan/record.ts";
import type { Variant } from "../plan/variant.ts";
import type { Multiplier } from "./fixed-point.ts";

/**
 * The options table of an operator in the file, by field id. Each getter takes the schema's default for a field that is
 * absent; an absent table answers every default.
 */
export interface Options {
  int(field: number, fallback: number): number;
  /** One byte, unsigned: flatbuffers enums and small integers. */
  byte(field: number, fallback: number): number;
  bool(field: number, fallback: boolean): boolean;
  float(field: number, fallback: number): number;
  /** A vector of int32. */
  ints(field: number): readonly number[];
}

/** Rows and columns of input that an output position needs: y·strideY − padTop … + (kernelHeight − 1)·dilationY. */
export interface Window {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * What a node needs beside its activations, packed for one variant: weights with folded bias and requantisation
 * constants, or constant operands in storage form. `blocks` equal blocks of `blockBytes`, each serving
 * `blockChannels` output channels (the last may serve fewer); a blob of one block cannot be tiled.
 */
export interface Packed {
  readonly bytes: Uint8Array;
  readonly blocks: number;
  readonly blockBytes: number;
  readonly blockChannels: number;
  /** What `pack` decided and `lower` must write into the record (requantisation method, shift). */
  readonly fields: Readonly<Record<string, number>>;
}

/**
 * Rows ⌊(y · stride + first) / divisor⌋ … ⌊(y · stride + last) / divisor⌋ of an input, cut to those that it has, which row y
 * needs. Stride and divisor are below 2^15.
 */
export interface RowWindow {
  readonly stride: number;
  /** Above 1 where there are more rows than the input has. Default 1. */
  readonly divisor?: number;
  readonly first: number;
  readonly last: number;
  /** The same for the columns of the output and of this input; undefined where any column may need all of them. */
  readonly columns?: Omit<RowWindow, "columns" | "divisor">;
}

/** How an operator runs in ranges of rows. Tensors are [1, rows, …]. */
export interface RowAccess {
  /** Rows that its record counts: the output's, or the input's where it accumulates them. */
  readonly rows: number;
  /** Per input; undefined for constants. */
  readonly inputs: readonly (RowWindow | undefined)[];
  /**
   * Row y of the output is made from row y of these inputs element by element, so that it may take that row's place; where rows
   * are accumulated, so may the output take that of the last.
   */
  readonly inPlace?: readonly number[];
  /** Bytes of int32 that an operator keeps from row to row, which makes its output with the last row. */
  readonly accumulatorBytes?: number;
}

/** Where an operand lies: whole at `address`, or the last `ringRows` rows of it in a ring. */
export interface Place {
  readonly address: number;
  readonly ringRows?: number;
  /** Only so many columns of it, the first at `address`, and how far it is from row to row. */
  readonly columns?: { readonly width: number; readonly rowBytes: number };
  /** How far it is from pixel to pixel, where others' channels lie between; for operators that are `pitched`. */
  readonly pixelBytes?: number;
}

/** Addresses in linear memory for one record of a node. */
export interface Addresses {
  /** Per input; at 0 for constants and omitted inputs. */
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
  /** Columns of padding before the input, where not all columns are made at once; the operator's own if undefined. */
  readonly padLeft?: number;
  /** The output lies where the first input does; scratch is as `inPlaceScratchBytes` asks. */
  readonly inPlace?: boolean;
  /** Set where the record is run in ranges of rows: the address of the accumulators, 0 if `rows` asks for none. */
  readonly accumulators?: number;
  /** Of the packed blob, or of the tile of it that holds channels [c0, c1). */
  readonly packed: number;
  readonly scratch: number;
  /** Output channels of this record; the whole range when the weights are in one piece. */
  readonly c0: number;
  readonly c1: number;
}

/** One of several records of a node. */
export interface LoweredRecord {
  readonly record: PlanRecord;
  /** Which of the node's inputs its operand "input" is, or what `pack` made; and which of the outputs "output". Default 0. */
  readonly input?: number | "packed";
  readonly output?: number;
}

/**
 * An operator. Optional members are the whole extension surface: passes, schedule and memory ask the definition; only a pass
 * about one operator compares names.
 */
export interface OpDefinition<Attrs = unknown> {
  /** One name everywhere; also the key in the operator table. */
  readonly name: string;
  /** The operator in a .tflite file: its BuiltinOperator code, and how to read its options. */
  readonly tflite: {
    readonly builtin: number;
    readonly read: (options: Options) => unknown;
  };
  /** Element types of its activations; int8 alone if absent. */
  readonly types?: readonly ElementType[];
  /**
   * Turns the file's options into attributes, now that the tensors are known (SAME padding becomes numbers, axes become
   * a list), after checking what the kernels rely on. Called once per node, at import.
   * @throws ModelError, UnsupportedError with what is wrong with options, ranks, types, quantisation or constants
   */
  prepare(inputs: readonly (Tensor | undefined)[], outputs: readonly Tensor[], options: unknown): Attrs;
  /** Output shapes and types from checked inputs. Import and every pass compare them with the graph's tensors. */
  infer(inputs: readonly (Tensor | undefined)[], attrs: Attrs, outputs: readonly Tensor[]): TensorType[];
  /** Of a stateful operator: the operands of its record that it reads and changes, and which of its inputs (variables) they are. */
  readonly states?: Readonly<Record<string, number>>;
  /** The output is the input's bytes under another shape; no record is emitted. */
  readonly alias?: true;
  /** It moves elements without looking at them: its records are copies, and those of a constant background. */
  readonly moves?: true;
  /**
   * Its records find pixels by views, so that those of its output (with `isRead`, of its activation) may lie further apart than their
   * channels, between others'; and that costs no more than a copy would.
   */
  pitched?(node: BoundNode<Attrs>, isRead: boolean): boolean;
  /** How the node may run row by row; undefined (or absent) where it may not. */
  rows?(node: BoundNode<Attrs>): RowAccess | undefined;
  /** Rows that its kernel makes together at clearly less than the cost of one by one. Default 1. */
  rowsAtOnce?(node: BoundNode<Attrs>, variant: Variant): number;
  /** A graph without this node computes the same: its output may be replaced by its first input. */
  isIdentity?(node: BoundNode<Attrs>): boolean;
  /** The output's bytes, where all inputs are constants and evaluating is simple and exact; undefined where it is not. */
  fold?(node: BoundNode<Attrs>): Uint8Array | undefined;
  /**
   * Of sums of products with constant weights, which are [output channels, …, input channels] or depthwise [1, …, output channels]: how each
   * output channel's sum is requantised.
   */
  channelMultipliers?(node: BoundNode<Attrs>): readonly Multiplier[];
  /** Its weights are [1, …, output channels]: each filter reads one channel. */
  readonly filterPerChannel?: true;
  /**
   * Whether channel c (the last dimension) of the output depends on channel c of the first input alone. Without weights a channel that
   * holds one value throughout keeps it, clamped.
   */
  carriesChannels?(node: BoundNode<Attrs>): boolean;
  /** Multiply-accumulates of the whole node. */
  macs(node: BoundNode<Attrs>): number;
  /** How long it takes, as that many multiply-accumulates of a usual layer; `macs` if absent. */
  work?(node: BoundNode<Attrs>): number;
  /** The same operator run in less time, with more bytes of weights; undefined (or absent) where it cannot be. */
  faster?(node: BoundNode<Attrs>, variant: Variant): OpDefinition | undefined;
  /** Working bytes while the record runs; addresses are 16-byte aligned. `isPitched`: the pixels that it reads lie apart. */
  scratchBytes?(node: BoundNode<Attrs>, variant: Variant, isPitched?: boolean): number;
  /**
   * Scratch with which the output may take the place of the first input, which has as many bytes, where that needs other than
   * the usual; the record then serves whole tensors. undefined (or absent) where it may not.
   */
  inPlaceScratchBytes?(node: BoundNode<Attrs>, variant: Variant): number | undefined;
  /**
   * How many bytes below input `input` the output must begin for both to share memory: 0 for elementwise operators that
   * may run in place, undefined (or absent) where they must not overlap.
   */
  overlapDistance?(node: BoundNode<Attrs>, input: number, variant: Variant): number | undefined;
  /** Weights and constants for one variant; undefined if the node needs none. */
  pack?(node: BoundNode<Attrs>, variant: Variant): Packed | undefined;
  /** The record of output channels [at.c0, at.c1), or several that make the output together. Absent for aliases. */
  lower?(
    node: BoundNode<Attrs>,
    at: Addresses,
    variant: Variant,
    packed: Packed | undefined,
  ): PlanRecord | readonly LoweredRecord[];
}

/** The records of a node in the order in which they run; none for aliases. */
export function recordsOf(
  op: OpDefinition,
  node: BoundNode,
  at: Addresses,
  variant: Variant,
  packed: Packed | undefined,
): readonly LoweredRecord[] {
  const lowered = op.lower?.(node, at, variant, packed) ?? [];
  return "op" in lowered ? [{ record: lowered }] : lowered;
}

/** Types of what is moved without being looked at. */
export const ANY_TYPE: readonly ElementType[] = ["int8", "int16", "int32", "uint8", "bool", "float32"];

/** The place of what has none: constants and omitted inputs. */
export const NOWHERE: Place = { address: 0 };

/** Lets an operator's file state its attribute type while the table holds `OpDefinition<unknown>`. */
export function defineOp<Attrs>(definition: OpDefinition<Attrs>): OpDefinition {
  return definition;
}
