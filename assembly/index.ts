/** Every export of the kernels, and one case per operator. */
import { Head, Op, PLAN_VERSION } from "../src/plan/format.ts";
import { add } from "./kernels/add.ts";
import { averagePool2d } from "./kernels/average-pool2d.ts";
import { conv2d } from "./kernels/conv2d.ts";
import { depthwiseConv2d } from "./kernels/depthwise-conv2d.ts";
import { dequantize } from "./kernels/dequantize.ts";
import { fetch } from "./kernels/fetch.ts";
import { flipSign } from "./kernels/flip-sign.ts";
import { maxPool2d } from "./kernels/max-pool2d.ts";
import { mean } from "./kernels/mean.ts";
import { mul } from "./kernels/mul.ts";
import { pad } from "./kernels/pad.ts";
import { quantize } from "./kernels/quantize.ts";
import { requantize } from "./kernels/requantize.ts";
import { softmax } from "./kernels/softmax.ts";
import { transpose } from "./kernels/transpose.ts";
import { relaxedProbe } from "./micro/dot.ts";
import { address, field } from "./record.ts";

/** PLAN_VERSION that these kernels were compiled with. */
export function planVersion(): i32 {
  return PLAN_VERSION;
}

/** 1 if this engine's instructions do what the variant's arithmetic relies on; uses 64 bytes at `scratch`. */
export function probe(scratch: usize): i32 {
  return i32(relaxedProbe(scratch));
}

/** Executes one record. Returns the address of the next, or `record` itself at the end and where the operator is unknown. */
export function step(record: usize): usize {
  switch (field(record, Head.op)) {
    case Op.fetch:
      fetch(record);
      break;
    case Op.flipSign:
      flipSign(record);
      break;
    case Op.conv2d:
      conv2d(record);
      break;
    case Op.depthwiseConv2d:
      depthwiseConv2d(record);
      break;
    case Op.averagePool2d:
      averagePool2d(record);
      break;
    case Op.maxPool2d:
      maxPool2d(record);
      break;
    case Op.add:
      add(record);
      break;
    case Op.mul:
      mul(record);
      break;
    case Op.mean:
      mean(record);
      break;
    case Op.softmax:
      softmax(record);
      break;
    case Op.pad:
      pad(record);
      break;
    case Op.transpose:
      transpose(record);
      break;
    case Op.quantize:
      quantize(record);
      break;
    case Op.dequantize:
      dequantize(record);
      break;
    case Op.requantize:
      requantize(record);
      break;
    default:
      return record;
  }
  return record + (address(record, Head.words) << 2);
}

/** Executes records from `entry` to the end record. Returns 0, or the address of the record that could not be executed. */
export function run(entry: usize): usize {
  let record = entry;
  while (true) {
    const next = step(record);
    if (next === record) return field(record, Head.op) === Op.end ? 0 : record;
    record = next;
  }
}
