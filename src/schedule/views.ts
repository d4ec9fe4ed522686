import type { BoundNode, Tensor } from "../graph/graph.ts";
import { byteSize } from "../graph/graph.ts";
import type { OpDefinition } from "../ops/op.ts";
import { NOWHERE, recordsOf } from "../ops/op.ts";

/** Where a value lies within another: nothing is copied into that or out of it. */
export interface View {
  /** The other value. */
  readonly whole: number;
  /** Bytes from its beginning. */
  readonly offset: number;
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
}

/** The nodes that need not run, and where the values lie that they would have made or read. */
export interface Views<Node extends Moving> {
  readonly viewOf: ReadonlyMap<number, View>;
  readonly nodes: ReadonlySet<Node>;
}

/**
 * Nodes that join whole tensors to one, or cut one into pieces, each in one run of bytes: CONCATENATION or PACK along the first dimension
 * that is not 1, and SPLIT, UNPACK, SLICE and the like. What they join is made where it is to lie; what they cut out is read where it
 * lies. A value is a part of one other at most, and a part has no parts; nothing is made from one part to another of the same value,
 * because the checker could not tell what is read from what is written.
 */
export function findViews<Node extends Moving>(
  nodes: readonly Node[],
  { rootOf, given, outputs, apart }: ViewSources,
): Views<Node> {
  const viewOf = new Map<number, View>();
  const wholes = new Set<number>();
  const found = new Set<Node>();
  const neighboursOf = new Map<number, Node[]>();
  for (const node of nodes) {
    for (const id of operandsOf(node.bound, rootOf)) {
      const known = neighboursOf.get(id);
      if (known === undefined) neighboursOf.set(id, [node]);
      else known.push(node);
    }
  }
  const mayBeWhole = (id: number): boolean => !viewOf.has(id) && !apart.has(id);
  const mayBePart = (id: number): boolean =>
    mayBeWhole(id) && !wholes.has(id) && !given.has(id) && !outputs.has(id);
  for (const node of nodes) {
    const [parts, whole] = partsOf(node, rootOf) ?? [];
    if (parts === undefined || whole === undefined || !mayBeWhole(whole)) continue;
    const ids = new Set(parts.map(([id]) => id));
    if (ids.size < parts.length || ids.has(whole) || ![...ids].every(mayBePart)) continue;
    const belongs = ({ id }: Tensor): boolean => {
      const root = rootOf(id);
      return root === whole || ids.has(root) || viewOf.get(root)?.whole === whole;
    };
    const isWithin = [...ids].some((id) =>
      neighboursOf.get(id)?.some((other) => {
        if (other === node || found.has(other)) return false;
        const { inputs, outputs } = other.bound;
        return outputs.some(belongs) && inputs.some((tensor) => tensor !== undefined && belongs(tensor));
      }),
    );
    if (isWithin) continue;
    for (const [id, offset] of parts) viewOf.set(id, { whole, offset });
    wholes.add(whole);
    found.add(node);
  }
  return { viewOf, nodes: found };
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

/** The values that a node joins or cuts out, with their offsets, and the value that has them all; undefined where it does anything else. */
function partsOf(
  { bound, op }: Moving,
  rootOf: (tensorId: number) => number,
): readonly [(readonly [number, number])[], number] | undefined {
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
    // Loops that follow each other in memory have become the innermost.
    const { n0, n1, n2, n3, n4, inputStride4, outputStride4 } = record;
    const isOneRun = n0 * n1 * n2 * n3 === 1 && inputStride4 === 1 && outputStride4 === 1;
    return isOneRun ? { bytes: n4, from: record.input, to: record.output, tensor, output } : undefined;
  });
  const [first] = copies;
  const [target] = outputs;
  if (first === undefined || target === undefined) return undefined;
  const joined = copies.flatMap((copy) =>
    copy?.from === 0 && copy.bytes === byteSize(copy.tensor)
      ? [[rootOf(copy.tensor.id), copy.to] as const]
      : [],
  );
  const bytes = copies.reduce((sum, copy) => sum + (copy?.bytes ?? 0), 0);
  if (outputs.length === 1 && joined.length === copies.length && bytes === byteSize(target)) {
    return [joined, rootOf(target.id)];
  }
  const source = rootOf(first.tensor.id);
  const cut = copies.flatMap((copy) => {
    const output = outputs[copy?.output ?? -1];
    const isWhole =
      copy !== undefined && copy.to === 0 && output !== undefined && copy.bytes === byteSize(output);
    return isWhole && rootOf(copy.tensor.id) === source ? [[output.id, copy.from] as const] : [];
  });
  return cut.length === copies.length && cut.length === outputs.length ? [cut, source] : undefined;
}
