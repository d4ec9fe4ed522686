import { Conv2dInt16Field as Field } from "../../src/plan/format.ts";
import { clamp, multiplyByQuantizedMultiplier, multiplyWide } from "../fixed-point.ts";
import { dotInt16 } from "../micro/int16-dot.ts";
import { address, field } from "../record.ts";

/** Bytes of a channel before its weights: bias, multiplier, shift. */
const HEAD: usize = 16;

/**
 *   out[n, y, x, o] = clamp(requantize(bias[o] + Σ in[n, y·sy + ky·dy − padTop, x·sx + kx·dx − padLeft, i] · w[o, ky, kx, i]))
 *
 * in, out  int16 NHWC, zero point 0; taps outside contribute nothing
 * w        int8, as Conv2dInt16Field says: of all input channels, of a group's, or of one (depthwise)
 *
 * With input dilation d, position p of a window is row or column p / d of the input where that is whole, and otherwise nothing.
 * Sums are of 64 bits, or wrap at 32 where the reference's do. References: TFLite reference/integer_ops/conv.h, depthwise_conv.h,
 * fully_connected.h, transpose_conv.h.
 */
export function conv2dInt16(record: usize): void {
  const batches = field(record, Field.batches);
  const height = field(record, Field.outputHeight);
  const width = field(record, Field.outputWidth);
  const channels = field(record, Field.outputChannels);
  let out = address(record, Field.output);
  for (let n = 0; n < batches; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let weights = address(record, Field.weights);
        for (let o = 0; o < channels; o++) {
          const sum = window(record, n, y, x, o, weights + HEAD) + load<i64>(weights);
          store<i16>(out, <i16>scaled(record, sum, weights));
          weights += address(record, Field.channelBytes);
          out += 2;
        }
      }
    }
  }
}

/** The sum of one output channel's products. */
function window(record: usize, n: i32, y: i32, x: i32, o: i32, weights: usize): i64 {
  const height = field(record, Field.inputHeight);
  const width = field(record, Field.inputWidth);
  const channels = field(record, Field.inputChannels);
  const depth = field(record, Field.depth);
  const kernelHeight = field(record, Field.kernelHeight);
  const kernelWidth = field(record, Field.kernelWidth);
  const inputDilationX = field(record, Field.inputDilationX);
  const top = y * field(record, Field.strideY) - field(record, Field.padTop);
  const left = x * field(record, Field.strideX) - field(record, Field.padLeft);
  const first = (o / field(record, Field.groupChannels)) * depth;
  const input = address(record, Field.input) + ((<usize>first) << 1);
  let sum: i64 = 0;
  for (let ky = 0; ky < kernelHeight; ky++) {
    const row = undilated(top + ky * field(record, Field.dilationY), field(record, Field.inputDilationY));
    if (row < 0 || row >= height) continue;
    for (let kx = 0; kx < kernelWidth; kx++) {
      const column = undilated(left + kx * field(record, Field.dilationX), inputDilationX);
      if (column < 0 || column >= width) continue;
      const pixel = input + ((<usize>(((n * height + row) * width + column) * channels)) << 1);
      sum += dotInt16(pixel, weights + <usize>((ky * kernelWidth + kx) * depth), depth);
    }
  }
  return sum;
}

/** The row or column at a position of the dilated input; −1 where there is none. */
function undilated(position: i32, dilation: i32): i32 {
  if (dilation === 1) return position;
  const index = position / dilation;
  return position < 0 || index * dilation !== position ? -1 : index;
}

function scaled(record: usize, sum: i64, weights: usize): i32 {
  const multiplier = load<i32>(weights, 8);
  const shift = load<i32>(weights, 12);
  const value =
    field(record, Field.wide) !== 0
      ? multiplyWide(sum, multiplier, shift)
      : multiplyByQuantizedMultiplier(<i32>sum, multiplier, shift);
  return clamp(value, field(record, Field.activationMin), field(record, Field.activationMax));
}
