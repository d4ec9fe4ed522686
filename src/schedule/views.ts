import type { BoundNode, Tensor } from "../graph/graph.ts";
import { byteSize, elementBytes } from "../graph/graph.ts";
import type { OpDefinition } from "../ops/op.ts";
import { NOWHERE, recordsOf } from "../ops/op.ts";
import type { RecordOf } from "../plan/record.ts";

/** Where a value lies within another: nothing is copied into that or out of it. */
export interface View {
  /** The other value. */
  readonly whole: number;
  /** Bytes from its beginning. */
  readonly offset: number;
  /** Where others' channels lie between its pixels: the bytes of one, and from each to the next. Absent: it is one run. */
  readonly pixels?: { readonly bytes: number; readonly step: number };
}

/** A node that may only move bytes, and the definition of its operator. */
interface Moving {
  readonly bound: BoundNode;
  readonly op: OpDefinition;
}

/** What is known of the values when views are looked for. */
export interface ViewSources {
  /** The value of a tensor, under whatever shape. */
  readonly rootOf: (tensorId: number) => number;
  /** Values that no node makes: they can be cut into parts, but not be parts. */
  readonly given: ReadonlySet<number>;
  /** Values that the host reads: likewise. */
  readonly outputs: ReadonlySet<number>;
  /** Values that must not be touched at all. */
  readonly apart: ReadonlySet<number>;
  /** Parts may also be some channels of every pixel. */
  readonly channels: boolean;
}

/** The nodes that need not run, and where the values lie that they would have made or read. */
export interface Views<Node extends Moving> {
  readonly viewOf: ReadonlyMap<number, View>;
  readonly nodes: ReadonlySet<Node>;
}

/**
 * Nodes that join whole tensors to one, or cut one into pieces: CONCATENATION, PACK, SPLIT, UNPACK, SLICE and the like. What they join is
 * made where it is to lie; what they cut out is read where it lies. A piece is one run of bytes, along the first dimension that is not 1;
 * or with `channels` some channels of every pixel, if all who make and read it can step from pixel to pixel. A value is a part of one
 * other at most, and parts of parts are parts of the outermost; nothing is made from one part to another of the same value, because the
 * checker could not tell what is read from what is written.
 */
export function findViews<Node extends Moving>(
  nodes: readonly Node[],
  { rootOf, given, outputs, apart, channels }: ViewSources,
): Views<Node> {
  const viewOf = new Map<number, View>();
  /** Of a value what lies in it. */
  const partsIn = new Map<number, number[]>();
  const found = new Set<Node>();
  let moves = MAX_MOVES;
  const neighboursOf = new Map<number, Node[]>();
  for (const node of nodes) {
    for (const id of operandsOf(node.bound, rootOf)) {
      const known = neighboursOf.get(id);
      if (known === undefined) neighboursOf.set(id, [node]);
      else known.push(node);
    }
  }
  const mayBePart = (id: number): boolean =>
    !viewOf.has(id) && !apart.has(id) && !given.has(id) && !outputs.has(id);
  for (const node of nodes) {
    const { parts, whole } = partsOf(node, rootOf) ?? {};
    if (parts === undefined || whole === undefined || viewOf.has(whole) || apart.has(whole)) continue;
    const ids = new Set(parts.map(([id]) => id));
    if (ids.size < parts.length || ids.has(whole) || ![...ids].every(mayBePart)) continue;
    const others = (id: number): Node[] =>
      neighboursOf.get(id)?.filter((other) => other !== node && !found.has(other)) ?? [];
    const isReached = ([id, { pixels }]: Part): boolean =>
      pixels === undefined ||
      (channels && others(id).every((other) => seesPixels(other, rootOf, id, pixels.bytes)));
    if (!parts.every(isReached)) continue;
    const inner = parts.reduce((sum, [id]) => sum + (partsIn.get(id)?.length ?? 0), 0);
    if (inner > moves) continue;
    moves -= inner;
    const views: (readonly [number, View | undefined])[] = parts.flatMap((part) => [
      part,
      ...(partsIn.get(part[0]) ?? []).map((id) => [id, within(part[1], viewOf.get(id))] as const),
    ]);
    const members = new Set(views.map(([id]) => id));
    const belongs = ({ id }: Tensor): boolean => {
      const root = rootOf(id);
      return root === whole || members.has(root) || viewOf.get(root)?.whole === whole;
    };
    const isWithin = [...members].some((id) =>
      others(id).some(
        ({ bound: { inputs, outputs } }) =>
          outputs.some(belongs) && inputs.some((tensor) => tensor !== undefined && belongs(tensor)),
      ),
    );
    if (isWithin || views.some(([, view]) => view === undefined)) continue;
    for (const [id, view] of views) if (view !== undefined) viewOf.set(id, view);
    const known = partsIn.get(whole);
    if (known === undefined) partsIn.set(whole, [...members]);
    else for (const id of members) known.push(id);
    found.add(node);
  }
  return { viewOf, nodes: found };
}

/** How often parts become parts of another value: joins of joins take time that grows with the square of their number. */
const MAX_MOVES = 1 << 16;

/** A value that a node joins or cuts out. */
type Part = readonly [id: number, view: View];

