/** Nodes with state, of graphs: their variables' bytes are changed in place. */
import type { BoundNode, Tensor } from "../../src/graph/graph.ts";
import { svdfReference } from "./svdf.ts";
import type { LstmGate } from "./unidirectional-sequence-lstm.ts";
import { lstmReference } from "./unidirectional-sequence-lstm.ts";

type Value = (tensor: Tensor) => Uint8Array;

/** A tensor's numbers, or those of one that is omitted: none. */
function numbers(node: BoundNode, index: number, value: Value): number[] {
  const tensor = node.inputs[index];
  if (tensor === undefined) return [];
  const bytes = value(tensor).slice();
  if (tensor.type === "int8") return [...new Int8Array(bytes.buffer)];
  if (tensor.type === "int16") return [...new Int16Array(bytes.buffer)];
  return [...new Int32Array(bytes.buffer)];
}

function scaleOf(tensor: Tensor | undefined): number {
  return tensor?.quantization?.scales[0] ?? NaN;
}

function zeroPointOf(tensor: Tensor | undefined): number {
  return tensor?.quantization?.zeroPoints[0] ?? NaN;
}

/** Writes a variable's numbers back to its bytes. */
function keep(node: BoundNode, index: number, value: Value, state: readonly number[]): void {
  const tensor = node.inputs[index];
  if (tensor === undefined) return;
  const bytes = tensor.type === "int16" ? Int16Array.from(state) : Int8Array.from(state);
  value(tensor).set(new Uint8Array(bytes.buffer));
}

export function runSvdf(node: BoundNode, value: Value): Uint8Array {
  const [input, features, time, bias, stateTensor] = node.inputs;
  const [output] = node.outputs;
  const { rank } = node.attrs as { readonly rank: number };
  const [filters = 0, depth = 0] = features?.shape ?? [];
  const state = numbers(node, 4, value);
  const out = svdfReference(
    {
      ...{ batches: input?.shape[0] ?? 0, depth, filters, rank, memory: time?.shape[1] ?? 0 },
      ...{ inputScale: scaleOf(input), inputZeroPoint: zeroPointOf(input) },
      ...{ features: Int8Array.from(numbers(node, 1, value)), featureScale: scaleOf(features) },
      ...{ time: numbers(node, 2, value), timeScale: scaleOf(time) },
      ...{ bias: bias === undefined ? [] : numbers(node, 3, value), stateScale: scaleOf(stateTensor) },
      ...{ stateType: stateTensor?.type === "int16" ? "int16" : "int8" },
      ...{ stateZeroPoint: zeroPointOf(stateTensor) },
      ...{ outputScale: scaleOf(output), outputZeroPoint: zeroPointOf(output) },
    },
    Int8Array.from(numbers(node, 0, value)),
    state,
  );
  keep(node, 4, value, state);
  return new Uint8Array(Int8Array.from(out).buffer);
}

/** Of int8. */
export function runLstm(node: BoundNode, value: Value): Uint8Array {
  const [input] = node.inputs;
  const [hidden, cell] = [node.inputs[18], node.inputs[19]];
  const { timeMajor, cellClip } = node.attrs as { readonly timeMajor: boolean; readonly cellClip: number };
  const [first = 0, second = 0, depth = 0] = input?.shape ?? [];
  const [batches, steps] = timeMajor ? [second, first] : [first, second];
  const gate = (index: number): LstmGate => ({
    ...{
      input: Int8Array.from(numbers(node, 1 + index, value)),
      inputScale: scaleOf(node.inputs[1 + index]),
    },
    recurrent: Int8Array.from(numbers(node, 5 + index, value)),
    recurrentScale: scaleOf(node.inputs[5 + index]),
    bias: numbers(node, 12 + index, value),
  });
  const state = { hidden: numbers(node, 18, value), cell: numbers(node, 19, value) };
  const out = lstmReference(
    {
      ...{ batches, steps, depth, cells: node.inputs[1]?.shape[0] ?? 0, timeMajor, cellClip, type: "int8" },
      ...{ inputScale: scaleOf(input), inputZeroPoint: zeroPointOf(input) },
      ...{ hiddenScale: scaleOf(hidden), hiddenZeroPoint: zeroPointOf(hidden) },
      ...{
        cellPower: Math.log2(scaleOf(cell)),
        input: gate(0),
        forget: gate(1),
        cell: gate(2),
        output: gate(3),
      },
    },
    numbers(node, 0, value),
    state,
  );
  keep(node, 18, value, state.hidden);
  keep(node, 19, value, state.cell);
  return new Uint8Array(Int8Array.from(out).buffer);
}
