import { UnsupportedError } from "../errors.ts";
import type { BoundNode, Graph, Node, Tensor } from "../graph/graph.ts";
import { bind, byteSize, tensorOf } from "../graph/graph.ts";
import { inputRows } from "../ops/input.ts";
import { opOf } from "../ops/index.ts";
import type { OpDefinition, RowAccess } from "../ops/op.ts";
import type { Variant } from "../plan/variant.ts";
import type { View } from "./views.ts";
import { findViews } from "./views.ts";

/** A node that computes something, and the values it reads and writes. Aliases have none. */
export interface Operation {
  readonly node: Node;
  readonly bound: BoundNode;
  readonly op: OpDefinition;
  /** How it runs row by row; undefined where it does not. */
  readonly rows: RowAccess | undefined;
  /** Per input, the value; undefined for constants and omitted inputs. */
  readonly reads: readonly (number | undefined)[];
  readonly writes: readonly number[];
  /** The pixels of what it reads lie apart, between the channels of others. */
  readonly isPitched: boolean;
}

/** What a group of aliased tensors stands for: bytes that keep their content from the operation that makes them to the last that reads them. */
export interface Value {
  /** Id of the tensor that is computed; the others of the group have its bytes under other shapes. */
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  /** Index of the operation that makes it; -1 for a graph input or variable that is there before the first. */
  readonly born: number;
  /** Index of the last operation that reads it (or makes it, if none reads it); their number for a graph output or variable. */
  readonly lastRead: number;
  /** Where it lies within another value; both are then there as long as the first and the last of all that lie there. */
  readonly view?: View;
  /** Others lie within it. */
  readonly hasParts?: true;
}

/** Whether a value shares its bytes with no other by design. */
export function liesApart(value: Value | undefined): boolean {
  return value?.view === undefined && value?.hasParts === undefined;
}

/**
 * Whether what a step makes may take the bytes of value `id`, as far as its last reader allows: it lies within no other, and the step
 * reads and makes nothing that lies within it.
 */
export function mayGiveWay(
  values: ReadonlyMap<number, Value>,
  operations: readonly Operation[],
  id: number,
): boolean {
  const value = values.get(id);
  if (value === undefined || value.view !== undefined) return false;
  const isPart = (other: number | undefined): boolean => values.get(other ?? -1)?.view?.whole === id;
  return (
    value.hasParts === undefined ||
    !operations.some(({ reads, writes }) => reads.some(isPart) || writes.some(isPart))
  );
}

/** A tensor that an operation completes without making it itself. */
export interface Completed {
  readonly tensor: Tensor;
  /** Index of the operator in the file that the tensor is an output of. */
  readonly source: number;
}

/** Which copies are saved: none, those of one run of bytes, or of some channels of every pixel too. */
export type SavedCopies = "none" | "runs" | "channels";

/** A graph as a list of operations on values: what is scheduled. */
export interface Program {
  readonly graph: Graph;
  /** Multiply-accumulates that are done a second time. */
  readonly extraMacs: number;
  readonly operations: readonly Operation[];
  readonly values: ReadonlyMap<number, Value>;
  /** Outputs of the nodes that views make needless, but for those that are there from the beginning. */
  readonly completed: ReadonlyMap<Operation, readonly Completed[]>;
  /** State of its operators: values that are there before the first run, and from run to run. */
  readonly variables: readonly Tensor[];
  /** The value that holds a tensor; undefined for constants and tensors that nothing uses. */
  valueOf(tensorId: number): number | undefined;
  /** Rows of the graph's inputs, by index, where they come row by row. */
  readonly inputRows: readonly (number | undefined)[];
}

/**
 * The operations of a graph, in its order. With `streamedInput` its inputs are made by operations too, which ask the host
 * for rows: as many as their first reader sees. Nodes that only join or cut are no operations where `saved` has their copies: their operands
 * lie within each other.
 * @throws UnsupportedError an alias of a constant that was not folded
 */
