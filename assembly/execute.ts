/** One case per operator. */
import { Head, Op } from "../src/plan/format.ts";
import { add, sub } from "./kernels/add.ts";
import { addN } from "./kernels/add-n.ts";
import { argExtreme } from "./kernels/arg-extreme.ts";
import { averagePool2d } from "./kernels/average-pool2d.ts";
import { batchMatmul } from "./kernels/batch-matmul.ts";
import { cast } from "./kernels/cast.ts";
import { compare } from "./kernels/compare.ts";
import { conv2d } from "./kernels/conv2d.ts";
import { conv2dInt16 } from "./kernels/conv2d-int16.ts";
import { conv2dWinograd } from "./kernels/conv2d-winograd.ts";
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
import { svdf } from "./kernels/svdf.ts";
import { unidirectionalSequenceLstm } from "./kernels/unidirectional-sequence-lstm.ts";
import { weightedSum } from "./kernels/weighted-sum.ts";
import { field } from "./record.ts";

/** Executes one record, of operators that run in ranges of rows for rows [y0, y1). Returns whether the operator is known. */
export function execute(record: usize, y0: i32, y1: i32): bool {
  switch (field(record, Head.op)) {
    case Op.fetch:
      fetch(record);
      return true;
    case Op.input:
      input(record, y0, y1);
      return true;
    case Op.flipSign:
      flipSign(record);
      return true;
    case Op.conv2d:
      conv2d(record, y0, y1);
      return true;
    case Op.depthwiseConv2d:
      depthwiseConv2d(record, y0, y1);
      return true;
    case Op.averagePool2d:
      averagePool2d(record, y0, y1);
      return true;
    case Op.maxPool2d:
      maxPool2d(record, y0, y1);
      return true;
    case Op.add:
      add(record, y0, y1);
      return true;
    case Op.weightedSum:
      weightedSum(record, y0, y1);
      return true;
    case Op.mul:
      mul(record, y0, y1);
      return true;
    case Op.mean:
      mean(record, y0, y1);
      return true;
    case Op.softmax:
      softmax(record);
      return true;
    case Op.pad:
      pad(record, y0, y1);
      return true;
    case Op.copy:
      copy(record, y0, y1);
      return true;
    case Op.quantize:
      quantize(record);
      return true;
    case Op.dequantize:
      dequantize(record);
      return true;
    case Op.requantize:
      requantize(record);
      return true;
    case Op.unidirectionalSequenceLstm:
      unidirectionalSequenceLstm(record);
      return true;
    case Op.svdf:
      svdf(record);
      return true;
    case Op.resizeBilinear:
      resizeBilinear(record, y0, y1);
      return true;
    case Op.resizeNearest:
      resizeNearest(record, y0, y1);
      return true;
    case Op.lookup:
      lookup(record, y0, y1);
      return true;
    case Op.sub:
      sub(record, y0, y1);
      return true;
    case Op.minimum:
      minimum(record, y0, y1);
      return true;
    case Op.maximum:
      maximum(record, y0, y1);
      return true;
    case Op.squaredDifference:
      squaredDifference(record, y0, y1);
      return true;
    case Op.div:
      div(record, y0, y1);
      return true;
    case Op.compare:
      compare(record, y0, y1);
      return true;
    case Op.prelu:
      prelu(record, y0, y1);
      return true;
    case Op.reduceExtreme:
      reduceExtreme(record);
      return true;
    case Op.argExtreme:
      argExtreme(record);
      return true;
    case Op.cumsum:
      cumsum(record);
      return true;
    case Op.l2Normalization:
      l2Normalization(record);
      return true;
    case Op.logSoftmax:
      logSoftmax(record);
      return true;
    case Op.cast:
      cast(record);
      return true;
    case Op.gather:
      gather(record);
      return true;
    case Op.select:
      select(record);
      return true;
    case Op.batchMatmul:
      batchMatmul(record);
      return true;
    case Op.convert:
      convert(record);
      return true;
    case Op.conv2dInt16:
      conv2dInt16(record);
      return true;
    case Op.elementwiseInt16:
      elementwiseInt16(record);
      return true;
    case Op.scaleInt16:
      scaleInt16(record);
      return true;
    case Op.sigmoidInt16:
      sigmoidInt16(record);
      return true;
    case Op.meanInt16:
      meanInt16(record, y0, y1);
      return true;
    case Op.softmaxToInt16:
      softmaxToInt16(record);
      return true;
    case Op.softmaxInt16:
      softmaxInt16(record);
      return true;
    case Op.addN:
      addN(record);
      return true;
    case Op.conv2dWinograd:
      if (ASC_FEATURE_SIMD && !ASC_FEATURE_RELAXED_SIMD) {
        conv2dWinograd(record, y0, y1);
        return true;
      }
      return false;
    case Op.pool2dInt16:
      pool2dInt16(record);
      return true;
    default:
      return false;
  }
}
