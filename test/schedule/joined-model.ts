import fc from "fast-check";
import type { OptionField, WrittenModel, WrittenOperator, WrittenTensor } from "../model-writer.ts";
import { BUILTIN, options, SAME } from "../model-writer.ts";
import { bias, int32, int8, weights } from "../written-models.ts";

/** What has no name in BUILTIN. */
const SPLIT = 49;
const TRANSPOSE_CONV = 67;

/** Networks whose tensors are joined and split along channels: all have one scale and zero point, as joining needs. */
export class JoinedNet {
  readonly #tensors: WrittenTensor[] = [];
  readonly #operators: WrittenOperator[] = [];
  readonly input: number;

  constructor(shape: readonly number[]) {
    this.input = this.#activation(shape);
  }

  /** SqueezeNet: a 1×1 convolution to few channels, then one of 1×1 and one of 3×3 over them, joined. */
  fire(input: number, squeezed: number, expanded: number): number {
    const few = this.conv(input, squeezed, 1);
    return this.join([this.conv(few, expanded, 1), this.conv(few, expanded, 3)]);
  }

  /** Branches of several depths, one of them a pool. */
  inception(input: number, channels: number): number {
    return this.join([
      this.conv(input, channels, 1),
      this.conv(this.conv(input, 2, 1), channels + 1, 3),
      this.pool(input, 3),
      this.conv(this.pool(input, 2), 3, 1),
    ]);
  }

  /** DenseNet: each layer reads what all before it have made. */
  dense(input: number, layers: number, growth: number): number {
    let all = this.conv(input, growth + 1, 1);
    for (let i = 0; i < layers; i++) {
      const grown = this.conv(this.conv(all, 2 * growth, 1), growth, 3);
      all = this.join(i % 2 === 0 ? [all, grown] : [grown, all]);
    }
    return all;
  }

  /** Each of `count` shares of the channels goes another way. */
  branches(input: number, count: number, channels: number): number {
    const share = (this.shape(input)[3] ?? 0) / count;
    const parts = Array.from({ length: count }, (_, i) => this.cut(input, i * share, share));
    return this.join(
      parts.map((part, i) =>
        i === 0
          ? this.conv(part, channels, 3)
          : i === 1
            ? this.depthwise(part)
            : this.conv(part, channels, 1, 2, true),
      ),
    );
  }

  /** Some channels of every pixel. */
  cut(input: number, first: number, channels: number): number {
    const output = this.#activation(this.shape(input).with(3, channels));
    const begin = this.#add(int32([0, 0, 0, first]));
    const size = this.#add(int32([-1, -1, -1, channels]));
    this.#emit(BUILTIN.slice, [input, begin, size], [output], []);
    return output;
  }

