import fc from "fast-check";
import type { OptionField, WrittenModel, WrittenOperator, WrittenTensor } from "../model-writer.ts";
import { BUILTIN, options, SAME, VALID } from "../model-writer.ts";
import { elementCount } from "../../src/plan/shape.ts";
import { bias, int32, int8, weights } from "../written-models.ts";

/** A piece of a network, and what it is like. */
interface Block {
  readonly kind:
    | "conv"
    | "depthwise"
    | "pool"
    | "residual"
    | "squeeze"
    | "join"
    | "concatenate"
    | "resize"
    | "scale"
    | "pad"
    | "reshape";
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly valid: boolean;
  readonly channels: number;
  readonly activation: number;
  readonly back: number;
}

const block: fc.Arbitrary<Block> = fc.record({
  kind: fc.constantFrom(
    "conv",
    "conv",
    "depthwise",
    "depthwise",
    "pool",
    "residual",
    "residual",
    "squeeze",
    "join",
    "concatenate",
    "concatenate",
    "resize",
    "scale",
    "pad",
    "reshape",
  ),
  kernel: fc.integer({ min: 1, max: 7 }),
  stride: fc.constantFrom(1, 1, 1, 2),
  dilation: fc.constantFrom(1, 1, 1, 2),
  valid: fc.boolean(),
  channels: fc.integer({ min: 1, max: 40 }),
  activation: fc.constantFrom(0, 1, 3),
  back: fc.nat(5),
});

/** How a network ends: with its rows, their mean, or that in two steps. */
type Ending = "rows" | "average" | "mean" | "means";

/** Networks that are cut into streams: convolutional blocks, residuals, squeeze-and-excite branches, odd sizes. */
export function blockModel(longest = 8): fc.Arbitrary<WrittenModel> {
  return fc
    .record({
      height: fc.integer({ min: 3, max: 27 }),
      width: fc.integer({ min: 1, max: 23 }),
      channels: fc.integer({ min: 1, max: 9 }),
      blocks: fc.array(block, { minLength: 2, maxLength: longest, size: "max" }),
      ending: fc.constantFrom<Ending>("rows", "average", "mean", "means"),
      alsoOut: fc.option(fc.nat(5), { freq: 4 }),
    })
    .map(({ height, width, channels, blocks, ending, alsoOut }) => {
      const net = new BlockNet([1, height, width, channels]);
      for (const each of blocks) net.grow(each);
      net.end(ending);
      return net.model(alsoOut ?? undefined);
    });
}

class BlockNet {
  readonly #tensors: WrittenTensor[] = [];
  readonly #operators: WrittenOperator[] = [];
  /** Activations in the order in which they are made. */
  readonly #made: number[] = [];

  constructor(shape: readonly number[]) {
    this.#activation(shape, 0.05, 3);
  }

