import { expect, test } from "vitest";
import { Requantization } from "../../src/plan/format.ts";
import { requantizationWord } from "../../src/plan/packing.ts";
import type { RecordOf, ViewWords } from "../../src/plan/record.ts";
import { verifyPlan } from "../../src/plan/verify.ts";
import { ARENA, CONSTANTS, writePlan } from "./write-plan.ts";

const HEIGHT = 6;
const BYTES = HEIGHT * HEIGHT * 4;

function view(address: number): ViewWords {
  const pixel = { pixelBytes: 4, rowBytes: 4 * HEIGHT, channels: 4 };
  return { address, ringRows: HEIGHT, height: HEIGHT, width: HEIGHT, ...pixel };
}

/** Checks a 3×3 kernel, its output `below` bytes below its input. */
function verify(
  method: Requantization,
  below: number,
  changed: Partial<RecordOf<"conv2d">> = {},
): () => unknown {
  const input = ARENA + BYTES;
  const output = input - below;
  const scratch = input + BYTES + 64;
  const record: RecordOf<"conv2d"> = {
    op: "conv2d",
    inputView: view(input),
    outputView: view(output),
    ...{ y0: 0, y1: HEIGHT, c0: 0, c1: 4, batches: 1, inputBatchBytes: BYTES, outputBatchBytes: BYTES },
    ...{ kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 },
    ...{ padTop: 1, padLeft: 1, weights: CONSTANTS, scratch, requantizationMultiplier: 0 },
    requantization: requantizationWord(method, 0),
    ...{ inputZeroPoint: 0, outputZeroPoint: 0, activationMin: -128, activationMax: 127 },
    ...changed,
  };
  const plan = writePlan({
    variant: "mcu",
    steps: [{ record, ids: [0, 1, -1] }],
    arenaBytes: scratch - ARENA + 4096,
    initial: [{ id: 0, address: input, bytes: BYTES }],
    final: [{ id: 1, address: output, bytes: BYTES }],
  });
  return () => {
    verifyPlan(plan);
  };
}

const { single, singleColumns } = Requantization;

test("columns read what rows have written: output and input may share no byte", () => {
  const rowBelow = 2 * 4 * HEIGHT;
  expect(verify(single, rowBelow)).not.toThrow();
  expect(verify(singleColumns, rowBelow)).toThrow("input");
  expect(verify(singleColumns, BYTES - 1)).toThrow("input");
  expect(verify(singleColumns, BYTES)).not.toThrow();
});

test("kernels with gaps between their rows or outputs, and other operators, do not slide", () => {
  expect(verify(singleColumns, BYTES, { dilationY: 2 })).toThrow("no kernel that slides down");
  expect(verify(singleColumns, BYTES, { dilationX: 2 })).toThrow("no kernel that slides down");
  expect(verify(singleColumns, BYTES, { kernelHeight: 1, strideY: 2 })).toThrow("slides down");
  const depthwise = { op: "depthwiseConv2d", depthMultiplier: 1, plane: 0 } as unknown as Partial<
    RecordOf<"conv2d">
  >;
  expect(verify(single, BYTES, depthwise)).not.toThrow();
  expect(verify(singleColumns, BYTES, depthwise)).toThrow("no kernel that slides down");
});
