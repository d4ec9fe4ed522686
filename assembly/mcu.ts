/**
 * Exported by `mcu` beside index.ts: every operator's kernel under the operator's name, which keeps them functions of their own and
 * lets `thimble compile --target mcu` find those that a model does not use.
 */
import { add } from "./kernels/add.ts";
import { averagePool2d } from "./kernels/average-pool2d.ts";
import { conv2d } from "./kernels/conv2d.ts";
import { depthwiseConv2d } from "./kernels/depthwise-conv2d.ts";
import { dequantize } from "./kernels/dequantize.ts";
import { fetch } from "./kernels/fetch.ts";
import { flipSign } from "./kernels/flip-sign.ts";
import { input } from "./kernels/input.ts";
import { maxPool2d } from "./kernels/max-pool2d.ts";
import { mean } from "./kernels/mean.ts";
import { mul } from "./kernels/mul.ts";
import { pad } from "./kernels/pad.ts";
import { quantize } from "./kernels/quantize.ts";
import { requantize } from "./kernels/requantize.ts";
import { softmax } from "./kernels/softmax.ts";
import { stream } from "./kernels/stream.ts";
import { tiles } from "./kernels/tiles.ts";
import { transpose } from "./kernels/transpose.ts";

export {
  add,
  averagePool2d,
  conv2d,
  depthwiseConv2d,
  dequantize,
  fetch,
  flipSign,
  input,
  maxPool2d,
  mean,
  mul,
  pad,
  quantize,
  requantize,
  softmax,
  stream,
  tiles,
  transpose,
};
