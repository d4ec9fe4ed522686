import { QuantizeField } from "../../src/plan/format.ts";
import { quantizeValues } from "../micro/quantize-values.ts";
import { address, field, float } from "../record.ts";
import { storedActivation } from "../storage.ts";

/** Float32 to int8: micro/quantize-values.ts. The output may begin at the input or below it. */
export function quantize(record: usize): void {
  quantizeValues(
    address(record, QuantizeField.input),
    address(record, QuantizeField.output),
    field(record, QuantizeField.length),
    float(record, QuantizeField.scaleBits),
    field(record, QuantizeField.zeroPoint),
    storedActivation(0),
  );
}
