import { expect } from "vitest";
import type { Graph, Node, Quantization, Tensor, TensorType } from "../../src/graph/graph.ts";
import { byteSize, tensorOf } from "../../src/graph/graph.ts";
import { opOf } from "../../src/ops/index.ts";
import { verifyOperators } from "../../src/ops/verify.ts";
import { type GraphRun, runGraph } from "../reference/run-graph.ts";

/** One scale and zero point. */
export function perTensor(scale: number, zeroPoint: number): Quantization {
  return { scales: Float32Array.of(scale), zeroPoints: Int32Array.of(zeroPoint), axis: 0 };
}

export const Q = perTensor(0.05, 3);

/** An int8 type. */
export function int8(shape: readonly number[], quantization: Quantization = Q): TensorType {
  return { type: "int8", shape, quantization };
}

export function float32(shape: readonly number[]): TensorType {
  return { type: "float32", shape };
}

/** Attributes of a convolution without padding. */
export const CONVOLUTION = {
  padTop: 0,
  padLeft: 0,
  padBottom: 0,
  padRight: 0,
  strideY: 1,
  strideX: 1,
  dilationY: 1,
  dilationX: 1,
  activation: 0,
};

/** Collects tensors and nodes; ids are handed out in order. */
export class GraphBuilder {
  readonly #tensors: Tensor[] = [];
  readonly #nodes: Node[] = [];
  readonly #inputs: number[] = [];

  tensor(id: number): Tensor {
    const tensor = this.#tensors[id];
    if (tensor === undefined) throw new Error(`no tensor ${id}`);
    return tensor;
  }

  input(type: TensorType): number {
    const id = this.#add(type);
    this.#inputs.push(id);
    return id;
  }

  /** A constant of these bytes, or of noise. */
  constant(type: TensorType, data: Uint8Array = noise(this.#tensors.length, byteSize(type))): number {
    return this.#add(type, data);
  }

  /** A node of one output, whose shape and type the operator infers from `inputs` and the output's quantisation. */
  node(op: string, inputs: readonly number[], attrs?: unknown, quantization = Q): number {
    const operands = inputs.map((id) => (id < 0 ? undefined : this.tensor(id)));
    const wanted: Tensor = { ...int8([], quantization), id: -1, name: "" };
    const [inferred] = opOf({ op }).infer(operands, attrs, [wanted]);
    if (inferred === undefined) throw new Error(`${op} infers nothing`);
    const { shape, type } = inferred;
    const id = this.#add(type === "float32" ? float32(shape) : { shape, type, quantization });
    const name = this.tensor(id).name;
    this.#nodes.push({ op, name, inputs, outputs: [id], attrs, source: this.#nodes.length });
    return id;
  }

  build(...outputs: readonly number[]): Graph {
    const graph = {
      name: "test",
      tensors: this.#tensors,
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs,
    };
    verifyOperators(graph, "the test");
    return deepFreeze(graph);
  }

  #add(type: TensorType, data?: Uint8Array): number {
    const id = this.#tensors.length;
    this.#tensors.push({ ...type, id, name: `t${id}`, ...(data === undefined ? {} : { data }) });
    return id;
  }
}

/** Names of the operators, in order. */
export function operators(graph: Graph): string[] {
  return graph.nodes.map(({ op }) => op);
}

/**
 * Applies `pass`, verifies the result and runs both graphs: ports, outputs and every tensor made by both are equal byte for
 * byte, and the pass has changed neither its argument nor the id of a tensor.
 */
export function applyExactly(pass: (graph: Graph) => Graph, graph: Graph): Graph {
  const copy = structuredClone(graph);
  const result = pass(deepFreeze(graph));
  expect(graph).toEqual(copy);
  verifyOperators(result, "the pass");
  for (const tensor of graph.tensors) {
    expect({ ...tensorOf(result, tensor.id), data: tensor.data }).toEqual({ ...tensor, data: tensor.data });
  }
  expect(ports(result)).toEqual(ports(graph));
  for (const seed of [1, 2]) {
    const inputs = inputBytes(graph, seed);
    const [after, before] = [runGraph(result, inputs), runGraph(graph, inputs)];
    expectEqualRuns(after, before);
    expectWhatIsLeft(result, after, before);
  }
  return result;
}

/** Tensors with fewer channels have what the others' channels have, and those lack what is said of them. */
function expectWhatIsLeft({ tensors }: Graph, actual: GraphRun, expected: GraphRun): void {
  for (const { id, shape, lacks } of tensors) {
    const made = actual.made.get(id);
    const whole = expected.made.get(lacks?.of ?? -1);
    if (lacks === undefined || made === undefined || whole === undefined) continue;
    const constants = new Map(lacks.channels);
    const channels = (shape.at(-1) ?? 0) + constants.size;
    const isLeft = (_: number, at: number): boolean => !constants.has(at % channels);
    expect(made, `tensor ${id}`).toEqual(whole.filter(isLeft));
    for (const [at, value] of new Int8Array(whole.buffer, whole.byteOffset, whole.length).entries()) {
      expect(constants.get(at % channels) ?? value).toBe(value);
    }
  }
}

/** Ids of inputs and outputs as the host sees them. */
function ports({ inputs, outputs, border }: Graph): unknown {
  return {
    inputs: inputs.map((id, i) => border?.inputs[i] ?? id),
    outputs: outputs.map((id, i) => border?.outputs[i] ?? id),
  };
}

export function expectEqualRuns(actual: GraphRun, expected: GraphRun): void {
  expect(actual.outputs).toEqual(expected.outputs);
  for (const [id, bytes] of actual.made) {
    const before = expected.made.get(id);
    if (before !== undefined) expect(bytes, `tensor ${id}`).toEqual(before);
  }
}

function inputBytes(graph: Graph, seed: number): Uint8Array[] {
  return graph.inputs.map((id, i) => {
    const tensor = tensorOf(graph, graph.border?.inputs[i] ?? id);
    if (tensor.type !== "float32") return noise(seed + i, byteSize(tensor));
    const ints = new Int8Array(noise(seed + i, byteSize(tensor) / 4).buffer);
    // Halves of the scale are where rounding shows.
    return new Uint8Array(Float32Array.from(ints, (x) => x * 0.025).buffer);
  });
}

/** Bytes from a seed. */
export function noise(seed: number, length: number): Uint8Array {
  let state = (seed + 1) * 0x9e3779b1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 11;
  });
}

/** Typed arrays cannot be frozen; comparing with a copy covers them. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) {
    return value;
  }
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