  /** U-Net: what was there before rows were halved is joined to what is made of them. */
  hourglass(input: number, channels: number, transposed = false): number {
    const early = this.conv(input, channels, 3);
    const small = this.pool(early, 2, 2);
    const [batches = 1, height = 1, width = 1] = this.shape(early);
    const large = [batches, height, width, channels];
    if (!transposed) return this.join([early, this.#resize(small, large)]);
    const w = this.#add(weights([channels, 2, 2, channels]));
    const late = this.#activation(large);
    this.#emit(
      TRANSPOSE_CONV,
      [this.#add(int32(large)), w, small],
      [late],
      [{ byte: SAME }, { int: 2 }, { int: 2 }, { byte: 0 }],
    );
    return this.join([late, early]);
  }

  conv(input: number, channels: number, kernel: number, stride = 1, grow = false): number {
    const [batches = 1, height = 1, width = 1, depth = 1] = this.shape(input);
    const w = this.#add(weights([channels, kernel, kernel, depth]));
    const size = (n: number): number => Math.ceil(n / stride);
    const output = this.#activation([batches, size(height), size(width), channels]);
    this.#emit(
      BUILTIN.conv2d,
      [input, w, this.#add(bias(channels))],
      [output],
      options.conv2d(SAME, stride, channels % 2),
    );
    return grow ? this.#resize(output, [batches, height, width, channels]) : output;
  }

  depthwise(input: number): number {
    const depth = this.shape(input).at(-1) ?? 1;
    const w = this.#add(weights([1, 3, 3, depth], 3));
    const output = this.#activation(this.shape(input));
    this.#emit(
      BUILTIN.depthwiseConv2d,
      [input, w, this.#add(bias(depth))],
      [output],
      options.depthwiseConv2d(SAME, 1, 1, 1),
    );
    return output;
  }

  pool(input: number, kernel: number, stride = 1): number {
    const [batches = 1, height = 1, width = 1, depth = 1] = this.shape(input);
    const output = this.#activation([batches, Math.ceil(height / stride), Math.ceil(width / stride), depth]);
    const builtin = kernel % 2 === 0 ? BUILTIN.averagePool2d : BUILTIN.maxPool2d;
    this.#emit(builtin, [input], [output], options.pool2d(SAME, stride, kernel));
    return output;
  }

  join(inputs: readonly number[], axis = 3): number {
    const size = inputs.reduce((sum, id) => sum + (this.shape(id)[axis] ?? 0), 0);
    const output = this.#activation(this.shape(inputs[0] ?? 0).with(axis, size));
    this.#emit(BUILTIN.concatenation, inputs, [output], options.concatenation(axis));
    return output;
  }

  split(input: number, count: number): number[] {
    const shape = this.shape(input).with(3, (this.shape(input)[3] ?? 0) / count);
    const outputs = Array.from({ length: count }, () => this.#activation(shape));
    this.#emit(SPLIT, [this.#add(int32([3], [])), input], outputs, [{ int: count }]);
    return outputs;
  }

  /** An operator of one operand that is none of the above. */
  unary(builtin: number, input: number): number {
    const output = this.#activation(this.shape(input));
    this.#emit(builtin, [input], [output], []);
    return output;
  }

  /** The same bytes under another shape. */
  reshape(input: number, shape: readonly number[]): number {
    const output = this.#activation(shape);
    this.#emit(BUILTIN.reshape, [input, this.#add(int32(shape))], [output], []);
    return output;
  }

  shape(id: number): readonly number[] {
    return this.#tensors[id]?.shape ?? [];
  }

  model(outputs: readonly number[]): WrittenModel {
    return { tensors: this.#tensors, operators: this.#operators, inputs: [this.input], outputs };
  }

  #resize(input: number, shape: readonly number[]): number {
    const output = this.#activation(shape);
    const size = this.#add(int32(shape.slice(1, 3)));
    const builtin = (shape[3] ?? 0) % 2 === 0 ? BUILTIN.resizeBilinear : BUILTIN.resizeNearestNeighbor;
    this.#emit(builtin, [input, size], [output], options.resizeBilinear(false, false));
    return output;
  }

  #activation(shape: readonly number[]): number {
    return this.#add(int8(shape, 0.3, -5));
  }

  #emit(
    builtin: number,
    inputs: readonly number[],
    outputs: readonly number[],
    fields: readonly OptionField[],
  ): void {
    this.#operators.push({ builtin, inputs, outputs, options: fields });
  }

  #add(tensor: Omit<WrittenTensor, "name">): number {
    return this.#tensors.push({ ...tensor, name: `t${this.#tensors.length}` }) - 1;
  }
}

/** Networks of such modules, of any size, some with two images at once if they may. */
export function joinedModel(mostBatches = 2): fc.Arbitrary<WrittenModel> {
  const module = fc.record({
    kind: fc.constantFrom("fire", "inception", "dense", "branches", "hourglass", "conv"),
    count: fc.integer({ min: 2, max: 3 }),
    channels: fc.integer({ min: 1, max: 19 }),
    is: fc.boolean(),
  });
  return fc
    .record({
      batches: fc.constantFrom(1, 1, 1, mostBatches),
      height: fc.integer({ min: 1, max: 11 }),
      width: fc.integer({ min: 1, max: 11 }),
      depth: fc.integer({ min: 1, max: 9 }),
      modules: fc.array(module, { minLength: 1, maxLength: 3 }),
    })
    .map(({ batches, height, width, depth, modules }) => {
      const net = new JoinedNet([batches, height, width, depth]);
      let last = net.input;
      for (const { kind, count, channels, is } of modules) {
        if (kind === "fire") last = net.fire(last, 1 + (channels % 4), channels);
        else if (kind === "inception") last = net.inception(last, channels);
        else if (kind === "dense") last = net.dense(last, count, 1 + (channels % 7));
        else if (kind === "branches")
          last = net.branches(net.conv(last, count * channels, 1), count, channels);
        else if (kind === "hourglass") last = net.hourglass(last, channels);
        else last = net.conv(last, channels, 3, is ? 2 : 1);
      }
      return net.model([net.pool(last, 2)]);
    });
}
