import { ByteBuffer } from "flatbuffers";

/** Places in the tables of TensorFlow Lite's schema: 4 + 2 × the number of the field. */
const MODEL_SUBGRAPHS = 8;
const SUBGRAPH_TENSORS = 4;
const TENSOR_SHAPE = 4;
const TENSOR_QUANTIZATION = 12;
const QUANTIZED_DIMENSION = 16;

/**
 * A copy of a model in which no tensor is quantised along a dimension that it has not: person_detect says so of its biases, and
 * TensorFlow Lite of today refuses it for that.
 */
export function mendQuantizedDimensions(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const buffer = new ByteBuffer(copy);
  const child = (table: number, field: number): number | undefined => {
    const offset = buffer.__offset(table, field);
    return offset === 0 ? undefined : table + offset;
  };
  const tablesOf = (table: number, field: number): number[] => {
    const at = child(table, field);
    if (at === undefined) return [];
    const first = buffer.__vector(at);
    return Array.from({ length: buffer.__vector_len(at) }, (_, i) => buffer.__indirect(first + 4 * i));
  };
  const model = buffer.__indirect(0);
  for (const tensor of tablesOf(model, MODEL_SUBGRAPHS).flatMap((graph) =>
    tablesOf(graph, SUBGRAPH_TENSORS),
  )) {
    const shape = child(tensor, TENSOR_SHAPE);
    const quantization = child(tensor, TENSOR_QUANTIZATION);
    if (quantization === undefined) continue;
    const dimension = child(buffer.__indirect(quantization), QUANTIZED_DIMENSION);
    const rank = shape === undefined ? 0 : buffer.__vector_len(shape);
    if (dimension !== undefined && buffer.readInt32(dimension) >= Math.max(rank, 1))
      buffer.writeInt32(dimension, 0);
  }
  return copy;
}
