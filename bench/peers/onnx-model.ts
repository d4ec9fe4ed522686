import { Message } from "./protobuf.ts";

/** Element types by their numbers in ONNX's TensorProto. */
const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;

export type OnnxType = keyof typeof ELEMENT_TYPES;

/** An input or output of the model. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
}

type Attributes = Readonly<Record<string, number | readonly number[]>>;
type Elements = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

/** The domain of the operators on quantised tensors that onnxruntime adds to ONNX. */
export const MICROSOFT = "com.microsoft";

const IR_VERSION = 8;
const OPSET = 17;
const MICROSOFT_OPSET = 1;

/** Collects the nodes and constants of an ONNX model. Field numbers are those of onnx.proto. */
export class OnnxModel {
  readonly #nodes: Message[] = [];
  readonly #constants: Message[] = [];
  #names = 0;

  /** A constant's name. */
  constant(shape: readonly number[], elements: Elements): string {
    const name = this.#name();
    const tensor = new Message();
    for (const size of shape) tensor.int(1, size);
    const bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
    tensor.int(2, ELEMENT_TYPES[typeOf(elements)]).string(8, name).bytes(9, bytes);
    this.#constants.push(tensor);
    return name;
  }

  /** A node of one output, whose name is returned. An empty input is an omitted one. */
  node(operator: string, inputs: readonly string[], attributes: Attributes = {}, domain = ""): string {
    const name = this.#name();
    const node = new Message();
    for (const input of inputs) node.string(1, input);
    node.string(2, name).string(3, name).string(4, operator);
    for (const [key, value] of Object.entries(attributes)) node.message(5, attribute(key, value));
    this.#nodes.push(node.string(7, domain));
    return name;
  }

  encode(inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): Uint8Array {
    const graph = new Message();
    for (const node of this.#nodes) graph.message(1, node);
    graph.string(2, "graph");
    for (const constant of this.#constants) graph.message(5, constant);
    for (const input of inputs) graph.message(11, valueInfo(input));
    for (const output of outputs) graph.message(12, valueInfo(output));
    return new Message()
      .int(1, IR_VERSION)
      .message(7, graph)
      .message(8, new Message().string(1, "").int(2, OPSET))
      .message(8, new Message().string(1, MICROSOFT).int(2, MICROSOFT_OPSET))
      .encode();
  }

  #name(): string {
    return `v${this.#names++}`;
  }
}

function typeOf(elements: Elements): OnnxType {
  if (elements instanceof Float32Array) return "float32";
  if (elements instanceof Uint8Array) return "uint8";
  if (elements instanceof Int8Array) return "int8";
  return elements instanceof Int32Array ? "int32" : "int64";
}

/** AttributeProto of kind INT or INTS. */
function attribute(name: string, value: number | readonly number[]): Message {
  const message = new Message().string(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, 2);
  for (const item of value) message.int(8, item);
  return message.int(20, 7);
}

function valueInfo({ name, type, shape }: OnnxValue): Message {
  const dimensions = new Message();
  for (const size of shape) dimensions.message(1, new Message().int(1, size));
  const tensor = new Message().int(1, ELEMENT_TYPES[type]).message(2, dimensions);
  return new Message().string(1, name).message(2, new Message().message(1, tensor));
}