/** Where a value lies in another that `part` of has itself become a part; undefined where its bytes lie in no such steps. */
function within(part: View, view: View | undefined): View | undefined {
  if (view === undefined) return undefined;
  const { offset, pixels } = view;
  const at = { whole: part.whole, offset: part.offset + offset };
  if (part.pixels === undefined) return pixels === undefined ? at : { ...at, pixels };
  return pixels?.step === part.pixels.bytes
    ? { ...at, pixels: { bytes: pixels.bytes, step: part.pixels.step } }
    : undefined;
}

/** Whether a node finds the pixels of value `id` by views, and for it they have so many bytes. */
function seesPixels(
  { bound, op }: Moving,
  rootOf: (tensorId: number) => number,
  id: number,
  bytes: number,
): boolean {
  const sees = (tensor: Tensor | undefined, isRead: boolean): boolean =>
    tensor === undefined ||
    rootOf(tensor.id) !== id ||
    (op.pitched?.(bound, isRead) === true &&
      (tensor.shape.at(-1) ?? 1) * elementBytes(tensor.type) === bytes);
  return (
    bound.inputs.every((tensor) => sees(tensor, true)) && bound.outputs.every((tensor) => sees(tensor, false))
  );
}

/** What a node reads and makes, each once. */
function operandsOf(
  { inputs, outputs }: BoundNode,
  rootOf: (tensorId: number) => number,
): ReadonlySet<number> {
  return new Set(
    [...inputs, ...outputs].flatMap((tensor) => (tensor === undefined ? [] : [rootOf(tensor.id)])),
  );
}

/** The values that a node joins or cuts out, and the value that has them all; undefined where it does anything else. */
function partsOf(
  { bound, op }: Moving,
  rootOf: (tensorId: number) => number,
): { readonly parts: readonly Part[]; readonly whole: number } | undefined {
  if (op.moves !== true) return undefined;
  const { inputs, outputs } = bound;
  const nowhere = { inputs: inputs.map(() => NOWHERE), outputs: outputs.map(() => NOWHERE) };
  const records = recordsOf(op, bound, { ...nowhere, packed: 0, scratch: 0, c0: 0, c1: 0 }, "mcu", undefined);
  const copies = records.map(({ record, input = 0, output = 0 }) => {
    const tensor = input === "packed" ? undefined : inputs[input];
    // A constant has no place: who reads it alone is refused.
    if (record.op !== "copy" || record.y1 !== 1 || tensor === undefined || tensor.data !== undefined) {
      return undefined;
    }
    const runs = runsOf(record);
    return runs && { ...runs, from: record.input, to: record.output, tensor, output };
  });
  const [first] = copies;
  const [target] = outputs;
  if (first === undefined || target === undefined) return undefined;
  const partAt = (id: number, whole: number, offset: number, { count, bytes }: Runs, step: number): Part => {
    const view = { whole, offset };
    return [id, count === 1 ? view : { ...view, pixels: { bytes, step } }];
  };
  const isAll = ({ count, bytes }: Runs, step: number, tensor: Tensor): boolean =>
    (count === 1 || step === bytes) && count * bytes === byteSize(tensor);
  const joined = copies.flatMap((copy) => {
    if (copy?.from !== 0 || !isAll(copy, copy.inputStep, copy.tensor)) return [];
    return [partAt(rootOf(copy.tensor.id), rootOf(target.id), copy.to, copy, copy.outputStep)];
  });
  const bytes = copies.reduce((sum, copy) => sum + (copy === undefined ? 0 : copy.count * copy.bytes), 0);
  if (outputs.length === 1 && joined.length === copies.length && bytes === byteSize(target)) {
    return { parts: joined, whole: rootOf(target.id) };
  }
  const source = rootOf(first.tensor.id);
  const cut = copies.flatMap((copy) => {
    const output = outputs[copy?.output ?? -1];
    if (copy?.to !== 0 || output === undefined || !isAll(copy, copy.outputStep, output)) return [];
    return rootOf(copy.tensor.id) === source
      ? [partAt(output.id, source, copy.from, copy, copy.inputStep)]
      : [];
  });
  return cut.length === copies.length && cut.length === outputs.length
    ? { parts: cut, whole: source }
    : undefined;
}

/** Equal runs of bytes, and how far it is from one to the next in either operand. */
interface Runs {
  readonly count: number;
  readonly bytes: number;
  readonly inputStep: number;
  readonly outputStep: number;
}

/** What a copy moves; undefined where its loops are more. Those that follow each other in memory have become the innermost. */
function runsOf(record: RecordOf<"copy">): Runs | undefined {
  const { n0, n1, n2, n3, n4, inputStride3, inputStride4, outputStride3, outputStride4 } = record;
  if (n0 * n1 * n2 !== 1) return undefined;
  const isRun = inputStride4 === 1 && outputStride4 === 1;
  if (!isRun && n3 !== 1) return undefined;
  const [count, bytes, inputStep, outputStep] = isRun
    ? [n3, n4, inputStride3, outputStride3]
    : [n4, 1, inputStride4, outputStride4];
  // Runs may come back to bytes that were there before: what is broadcast is no part.
  return count === 1 || Math.min(inputStep, outputStep) >= bytes
    ? { count, bytes, inputStep, outputStep }
    : undefined;
}
