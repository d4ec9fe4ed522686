import { UnsupportedError } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { Relation } from "../plan/format.ts";
import type { ElementwiseOperands } from "./broadcast.ts";
import { broadcastFields } from "./broadcast.ts";
import { perTensor, requireInt8 } from "./check.ts";
import type { ElementwiseDefinition } from "./elementwise.ts";
import type { Multiplier } from "./fixed-point.ts";
import { quantizeMultiplier } from "./fixed-point.ts";

/** All of a comparison of int8 operands but its name and code in the file. Reference: TFLite Micro kernels/comparisons.cc. */
export function comparison(relation: Relation): Omit<ElementwiseDefinition<undefined>, "name" | "tflite"> {
  return {
    prepare: () => undefined,

    require({ lhs, rhs, output }: ElementwiseOperands) {
      requireInt8(lhs, "lhs");
      requireInt8(rhs, "rhs");
      multiplierOf(lhs);
      multiplierOf(rhs);
      broadcastFields(lhs, rhs);
      if (output.type === "bool") return;
      throw new UnsupportedError(
        "unsupported-type",
        `output "${output.name}" of a comparison is ${output.type}; it must be bool: export the model again`,
      );
    },

    record(loops, { lhs, rhs }) {
      const [left, right] = [multiplierOf(lhs), multiplierOf(rhs)];
      return {
        op: "compare",
        ...loops,
        relation,
        lhsZeroPoint: perTensor(lhs, "lhs").zeroPoint,
        rhsZeroPoint: perTensor(rhs, "rhs").zeroPoint,
        lhsMultiplier: left.multiplier,
        lhsShift: left.shift,
        rhsMultiplier: right.multiplier,
        rhsShift: right.shift,
      };
    },
  };
}

/** The operand's own scale. */
function multiplierOf(operand: Tensor): Multiplier {
  const { scale } = perTensor(operand, "operand");
  const multiplier = quantizeMultiplier(scale);
  if (multiplier.shift <= 0) return multiplier;
  throw new UnsupportedError(
    "scale-too-large",
    `operand "${operand.name}" of a comparison has scale ${scale}; it must be below 1: quantise again`,
  );
}
