/** One case per operator. */
import { Head, Op } from "../src/plan/format.ts";
import { add } from "./kernels/add.ts";
import { averagePool2d } from "./kernels/average-pool2d.ts";
import { conv2d } from "./kernels/conv2d.ts";
import { copy } from "./kernels/copy.ts";
import { depthwiseConv2d } from "./kernels/depthwise-conv2d.ts";
import { dequantize } from "./kernels/dequantize.ts";
import { fetch } from "./kernels/fetch.ts";
import { flipSign } from "./kernels/flip-sign.ts";
import { input } from "./kernels/input.ts";
import { lookup } from "./kernels/lookup.ts";
import { maxPool2d } from "./kernels/max-pool2d.ts";
import { mean } from "./kernels/mean.ts";
import { mul } from "./kernels/mul.ts";
import { pad } from "./kernels/pad.ts";
import { quantize } from "./kernels/quantize.ts";
import { requantize } from "./kernels/requantize.ts";
import { resizeBilinear } from "./kernels/resize-bilinear.ts";
import { resizeNearest } from "./kernels/resize-nearest.ts";
import { softmax } from "./kernels/softmax.ts";
import { svdf } from "./kernels/svdf.ts";
import { unidirectionalSequenceLstm } from "./kernels/unidirectional-sequence-lstm.ts";
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
    default:
      return false;
  }
}