export function programOf(
  graph: Graph,
  streamedInput: boolean,
  extraMacs = 0,
  saved: SavedCopies = "none",
): Program {
  const rootOf = aliasRoots(graph);
  const sources = streamedInput
    ? graph.inputs.map((id, index) => inputOperation(graph, asRead(graph, rootOf, id), index))
    : [];
  const lowered = graph.nodes
    .map((node) => ({ node, bound: bind(graph, node), op: opOf(node) }))
    .filter(({ op }) => op.lower !== undefined);
  const variables = lowered.flatMap(({ bound }) =>
    bound.inputs.filter((tensor): tensor is Tensor => tensor?.isVariable === true),
  );
  const inputs = new Set(graph.inputs.map(rootOf));
  const { viewOf, nodes: viewed } = findViews(saved === "none" ? [] : lowered, {
    rootOf,
    given: inputs,
    outputs: new Set(graph.outputs.map(rootOf)),
    apart: new Set([...variables.map(({ id }) => id), ...(streamedInput ? inputs : [])]),
    channels: saved === "channels",
  });
  const wholeOf = (id: number): number => viewOf.get(id)?.whole ?? id;
  const computed = lowered.filter((one) => !viewed.has(one));
  const isMade = new Set(computed.flatMap(({ bound }) => bound.outputs.map(({ id }) => rootOf(id))));
  const cutOutOf = new Map<number, number[]>();
  for (const [id, { whole }] of viewOf) if (!isMade.has(id)) addTo(cutOutOf, whole, id);
  const wholes = new Set([...viewOf.values()].map(({ whole }) => whole));

  const values = new Map<number, { -readonly [K in keyof Value]: Value[K] }>();
  const place = (tensor: Tensor, born: number): void => {
    const id = rootOf(tensor.id);
    if (values.has(id)) return;
    const view = viewOf.get(id);
    values.set(id, {
      id,
      name: tensor.name,
      bytes: byteSize(tensor),
      born,
      lastRead: born,
      ...(view && { view }),
      ...(wholes.has(id) && { hasParts: true }),
    });
    // What is joined is there with its first part, what is cut out with the whole.
    if (view !== undefined) place(tensorOf(graph, view.whole), born);
    for (const part of cutOutOf.get(id) ?? []) place(tensorOf(graph, part), born);
  };
  const valueOf = (tensorId: number): number | undefined => {
    const id = rootOf(tensorId);
    return values.has(id) ? id : undefined;
  };
  /** With a part its whole is needed. */
  const extend = (id: number | undefined, index: number): void => {
    const whole = id === undefined ? undefined : values.get(wholeOf(id));
    if (whole !== undefined) whole.lastRead = Math.max(whole.lastRead, index);
  };
  if (!streamedInput) for (const id of graph.inputs) place(tensorOf(graph, id), -1);
  for (const tensor of variables) place(tensor, -1);
  const operations = [...sources, ...computed].map(({ node, bound, op }, index): Operation => {
    const reads = bound.inputs.map((tensor) => (tensor === undefined ? undefined : valueOf(tensor.id)));
    for (const id of reads) extend(id, index);
    for (const output of bound.outputs) place(output, index);
    for (const { id } of bound.outputs) extend(rootOf(id), index);
    return {
      node,
      bound,
      op,
      rows: op.rows?.(bound),
      reads,
      writes: bound.outputs.map(({ id }) => rootOf(id)),
      isPitched: reads.some((id) => values.get(id ?? -1)?.view?.pixels !== undefined),
    };
  });
  for (const id of graph.outputs) extend(valueOf(id), operations.length);
  for (const { id } of variables) extend(valueOf(id), operations.length);
  for (const value of values.values()) {
    value.lastRead = values.get(value.view?.whole ?? value.id)?.lastRead ?? value.lastRead;
  }
  return {
    completed: completedBy(operations, viewed, (tensorId) => wholeOf(rootOf(tensorId))),
    graph,
    variables,
    extraMacs,
    operations,
    values,
    valueOf,
    inputRows: graph.inputs.map((_, i) => sources[i]?.op.rows?.(sources[i].bound)?.rows),
  };
}

/** The outputs of nodes that views make needless, by the last operation that makes their value or a part of it. */
function completedBy(
  operations: readonly Operation[],
  viewed: Iterable<Pick<Operation, "node" | "bound">>,
  wholeOf: (tensorId: number) => number,
): Map<Operation, Completed[]> {
  const madeBy = new Map(
    operations.flatMap((operation) => operation.writes.map((id) => [wholeOf(id), operation])),
  );
  const completed = new Map<Operation, Completed[]>();
  for (const { node, bound } of viewed) {
    for (const tensor of bound.outputs) {
      const operation = madeBy.get(wholeOf(tensor.id));
      if (operation !== undefined) addTo(completed, operation, { tensor, source: node.source });
    }
  }
  return completed;
}

function addTo<Key, One>(lists: Map<Key, One[]>, key: Key, one: One): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [one]);
  else list.push(one);
}

/** The program with all operations run in less time and with more bytes of weights that can be; undefined if none can. */
export function fasterProgram(program: Program, variant: Variant): Program | undefined {
  const others = new Map(
    program.operations.flatMap((operation) => {
      const op = operation.op.faster?.(operation.bound, variant);
      return op === undefined ? [] : [[operation, { ...operation, op }] as const];
    }),
  );
  if (others.size === 0) return undefined;
  return {
    ...program,
    operations: program.operations.map((operation) => others.get(operation) ?? operation),
    completed: new Map([...program.completed].map(([by, tensors]) => [others.get(by) ?? by, tensors])),
  };
}

/** An operation without inputs that makes the graph's input `index`. */
function inputOperation(graph: Graph, id: number, index: number): Pick<Operation, "node" | "bound" | "op"> {
  const { name } = tensorOf(graph, id);
  const node = { op: inputRows.name, name, inputs: [], outputs: [id], attrs: { index }, source: -1 };
  return { node, bound: bind(graph, node), op: inputRows };
}

/** An input as its first reader sees it, perhaps under another shape: that has the rows. */
function asRead(graph: Graph, rootOf: (id: number) => number, input: number): number {
  const readers = graph.nodes.filter((node) => opOf(node).alias !== true);
  const read = readers.flatMap(({ inputs }) => inputs).find((id) => id >= 0 && rootOf(id) === input);
  return read ?? input;
}

/** Follows aliases back to the tensor whose bytes they share. */
function aliasRoots(graph: Graph): (tensorId: number) => number {
  const parent = new Map<number, number>();
  for (const node of graph.nodes) {
    if (opOf(node).alias !== true) continue;
    const [input = -1] = node.inputs;
    const [output = -1] = node.outputs;
    if (tensorOf(graph, input).data !== undefined) {
      throw new UnsupportedError(
        "constant-alias",
        `${node.op} "${node.name}" reshapes a constant; compile with the default passes, which fold all but outputs of the graph`,
      );
    }
    parent.set(output, parent.get(input) ?? input);
  }
  return (tensorId) => parent.get(tensorId) ?? tensorId;
}
