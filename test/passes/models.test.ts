import { describe, expect, test } from "vitest";
import { PASSES, runPasses } from "../../src/passes/index.ts";
import { importModel } from "../../src/tflite/import.ts";
import { goldenInputs } from "../golden-inputs.ts";
import { runGraph } from "../reference/run-graph.ts";
import { crc32Hex, golden, hasShared, modelBytes } from "../shared.ts";
import { expectEqualRuns, operators } from "./graphs.ts";

describe.skipIf(!hasShared)("real models", () => {
  test("mcunet_vww loses PAD, TRANSPOSE, QUANTIZE and DEQUANTIZE", () => {
    const result = runPasses(importModel(modelBytes("mcunet_vww")), PASSES);
    const left = new Set(operators(result));
    expect(left).toEqual(new Set(["conv2d", "depthwiseConv2d", "add", "mean", "reshape", "fullyConnected"]));
  });

  test.each(["mcunet_vww", "micro_speech_int8", "vww_mobilenet_int8"])("%s answers as it did", (name) => {
    const graph = importModel(modelBytes(name), name);
    const { inputs, runs, op_crc32_by_seed: crcs } = golden(name);
    const [first] = runs;
    if (first === undefined) throw new Error("the golden has no run");
    const bytes = goldenInputs(first.seed, first.kind, inputs);
    const before = runGraph(graph, bytes);
    // The graph as the file has it equals the reference: what the passes are compared with is right.
    for (const { source, outputs } of graph.nodes) {
      const made = before.made.get(outputs[0] ?? -1) ?? new Uint8Array(0);
      expect(crc32Hex(made), `operator ${source}`).toBe(crcs[String(first.seed)]?.[source]);
    }
    const after = runGraph(runPasses(graph, PASSES), bytes);
    expectEqualRuns(after, before);
    expect(after.outputs.map(crc32Hex)).toEqual(first.outputs.map(({ crc32 }) => crc32));
  });

  test.each(["person_detect_int8", "micro_speech_int8"])(
    "%s computes its one channel as a convolution",
    (name) => {
      const result = runPasses(importModel(modelBytes(name), name), PASSES);
      const [convolution] = result.nodes.filter(({ op }) => op !== "reshape");
      expect(convolution?.op).toBe("conv2d");
      expect(result.border).toBeUndefined();
    },
  );

  test("vww_mobilenet loses most of its last layers, which training left empty", () => {
    const result = runPasses(importModel(modelBytes("vww_mobilenet_int8")), PASSES);
    const channels = result.nodes
      .filter(({ op }) => op === "conv2d")
      .map(({ outputs: [output = -1] }) => result.tensors[output]?.shape[3]);
    expect(channels).toEqual([8, 16, 32, 32, 64, 62, 110, 70, 38, 22, 24, 40, 54, 22]);
  });

  test.each(["ad01_int8", "ic_resnet8_int8", "kws_dscnn_int8"])(
    "%s has nothing that passes could better",
    (name) => {
      const graph = importModel(modelBytes(name), name);
      expect(runPasses(graph, PASSES)).toBe(graph);
    },
  );
});
