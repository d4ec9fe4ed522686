import { expect } from "vitest";
import { compile } from "../../src/compile.ts";
import { ThimbleError } from "../../src/errors.ts";
import {
  BufferField,
  ModelField,
  OperatorCodeField,
  OperatorField,
  QuantizationField,
  SubGraphField,
  TensorField,
} from "../../src/tflite/schema.ts";

const FIELDS: Readonly<Record<string, number>> = {
  ...entries("model", ModelField),
  ...entries("subgraphs", SubGraphField),
  ...entries("tensors", TensorField),
  ...entries("operators", OperatorField),
  ...entries("operatorCodes", OperatorCodeField),
  ...entries("buffers", BufferField),
  ...entries("quantization", QuantizationField),
};

function entries(table: string, fields: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, id]) =>
      typeof id === "number" ? [[`${table}.${name}`, id]] : [],
    ),
  );
}

/** Byte positions in a written model. */
export interface Place {
  /** Of the field's value in its table, or of the entry in its vector: what holds an offset, or the scalar itself. */
  readonly slot: number;
  /** Of the table that has the field, and of its vtable. */
  readonly table: number;
  readonly vtable: number;
  /** What the slot's offset points to: a table, or the length of a vector. */
  readonly target: number;
}

/** Follows a path such as `subgraphs/0/tensors/2/shape`; the empty path is the root table's own offset. */
export function locate(bytes: Uint8Array, path: string): Place {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const follow = (slot: number): number => slot + view.getUint32(slot, true);
  let kind = "model";
  let slot = 0;
  let table = 0;
  let vtable = 0;
  for (const part of path === "" ? [] : path.split("/")) {
    if (/^\d+$/.test(part)) {
      slot = follow(slot) + 4 + 4 * Number(part);
      continue;
    }
    const id = FIELDS[`${kind}.${part}`];
    if (id === undefined) throw new Error(`no field ${part} in ${kind}`);
    table = follow(slot);
    vtable = table - view.getInt32(table, true);
    slot = table + view.getUint16(vtable + 4 + 2 * id, true);
    kind = part;
  }
  const within = slot + 4 <= bytes.length;
  return { slot, table, vtable, target: within ? follow(slot) : NaN };
}

/** A copy of the file in which `change` has been at the place of `path`. */
export function damaged(
  bytes: Uint8Array,
  path: string,
  change: (view: DataView, place: Place) => void,
): Uint8Array {
  const copy = bytes.slice();
  change(new DataView(copy.buffer), locate(copy, path));
  return copy;
}

/** Milliseconds that a file of this size may take: ten times what it does, so that only what runs away is caught. */
export function timeAllowed(bytes: Uint8Array): number {
  return 2500 + bytes.length / 100;
}

/** The error that compiling ends in; anything but an image or a coded `ThimbleError` fails the test, as does slowness. */
export function compileError(bytes: Uint8Array): ThimbleError | undefined {
  let slowness = Infinity;
  let result: ThimbleError | undefined;
  // The machine may be busy: what is quick once is quick.
  for (let attempt = 0; attempt < 3 && slowness > timeAllowed(bytes); attempt++) {
    const start = performance.now();
    result = undefined;
    try {
      compile(bytes);
    } catch (error) {
      if (!(error instanceof ThimbleError)) throw error;
      expect(error.code).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(error.message.length).toBeLessThan(8192);
      result = error;
    }
    slowness = performance.now() - start;
  }
  expect(slowness).toBeLessThan(timeAllowed(bytes));
  return result;
}
