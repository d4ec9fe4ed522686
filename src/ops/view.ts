import type { TensorType } from "../graph/graph.ts";
import type { ViewWords } from "../plan/record.ts";

/** The view of a whole, dense int8 NHWC tensor at `address`. */
export function denseView(address: number, tensor: TensorType): ViewWords {
  const [, height = 1, width = 1, channels = 1] = tensor.shape;
  return {
    address,
    pixelBytes: channels,
    rowBytes: width * channels,
    ringRows: height,
    height,
    width,
    channels,
  };
}
