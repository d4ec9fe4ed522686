import type { Variant } from "../../src/plan/variant.ts";
import { expect } from "vitest";
import type { BoundNode, Tensor } from "../../src/graph/graph.ts";
import type { Addresses, OpDefinition, Options } from "../../src/ops/op.ts";
import { recordsOf } from "../../src/ops/op.ts";
import type { PlanRecord } from "../../src/plan/record.ts";
import type { Kernels } from "../kernel-harness.ts";
import type { Int8Output } from "../reference/tensor.ts";

/** A tensor of a graph; a constant where `data` is given. */
export function int8Tensor(name: string, { shape, scale, zeroPoint }: Int8Output, data?: Int8Array): Tensor {
  const quantization = { scales: Float32Array.of(scale), zeroPoints: Int32Array.of(zeroPoint), axis: 0 };
  const tensor = { id: 0, name, shape, type: "int8", quantization } as const;
  return data === undefined ? tensor : { ...tensor, data: new Uint8Array(data) };
}

/** A constant int32 tensor. */
export function int32Tensor(name: string, values: readonly number[]): Tensor {
  const data = new Uint8Array(Int32Array.from(values).buffer);
  return { id: 0, name, shape: [values.length], type: "int32", data };
}

/** An options table whose fields have these values; the defaults where a field is not listed. */
export function options(fields: Readonly<Record<number, number | boolean>>): Options {
  return {
    int: (field, fallback) => Number(fields[field] ?? fallback),
    byte: (field, fallback) => Number(fields[field] ?? fallback),
    bool: (field, fallback) => Boolean(fields[field] ?? fallback),
    float: (field, fallback) => Number(fields[field] ?? fallback),
    ints: () => [],
  };
}

/** What import does with an operator: reads its options, prepares it and compares the shapes it infers. */
export function importNode(
  op: OpDefinition,
  inputs: readonly (Tensor | undefined)[],
  output: Tensor,
  fields: Readonly<Record<number, number | boolean>> = {},
): BoundNode {
  const attrs = op.prepare(inputs, [output], op.tflite.read(options(fields)));
  const [inferred] = op.infer(inputs, attrs, [output]);
  expect(inferred).toEqual({ shape: output.shape, type: output.type, quantization: output.quantization });
  return { name: output.name, attrs, inputs, outputs: [output] };
}

/** The one record of a node that has no other. */
export function onlyRecord(...lowering: Parameters<typeof recordsOf>): PlanRecord {
  const [lowered, ...others] = recordsOf(...lowering);
  if (lowered === undefined || others.length > 0) throw new Error(`${lowering[0].name} has not one record`);
  return lowered.record;
}

/** Packs the node's constants for the variant of `kernels` and lowers it to records. */
export function lowerNodeWhole(
  op: OpDefinition,
  node: BoundNode,
  kernels: Kernels,
  at: Pick<Addresses, "inputs" | "outputs">,
): readonly PlanRecord[] {
  const packed = op.pack?.(node, kernels.variant);
  const address = packed === undefined ? 0 : kernels.placeBytes(packed.bytes);
  const channels = node.outputs[0]?.shape.at(-1) ?? 1;
  const places = { ...at, packed: address, scratch: 0, c0: 0, c1: channels };
  return recordsOf(op, node, places, kernels.variant, packed).map(({ record }) => record);
}

/** As lowerNodeWhole, of a node that has one record. */
export function lowerNode(...lowering: Parameters<typeof lowerNodeWhole>): PlanRecord {
  const [record, ...others] = lowerNodeWhole(...lowering);
  if (record === undefined || others.length > 0) throw new Error(`${lowering[0].name} has not one record`);
  return record;
}

/** `length` int8 values from a seed, the extremes among them. */
export function int8Values(seed: number, length: number): Int8Array {
  let state = seed | 1;
  return Int8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const choice = (state >>> 8) & 15;
    if (choice === 0) return -128;
    return choice === 1 ? 127 : state & 0xff;
  });
}

/** Weights that a variant takes: `signed` refuses two of -128 side by side. */
export function weightsFor(variant: Variant, values: Int8Array): Int8Array {
  return variant === "signed" ? values.map((w) => Math.max(w, -127)) : values;
}

/** Runs one or several records and checks that only bytes [from, to) changed below the highest operand. */
export function executeWithin(
  kernels: Kernels,
  records: PlanRecord | readonly PlanRecord[],
  from: number,
  to: number,
): void {
  const end = kernels.allocate(0);
  const before = kernels.bytes.slice(1024, end);
  for (const record of [records].flat()) kernels.execute(record);
  const after = kernels.bytes.slice(1024, end);
  after.set(before.subarray(from - 1024, to - 1024), from - 1024);
  expect(Buffer.compare(before, after)).toBe(0);
}
