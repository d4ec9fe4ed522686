import { Conv2dField } from "../../src/plan/format.ts";
import { isUniform, prepareEpilogue, prepareUniform } from "../micro/epilogue.ts";
import { address, field } from "../record.ts";

/** A convolution's `Requantization`. DepthwiseConv2dField has it at the same place, and all that is read below but the multiplier, which it has not. */
export function requantizationOf(record: usize): i32 {
  return load<u16>(record + (Conv2dField.requantization << 2), 2);
}

/** Fills the constants of a convolution's epilogue, which begin its scratch. */
export function prepareRequantization(record: usize): void {
  const constants = address(record, Conv2dField.scratch);
  const shift = load<u16>(record + (Conv2dField.requantization << 2));
  const zeroPoint = field(record, Conv2dField.outputZeroPoint);
  prepareEpilogue(
    constants,
    requantizationOf(record),
    shift,
    zeroPoint,
    field(record, Conv2dField.activationMin),
    field(record, Conv2dField.activationMax),
  );
  if (ASC_FEATURE_SIMD && isUniform(constants)) {
    prepareUniform(constants, shift, field(record, Conv2dField.requantizationMultiplier), zeroPoint);
  }
}
