/**
 * Exported by `mcu` beside index.ts: every operator's kernel under the operator's name, which keeps them functions of their own and
 * lets `thimble compile --target mcu` find those that a model does not use; what some of them call for a part of their records likewise
 * (convStrips, depthwiseStrip and poolStrip in src/plan/packing.ts).
 */
import { add, sub } from "./kernels/add.ts";
import { addN } from "./kernels/add-n.ts";
import { argExtreme } from "./kernels/arg-extreme.ts";
import { accumulateRows, averagePool2d } from "./kernels/average-pool2d.ts";
import { batchMatmul } from "./kernels/batch-matmul.ts";
import { cast } from "./kernels/cast.ts";
import { compare } from "./kernels/compare.ts";
import { conv2d, slideColumns } from "./kernels/conv2d.ts";
import { conv2dInt16 } from "./kernels/conv2d-int16.ts";
import { convert } from "./kernels/convert.ts";
import { copy } from "./kernels/copy.ts";
import { cumsum } from "./kernels/cumsum.ts";
import { depthwiseConv2d } from "./kernels/depthwise-conv2d.ts";
import { dequantize } from "./kernels/dequantize.ts";
import { div } from "./kernels/div.ts";
import { elementwiseInt16 } from "./kernels/elementwise-int16.ts";
import { fetch } from "./kernels/fetch.ts";
import { flipSign } from "./kernels/flip-sign.ts";
import { gather } from "./kernels/gather.ts";
import { input } from "./kernels/input.ts";
import { l2Normalization } from "./kernels/l2-normalization.ts";
import { logSoftmax } from "./kernels/log-softmax.ts";
import { lookup } from "./kernels/lookup.ts";
import { maxPool2d } from "./kernels/max-pool2d.ts";
import { maximum } from "./kernels/maximum.ts";
import { mean, meanInt16 } from "./kernels/mean.ts";
import { minimum } from "./kernels/minimum.ts";
import { mul } from "./kernels/mul.ts";
import { pad } from "./kernels/pad.ts";
import { pool2d } from "./kernels/pool2d.ts";
import { pool2dInt16 } from "./kernels/pool2d-int16.ts";
import { prelu } from "./kernels/prelu.ts";
import { quantize } from "./kernels/quantize.ts";
import { reduceExtreme } from "./kernels/reduce-extreme.ts";
import { requantize } from "./kernels/requantize.ts";
import { resizeBilinear } from "./kernels/resize-bilinear.ts";
import { resizeNearest } from "./kernels/resize-nearest.ts";
import { scaleInt16 } from "./kernels/scale-int16.ts";
import { select } from "./kernels/select.ts";
import { sigmoidInt16 } from "./kernels/sigmoid-int16.ts";
import { softmax, softmaxToInt16 } from "./kernels/softmax.ts";
import { softmaxInt16 } from "./kernels/softmax-int16.ts";
import { squaredDifference } from "./kernels/squared-difference.ts";
import { stream } from "./kernels/stream.ts";
import { svdf } from "./kernels/svdf.ts";
import { tiles } from "./kernels/tiles.ts";
import { unidirectionalSequenceLstm } from "./kernels/unidirectional-sequence-lstm.ts";
import { weightedSum } from "./kernels/weighted-sum.ts";
import { onePixel, threePixels, vectorRow } from "./micro/conv-strip-scalar.ts";
import { slideRows, slideThree, slideThreeHalved, slideWide } from "./micro/depthwise-slide.ts";
import { scalarPixels } from "./micro/depthwise-strip.ts";

export {
  accumulateRows,
  add,
  addN,
  argExtreme,
  averagePool2d,
  batchMatmul,
  cast,
  compare,
  conv2d,
  conv2dInt16,
  convert,
  copy,
  cumsum,
  depthwiseConv2d,
  dequantize,
  div,
  elementwiseInt16,
  fetch,
  flipSign,
  gather,
  input,
  l2Normalization,
  logSoftmax,
  lookup,
  maximum,
  maxPool2d,
  mean,
  meanInt16,
  minimum,
  mul,
  onePixel,
  pad,
  pool2d,
  pool2dInt16,
  prelu,
  quantize,
  reduceExtreme,
  requantize,
  resizeBilinear,
  resizeNearest,
  scalarPixels,
  scaleInt16,
  select,
  sigmoidInt16,
  slideColumns,
  slideRows,
  slideThree,
  slideThreeHalved,
  slideWide,
  softmax,
  softmaxInt16,
  softmaxToInt16,
  squaredDifference,
  stream,
  sub,
  svdf,
  threePixels,
  tiles,
  unidirectionalSequenceLstm,
  weightedSum,
  vectorRow,
};
