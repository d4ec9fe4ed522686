import { UnsupportedError } from "../errors.ts";
import type { BoundNode, ElementType, Tensor } from "../graph/graph.ts";
import { arrayOf, viewOf } from "../plan/arrays.ts";
import { CastType } from "../plan/format.ts";
import { isPortType } from "../plan/port-type.ts";
import type { RecordOf } from "../plan/record.ts";
import { elementCount } from "../plan/shape.ts";
import { perTensor, requireElements, requireMultiplier } from "./check.ts";
import { multiplyByQuantizedMultiplier, roundHalfAway } from "./fixed-point.ts";
import type { Addresses } from "./op.ts";
import { NOWHERE } from "./op.ts";
import { floatBits } from "./scale-bits.ts";

/** What each type of quantised values holds. */
const RANGES: Readonly<Partial<Record<ElementType, readonly [least: number, most: number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/**
 * A tensor of a type that quantised values have.
 * @throws UnsupportedError unsupported-type, empty-tensor, and as perTensor
 */
export function requireQuantized(tensor: Tensor, role: string): void {
  if (RANGES[tensor.type] === undefined) {
    throw new UnsupportedError(
      "unsupported-type",
      `${role} "${tensor.name}" is ${tensor.type}; quantised values are int8, uint8, int16 or int32: export the model with them`,
    );
  }
  requireElements(tensor, role);
  perTensor(tensor, role);
}

/** The record that brings `input` to the quantisation and type of `output`. */
export function convertRecord(input: Tensor, output: Tensor, at: Addresses): RecordOf<"convert"> {
  const from = input.type === "float32" ? undefined : perTensor(input, "input");
  const to = output.type === "float32" ? undefined : perTensor(output, "output");
  const [least, most] = RANGES[output.type] ?? [0, 0];
  const multiplier = from && to && requireMultiplier(from.scale / to.scale, output);
  return {
    op: "convert",
    input: (at.inputs[0] ?? NOWHERE).address,
    output: (at.outputs[0] ?? NOWHERE).address,
    length: elementCount(output.shape),
    from: CastType[input.type as keyof typeof CastType],
    to: CastType[output.type as keyof typeof CastType],
    inputZeroPoint: from?.zeroPoint ?? 0,
    outputZeroPoint: to?.zeroPoint ?? 0,
    multiplier: multiplier?.multiplier ?? 0,
    shift: multiplier?.shift ?? 0,
    scaleBits: floatBits((from ?? to)?.scale ?? 1),
    least,
    most,
  };
}

/** What QUANTIZE or DEQUANTIZE makes of a constant; undefined if the input is none. */
export function foldConversion({ inputs: [input], outputs: [output] }: BoundNode): Uint8Array | undefined {
  if (input?.data === undefined || output === undefined) return undefined;
  if (!isPortType(input.type) || !isPortType(output.type)) return undefined;
  // A copy: the file's bytes lie anywhere.
  const values = viewOf(input.type, Uint8Array.from(input.data).buffer, 0, elementCount(input.shape));
  const result = arrayOf(output.type, values.length);
  const converted = conversion(input, output);
  for (const [i, value] of values.entries()) result[i] = converted(value);
  return new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
}

/** The arithmetic of the kernels, which assembly/kernels/convert.ts states; storing to a float32 rounds. */
function conversion(input: Tensor, output: Tensor): (value: number) => number {
  if (output.type === "float32") {
    const { scale, zeroPoint } = perTensor(input, "input");
    return (value) => scale * ((value - zeroPoint) | 0);
  }
  const { scale, zeroPoint } = perTensor(output, "output");
  const [least, most] = RANGES[output.type] ?? [0, 0];
  const clamp = (value: number): number => Math.min(Math.max(value, least), most);
  if (input.type === "float32") {
    return (value) => {
      const rounded = roundHalfAway(Math.fround(value / scale));
      return Number.isNaN(rounded) ? zeroPoint : clamp(rounded + zeroPoint);
    };
  }
  const from = perTensor(input, "input");
  const multiplier = requireMultiplier(from.scale / scale, output);
  return (value) =>
    clamp((multiplyByQuantizedMultiplier((value - from.zeroPoint) | 0, multiplier) + zeroPoint) | 0);
}
