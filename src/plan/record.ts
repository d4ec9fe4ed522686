import {
  AddField,
  AddNField,
  ArgExtremeField,
  AveragePool2dField,
  BatchMatmulField,
  CastField,
  CompareField,
  Conv2dField,
  Conv2dInt16Field,
  ConvertField,
  CopyField,
  CumsumField,
  DepthwiseConv2dField,
  DequantizeField,
  ElementwiseField,
  ElementwiseInt16Field,
  EndField,
  FetchField,
  FlipSignField,
  GatherField,
  Head,
  Header,
  InputField,
  L2NormalizationField,
  LogSoftmaxField,
  LookupField,
  MaxPool2dField,
  MeanField,
  MulField,
  Op,
  PadField,
  Pool2dInt16Field,
  PreluField,
  QuantizeField,
  ReduceExtremeField,
  RequantizeField,
  ResizeBilinearField,
  ResizeNearestField,
  ScaleInt16Field,
  SelectField,
  SigmoidInt16Field,
  SoftmaxField,
  SoftmaxInt16Field,
  StageField,
  StreamField,
  SvdfField,
  TilesField,
  UnidirectionalSequenceLstmField,
  View,
  WeightedSumField,
} from "./format.ts";

/** The fields of every operator; a new member of `Op` that is missing here does not compile. */
export const FIELDS = {
  end: EndField,
  fetch: FetchField,
  flipSign: FlipSignField,
  conv2d: Conv2dField,
  depthwiseConv2d: DepthwiseConv2dField,
  averagePool2d: AveragePool2dField,
  maxPool2d: MaxPool2dField,
  add: AddField,
  mul: MulField,
  mean: MeanField,
  softmax: SoftmaxField,
  pad: PadField,
  copy: CopyField,
  quantize: QuantizeField,
  dequantize: DequantizeField,
  requantize: RequantizeField,
  stream: StreamField,
  stage: StageField,
  input: InputField,
  tiles: TilesField,
  resizeBilinear: ResizeBilinearField,
  resizeNearest: ResizeNearestField,
  lookup: LookupField,
  sub: AddField,
  minimum: ElementwiseField,
  maximum: ElementwiseField,
  squaredDifference: AddField,
  div: MulField,
  compare: CompareField,
  prelu: PreluField,
  reduceExtreme: ReduceExtremeField,
  argExtreme: ArgExtremeField,
  cumsum: CumsumField,
  l2Normalization: L2NormalizationField,
  logSoftmax: LogSoftmaxField,
  cast: CastField,
  gather: GatherField,
  select: SelectField,
  batchMatmul: BatchMatmulField,
  unidirectionalSequenceLstm: UnidirectionalSequenceLstmField,
  svdf: SvdfField,
  convert: ConvertField,
  conv2dInt16: Conv2dInt16Field,
  elementwiseInt16: ElementwiseInt16Field,
  scaleInt16: ScaleInt16Field,
  sigmoidInt16: SigmoidInt16Field,
  pool2dInt16: Pool2dInt16Field,
  meanInt16: MeanField,
  softmaxToInt16: SoftmaxField,
  softmaxInt16: SoftmaxInt16Field,
  addN: AddNField,
  conv2dWinograd: Conv2dField,
  weightedSum: WeightedSumField,
} satisfies Record<keyof typeof Op, Record<string, string | number>>;

export type RecordOp = keyof typeof Op;

/** Host form of the seven words of a view. */
export type ViewWords = { readonly [K in Exclude<keyof typeof View, "words">]: number };

type FieldName<O extends RecordOp> = Exclude<keyof (typeof FIELDS)[O] & string, "op" | "words">;

/** One record of operator O, fields by name. */
export type RecordOf<O extends RecordOp> = { readonly op: O } & {
  readonly [K in FieldName<O>]: K extends `${string}View` ? ViewWords : number;
};

/** A record of any operator. */
export type PlanRecord = { [O in RecordOp]: RecordOf<O> }[RecordOp];

interface FieldSlot {
  readonly name: string;
  readonly word: number;
  readonly isView: boolean;
}

interface RecordShape {
  readonly op: RecordOp;
  readonly words: number;
  readonly fields: readonly FieldSlot[];
}

const VIEW_NAMES = memberNames(View).filter((name) => name !== "words") as (keyof ViewWords)[];

const shapes = new Map<number, RecordShape>();

function memberNames(members: object): string[] {
  return Object.keys(members).filter((key) => Number.isNaN(Number(key)));
}

/** Made when it is first asked for: all of them would be a tenth of what importing the package takes. */
function shapeOf(number: number): RecordShape | undefined {
  const known = shapes.get(number);
  const op = Op[number] as RecordOp | undefined;
  if (known !== undefined || op === undefined) return known;
  const members = FIELDS[op] as unknown as Record<string, number>;
  const fields = memberNames(members)
    .filter((name) => name !== "op" && name !== "words")
    .map((name) => ({ name, word: members[name] ?? 0, isView: name.endsWith("View") }));
  const words = Math.max(2, ...fields.map((field) => field.word + (field.isView ? View.words : 1)));
  const shape = { op, words, fields };
  shapes.set(number, shape);
  return shape;
}

/** Size of a record of this operator in bytes. */
export function recordBytes(op: RecordOp): number {
  return 4 * (shapeOf(Op[op])?.words ?? 0);
}

/** The record as 32-bit words. */
export function encodeRecord(record: PlanRecord): Int32Array {
  const shape = shapeOf(Op[record.op]);
  if (shape === undefined) throw new RangeError(`no record layout for ${record.op}`);
  const words = new Int32Array(shape.words);
  words[Head.op] = Op[record.op];
  words[Head.words] = shape.words;
  const values = record as unknown as Record<string, number | ViewWords>;
  for (const field of shape.fields) {
    const value = values[field.name];
    if (typeof value === "number") words[field.word] = value;
    else if (value !== undefined) for (const name of VIEW_NAMES) words[field.word + View[name]] = value[name];
  }
  return words;
}

/** Reads the record at word `at`; undefined if the operator is unknown or the record's length is wrong. */
export function decodeRecord(words: Int32Array, at: number): PlanRecord | undefined {
  const shape = shapeOf(words[at + Head.op] ?? -1);
  if (shape === undefined || words[at + Head.words] !== shape.words || at + shape.words > words.length) {
    return undefined;
  }
  const record: Record<string, unknown> = { op: shape.op };
  for (const field of shape.fields) {
    record[field.name] = field.isView
      ? Object.fromEntries(VIEW_NAMES.map((name) => [name, words[at + field.word + View[name]] ?? 0]))
      : (words[at + field.word] ?? 0);
  }
  return record as unknown as PlanRecord;
}

/** A record, and the address of its first word. */
export interface PlacedRecord {
  readonly address: number;
  readonly record: PlanRecord;
}

/** The records of the plan in `sram` in their order, up to `end`, which is the last; or up to one that is unknown or cut. */
export function* planRecords(sram: Uint8Array): Generator<PlacedRecord> {
  const words = new Int32Array(sram.slice(0, sram.length & ~3).buffer);
  for (let address = words[Header.entry] ?? 0; ;) {
    const record = decodeRecord(words, address >> 2);
    if (record === undefined) return;
    yield { address, record };
    if (record.op === "end") return;
    address += recordBytes(record.op);
  }
}
