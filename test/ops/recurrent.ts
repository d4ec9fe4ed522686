import { expect } from "vitest";
import type { BoundNode, Tensor } from "../../src/graph/graph.ts";
import { byteSize } from "../../src/graph/graph.ts";
import type { OpDefinition } from "../../src/ops/op.ts";
import { recordsOf } from "../../src/ops/op.ts";
import type { Kernels } from "../kernel-harness.ts";
import { int8Values } from "./node.ts";

/** A tensor of one scale; a constant where `data` is given. */
export function tensorOf(
  name: string,
  type: Tensor["type"],
  shape: readonly number[],
  { scale, zeroPoint = 0 }: { readonly scale: number; readonly zeroPoint?: number },
  data?: ArrayBufferView,
): Tensor {
  const quantization = { scales: Float32Array.of(scale), zeroPoints: Int32Array.of(zeroPoint), axis: 0 };
  const tensor = { id: 0, name, shape, type, quantization };
  if (data === undefined) return tensor;
  return { ...tensor, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

/** Values of a type from a seed, extremes among them. */
export function valuesOf(type: "int8" | "int16", seed: number, length: number): number[] {
  if (type === "int8") return [...int8Values(seed, length)];
  const high = int8Values(seed, length);
  return Array.from(int8Values(seed + 99, length), (low, i) =>
    Math.max(-32768, Math.min(32767, 256 * (high[i] ?? 0) + low)),
  );
}

/** A stateful node in memory: what it reads and writes, and its record. */
export interface Placed {
  readonly input: number;
  readonly output: number;
  /** Addresses of its states, by operand. */
  readonly states: ReadonlyMap<string, number>;
  /** Runs the record, and checks that it has written its output, states and scratch alone. */
  readonly run: () => void;
}

/** Places a node's weights, states and scratch; its output apart, or where it shares as much as it may with the input. */
export function placeNode(op: OpDefinition, node: BoundNode, kernels: Kernels, shared = false): Placed {
  const { variant } = kernels;
  kernels.reset();
  const packed = op.pack?.(node, variant);
  if (packed === undefined) throw new Error(`${op.name} packs nothing`);
  const weights = kernels.placeBytes(packed.bytes);
  const sizeOf = (tensor: Tensor | undefined): number => (tensor === undefined ? 0 : byteSize(tensor));
  const inputs = node.inputs.map(() => 0);
  // Room for an output below it, and for one that is longer.
  kernels.allocate(sizeOf(node.outputs[0]));
  inputs[0] = kernels.allocate(Math.max(sizeOf(node.inputs[0]), sizeOf(node.outputs[0])));
  const states = new Map(
    Object.entries(op.states ?? {}).map(([operand, index]) => {
      inputs[index] = kernels.allocate(sizeOf(node.inputs[index]));
      return [operand, inputs[index]] as const;
    }),
  );
  const distance = shared ? op.overlapDistance?.(node, 0, variant) : undefined;
  const output = distance === undefined ? kernels.allocate(sizeOf(node.outputs[0])) : inputs[0] - distance;
  const scratchBytes = op.scratchBytes?.(node, variant) ?? 0;
  const scratch = kernels.allocate(scratchBytes);
  const end = kernels.allocate(0);
  const at = {
    inputs: inputs.map((address) => ({ address })),
    outputs: [{ address: output }],
    packed: weights,
    scratch,
    c0: 0,
    c1: node.outputs[0]?.shape.at(-1) ?? 1,
  };
  const records = recordsOf(op, node, at, variant, packed).map(({ record }) => record);
  const written = [
    [output, sizeOf(node.outputs[0])],
    [scratch, scratchBytes],
    ...Object.entries(op.states ?? {}).map(([operand, index]) => [
      states.get(operand) ?? 0,
      sizeOf(node.inputs[index]),
    ]),
  ] as [number, number][];
  return {
    input: inputs[0],
    output,
    states,
    run: () => {
      const before = kernels.bytes.slice(1024, end);
      for (const record of records) kernels.execute(record);
      const after = kernels.bytes.slice(1024, end);
      for (const [address, bytes] of written) {
        after.set(before.subarray(address - 1024, address - 1024 + bytes), address - 1024);
      }
      expect(Buffer.compare(before, after)).toBe(0);
    },
  };
}

/** Writes values of an int8 activation in storage form, or of int16. */
export function writeValues(
  kernels: Kernels,
  address: number,
  type: "int8" | "int16",
  values: readonly number[],
): void {
  if (type === "int8") kernels.writeActivations(address, Int8Array.from(values));
  else kernels.bytes.set(new Uint8Array(Int16Array.from(values).buffer), address);
}

/** Reads them back. */
export function readValues(
  kernels: Kernels,
  address: number,
  type: "int8" | "int16",
  length: number,
): number[] {
  if (type === "int8") return [...kernels.readActivations(address, length)];
  return [...new Int16Array(kernels.bytes.slice(address, address + 2 * length).buffer)];
}
