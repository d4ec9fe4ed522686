import fc from "fast-check";
import type { WrittenModel, WrittenOperator, WrittenTensor } from "./model-writer.ts";
import { BUILTIN, options, SAME } from "./model-writer.ts";
import { bias, int32, int8, weights } from "./written-models.ts";

interface Draw {
  readonly op:
    | "conv2d"
    | "depthwiseConv2d"
    | "averagePool2d"
    | "maxPool2d"
    | "add"
    | "mul"
    | "pad"
    | "reshape"
    | "concatenation"
    | "slice";
  /** How far back the operands were made. */
  readonly first: number;
  readonly second: number;
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly activation: number;
}

/**
 * Small networks with skip connections, tensors that live long, tensors that nobody reads, up to three outputs. Scales are
 * such that values neither vanish nor clamp.
 */
export function randomModel(longest = 12): fc.Arbitrary<WrittenModel> {
  const back = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(8) });
  const draw: fc.Arbitrary<Draw> = fc.record({
    op: fc.constantFrom(
      "conv2d",
      "conv2d",
      "depthwiseConv2d",
      "averagePool2d",
      "maxPool2d",
      "add",
      "add",
      "mul",
      "pad",
      "reshape",
      "concatenation",
      "slice",
    ),
    first: back,
    second: fc.nat(8),
    channels: fc.integer({ min: 1, max: 20 }),
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.constantFrom(1, 1, 2),
    activation: fc.constantFrom(0, 0, 1, 3),
  });
  return fc
    .record({
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.integer({ min: 1, max: 9 }),
      channels: fc.integer({ min: 1, max: 9 }),
      inputs: fc.constantFrom(1, 1, 2),
      draws: fc.array(draw, { minLength: 1, maxLength: longest, size: "max" }),
      outputs: fc.array(fc.nat(8), { maxLength: 2 }),
    })
    .map(({ height, width, channels, inputs, draws, outputs }) => {
      const net = new Net();
      for (let i = 0; i < inputs; i++) net.activation([1, height, width, channels], 0.05, 3 * i);
      for (const step of draws) net.grow(step);
      return net.model(inputs, outputs);
    });
}

class Net {
  readonly #tensors: WrittenTensor[] = [];
  readonly #operators: WrittenOperator[] = [];
  /** Activations in the order in which they are made. */
  readonly #made: number[] = [];

  activation(shape: readonly number[], scale = 0.1, zeroPoint = 0): number {
    const id = this.#add(int8(shape, scale, zeroPoint));
    this.#made.push(id);
    return id;
  }

  grow({ op, first, second, channels, kernel, stride, activation }: Draw): void {
    const input = this.#back(first);
    const tensor = this.#tensors[input];
    const [, height = 1, width = 1, depth = 1] = tensor?.shape ?? [];
    const [scale = 1] = tensor?.scales ?? [];
    const [zeroPoint = 0] = tensor?.zeroPoints ?? [];
    const rows = Math.ceil(height / stride);
    const columns = Math.ceil(width / stride);
    const emit = (inputs: readonly number[], output: number, fields?: WrittenOperator["options"]): void => {
      const given = fields === undefined ? {} : { options: fields };
      this.#operators.push({ builtin: BUILTIN[op], inputs, outputs: [output], ...given });
    };
    switch (op) {
      case "conv2d": {
        const w = this.#add(weights([channels, kernel, kernel, depth]));
        const b = this.#add(bias(channels));
        const output = this.activation([1, rows, columns, channels], 0.3, -5);
        emit([input, w, b], output, options.conv2d(SAME, stride, activation));
        break;
      }
      case "depthwiseConv2d": {
        const multiplier = depth < 12 ? 1 + (channels % 2) : 1;
        const w = this.#add(weights([1, kernel, kernel, depth * multiplier], 3));
        const b = this.#add(bias(depth * multiplier));
        const output = this.activation([1, rows, columns, depth * multiplier], 0.2, 4);
        emit([input, w, b], output, options.depthwiseConv2d(SAME, stride, multiplier, activation));
        break;
      }
      case "averagePool2d":
      case "maxPool2d": {
        const output = this.activation([1, rows, columns, depth], scale, zeroPoint);
        emit([input], output, options.pool2d(SAME, stride, kernel, activation));
        break;
      }
      case "add":
      case "mul": {
        const like = this.#made.filter((id) => this.#tensors[id]?.shape.join() === tensor?.shape.join());
        const other = like[second % like.length] ?? input;
        emit(
          [input, other],
          this.activation([1, height, width, depth], 0.2),
          options.elementwise(activation),
        );
        break;
      }
      case "pad": {
        const paddings = this.#add(int32([0, 0, 1, kernel - 1, stride - 1, 0, 0, 0], [4, 2]));
        const shape = [1, height + kernel, width + stride - 1, depth];
        emit([input, paddings], this.activation(shape, scale, zeroPoint), []);
        break;
      }
      case "concatenation": {
        // Along the rows or along the channels.
        const axis = kernel === 3 ? 3 : 1;
        const like = this.#made.filter((id) => {
          const other = this.#tensors[id];
          const fits = other?.shape.every((n, i) => i === axis || n === tensor?.shape[i]);
          return fits && other?.scales?.[0] === scale && other.zeroPoints?.[0] === zeroPoint;
        });
        const other = like[second % like.length] ?? input;
        const size = (this.#tensors[other]?.shape[axis] ?? 1) + (tensor?.shape[axis] ?? 1);
        const output = this.activation([1, height, width, depth].with(axis, size), scale, zeroPoint);
        emit([other, input], output, options.concatenation(axis));
        break;
      }
      case "slice": {
        const begin = second % height;
        const size = 1 + (channels % (height - begin));
        const output = this.activation([1, size, width, depth], scale, zeroPoint);
        emit(
          [input, this.#add(int32([0, begin, 0, 0], [4])), this.#add(int32([1, size, -1, -1], [4]))],
          output,
        );
        break;
      }
      case "reshape": {
        emit([input], this.activation([1, width, height, depth], scale, zeroPoint));
        break;
      }
    }
  }

  model(inputs: number, outputs: readonly number[]): WrittenModel {
    const made = this.#made.slice(inputs);
    const [last = 0] = made.slice(-1);
    const others = outputs.map((back) => made.at(-1 - (back % made.length)) ?? last);
    return {
      tensors: this.#tensors,
      operators: this.#operators,
      inputs: this.#made.slice(0, inputs),
      outputs: [...new Set([last, ...others])],
    };
  }

  #add(tensor: Omit<WrittenTensor, "name">): number {
    return this.#tensors.push({ ...tensor, name: `t${this.#tensors.length}` }) - 1;
  }

  #back(steps: number): number {
    return this.#made.at(-1 - (steps % this.#made.length)) ?? 0;
  }
}