  grow({ kind, kernel, stride, dilation, valid, channels, activation, back }: Block): void {
    const input = this.#made.at(-1) ?? 0;
    const [, height = 1, width = 1, depth = 1] = this.#shape(input);
    const padding = valid && (kernel - 1) * dilation < Math.min(height, width) ? VALID : SAME;
    switch (kind) {
      case "conv":
        this.#conv(input, channels, kernel, stride, padding, activation, stride === 1 ? dilation : 1);
        return;
      case "depthwise":
        this.#depthwise(
          input,
          kernel,
          stride,
          padding === VALID && kernel > Math.min(height, width) ? SAME : padding,
        );
        return;
      case "pool": {
        const size = Math.min(kernel, height, width);
        const shape = this.#windowed(input, size, stride, 1, padding, depth);
        const output = this.#activation(shape, this.#scale(input), this.#zeroPoint(input));
        const builtin = back % 2 === 0 ? BUILTIN.averagePool2d : BUILTIN.maxPool2d;
        this.#emit(builtin, [input], output, options.pool2d(padding, stride, size, activation));
        return;
      }
      case "residual": {
        const wide = this.#conv(input, depth * 2, 1, 1, SAME, 1);
        const moved = this.#depthwise(wide, kernel, 1, SAME);
        const narrow = this.#conv(moved, depth, 1, 1, SAME, 0);
        const pair = back % 2 === 0 ? [narrow, input] : [input, narrow];
        this.#emit(
          BUILTIN.add,
          pair,
          this.#activation(this.#shape(input), 0.2),
          options.elementwise(activation),
        );
        return;
      }
      case "squeeze": {
        let mean = input;
        for (const [axes, shape] of back % 2 === 0
          ? ([
              [[2], [1, height, 1, depth]],
              [[1], [1, 1, 1, depth]],
            ] as const)
          : ([
              [
                [1, 2],
                [1, 1, 1, depth],
              ],
            ] as const)) {
          const output = this.#activation(shape, 0.1, 1);
          this.#emit(BUILTIN.mean, [mean, this.#add(int32(axes))], output, options.mean(true));
          mean = output;
        }
        const small = this.#conv(mean, 1 + (channels % 5), 1, 1, SAME, 1);
        const scale = this.#conv(small, depth, 1, 1, SAME, 0);
        const output = this.#activation(this.#shape(input), 0.2);
        this.#emit(
          BUILTIN.mul,
          back % 3 === 0 ? [scale, input] : [input, scale],
          output,
          options.elementwise(),
        );
        return;
      }
      case "join": {
        const shape = this.#shape(input).join();
        const like = this.#made.filter((id) => this.#shape(id).join() === shape);
        const other = like[back % like.length] ?? input;
        this.#emit(
          BUILTIN.add,
          [input, other],
          this.#activation(this.#shape(input), 0.3),
          options.elementwise(activation),
        );
        return;
      }
      case "concatenate": {
        // Along channels or columns, with what was made before in as many rows, a constant, or itself.
        const axis = back % 3 === 0 ? 2 : 3;
        const others = this.#made.filter((id) => {
          const shape = this.#shape(id);
          return (
            shape.length === 4 &&
            shape.every((size, i) => i === axis || size === this.#shape(input)[i]) &&
            this.#scale(id) === this.#scale(input) &&
            this.#zeroPoint(id) === this.#zeroPoint(input)
          );
        });
        const q = [this.#scale(input), this.#zeroPoint(input)] as const;
        const constantShape = [1, height, width, depth].with(axis, kernel);
        const length = elementCount(constantShape);
        const constant = this.#add({
          ...int8(constantShape, ...q),
          data: Int8Array.from({ length }, (_, i) => ((i * 29) % 256) - 128),
        });
        const operands = [input, others[back % others.length] ?? input, ...(valid ? [constant] : [])];
        if (stride === 2) operands.reverse();
        const size = operands.reduce((sum, id) => sum + (this.#shape(id)[axis] ?? 0), 0);
        const joined = this.#activation([1, height, width, depth].with(axis, size), ...q);
        this.#emit(BUILTIN.concatenation, operands, joined, options.concatenation(axis));
        return;
      }
      case "resize": {
        const grow = (size: number): number => Math.max(Math.ceil((size * (channels + 8)) / 16), 1);
        const shape = back % 3 === 0 ? [height * 2, width * 2] : [grow(height), grow(width)];
        const [tall = 1, wide = 1] = shape.map((size) => Math.min(size, 60));
        const output = this.#activation([1, tall, wide, depth], this.#scale(input), this.#zeroPoint(input));
        const [kindOf, code] = valid
          ? ([options.resizeBilinear, BUILTIN.resizeBilinear] as const)
          : ([options.resizeNearestNeighbor, BUILTIN.resizeNearestNeighbor] as const);
        const fields = kindOf(stride === 2, dilation === 2 && stride === 1);
        this.#emit(code, [input, this.#add(int32([tall, wide]))], output, fields);
        return;
      }
      case "scale": {
        // One value per channel, per pixel of a row, or per value.
        const shape = [1, back % 4 === 3 ? height : 1, back % 2 === 1 ? width : 1, depth];
        const length = elementCount(shape);
        const constant = this.#add({
          ...int8(shape, 0.02, 0),
          data: Int8Array.from({ length }, (_, i) => 40 + ((7 * i) % 87)),
        });
        this.#emit(
          BUILTIN.mul,
          [input, constant],
          this.#activation(this.#shape(input), 0.2),
          options.elementwise(),
        );
        return;
      }
      case "pad": {
        // Which a pass makes the convolution's own padding, larger on one side than on the other.
        const [top, bottom, left, right] = [kernel >> 1, back % 2, kernel >> 1, stride - 1] as const;
        const paddings = this.#add(int32([0, 0, top, bottom, left, right, 0, 0], [4, 2]));
        const [tall, wide] = [height + top + bottom, width + left + right];
        const padded = this.#activation([1, tall, wide, depth], this.#scale(input), this.#zeroPoint(input));
        this.#emit(BUILTIN.pad, [input, paddings], padded, []);
        const size = Math.min(kernel, tall, wide);
        // Or of a pool, which keeps it.
        if (back % 3 === 2) {
          const shape = this.#windowed(padded, size, stride, 1, VALID, depth);
          const output = this.#activation(shape, this.#scale(input), this.#zeroPoint(input));
          this.#emit(BUILTIN.maxPool2d, [padded], output, options.pool2d(VALID, stride, size, activation));
          return;
        }
        if (valid) this.#conv(padded, channels, size, stride, VALID, activation);
        else this.#depthwise(padded, size, stride, VALID);
        return;
      }
      case "reshape": {
        // The same bytes in other rows; what joins later may still read them in those from before.
        const factor = 2 + (back % 2);
        const shape =
          width % factor === 0
            ? [1, height * factor, width / factor, depth]
            : height % 2 === 0
              ? [1, height / 2, width * 2, depth]
              : [1, height, 1, width * depth];
        const output = this.#activation(shape, this.#scale(input), this.#zeroPoint(input));
        this.#emit(BUILTIN.reshape, [input, this.#add(int32(shape))], output, []);
      }
    }
  }

  end(ending: Ending): void {
    const input = this.#made.at(-1) ?? 0;
    const [, height = 1, width = 1, depth = 1] = this.#shape(input);
    if (ending === "rows") return;
    if (ending === "average") {
      const output = this.#activation([1, 1, 1, depth], this.#scale(input), this.#zeroPoint(input));
      const fields: OptionField[] = [
        { byte: VALID },
        { int: width },
        { int: height },
        { int: width },
        { int: height },
        { byte: 0 },
      ];
      this.#emit(BUILTIN.averagePool2d, [input], output, fields);
      return;
    }
    if (ending === "mean") {
      this.#emit(
        BUILTIN.mean,
        [input, this.#add(int32([1, 2]))],
        this.#activation([1, depth], 0.05, -3),
        options.mean(false),
      );
      return;
    }
    const rows = this.#activation([1, height, depth], 0.1, 2);
    this.#emit(BUILTIN.mean, [input, this.#add(int32([2]))], rows, options.mean(false));
    this.#emit(
      BUILTIN.mean,
      [rows, this.#add(int32([1]))],
      this.#activation([1, depth], 0.05),
      options.mean(false),
    );
  }

  model(alsoOut: number | undefined): WrittenModel {
    const [input = 0, ...made] = this.#made;
    const last = made.at(-1) ?? input;
    const other = alsoOut === undefined ? last : (made[alsoOut % made.length] ?? last);
    return {
      tensors: this.#tensors,
      operators: this.#operators,
      inputs: [input],
      outputs: [...new Set([last, other])],
    };
  }

  #conv(
    input: number,
    channels: number,
    kernel: number,
    stride: number,
    padding: number,
    activation: number,
    dilation = 1,
  ): number {
    const depth = this.#shape(input).at(-1) ?? 1;
    const w = this.#add(weights([channels, kernel, kernel, depth]));
    const b = this.#add(bias(channels));
    const output = this.#activation(
      this.#windowed(input, kernel, stride, dilation, padding, channels),
      0.4,
      -5,
    );
    this.#emit(BUILTIN.conv2d, [input, w, b], output, options.conv2d(padding, stride, activation, dilation));
    return output;
  }

  #depthwise(input: number, kernel: number, stride: number, padding: number): number {
    const depth = this.#shape(input).at(-1) ?? 1;
    const w = this.#add(weights([1, kernel, kernel, depth], 3));
    const b = this.#add(bias(depth));
    const output = this.#activation(this.#windowed(input, kernel, stride, 1, padding, depth), 0.25, 4);
    this.#emit(
      BUILTIN.depthwiseConv2d,
      [input, w, b],
      output,
      options.depthwiseConv2d(padding, stride, 1, 1),
    );
    return output;
  }

  #windowed(
    input: number,
    kernel: number,
    stride: number,
    dilation: number,
    padding: number,
    channels: number,
  ): number[] {
    const [, height = 1, width = 1] = this.#shape(input);
    const size = (whole: number): number =>
      padding === SAME ? Math.ceil(whole / stride) : Math.ceil((whole - (kernel - 1) * dilation) / stride);
    return [1, size(height), size(width), channels];
  }

  #activation(shape: readonly number[], scale: number, zeroPoint = 0): number {
    const id = this.#add(int8(shape, scale, zeroPoint));
    this.#made.push(id);
    return id;
  }

  #emit(builtin: number, inputs: readonly number[], output: number, fields: readonly OptionField[]): void {
    this.#operators.push({ builtin, inputs, outputs: [output], options: fields });
  }

  #add(tensor: Omit<WrittenTensor, "name">): number {
    return this.#tensors.push({ ...tensor, name: `t${this.#tensors.length}` }) - 1;
  }

  #shape(id: number): readonly number[] {
    return this.#tensors[id]?.shape ?? [];
  }

  #scale(id: number): number {
    return this.#tensors[id]?.scales?.[0] ?? 1;
  }

  #zeroPoint(id: number): number {
    return this.#tensors[id]?.zeroPoints?.[0] ?? 0;
  }
}
