import { CopyField } from "../../src/plan/format.ts";
import { address, field, ringRow } from "../record.ts";
import { copyRun } from "../micro/copy-run.ts";

/**
 *   out[Σ i·outputStride] = in[Σ i·inputStride]   for all i0 < n0 … i4 < n4, row by row
 *
 * in   bytes; strides may be 0 (repeated) or negative (reversed)
 * out  bytes
 *
 * What moves elements without looking at them: transposing, cutting, joining. Storage form is moved as it is.
 */
export function copy(record: usize, y0: i32, y1: i32): void {
  for (let y = y0; y < y1; y++) {
    copyRow(
      record,
      ringRow(record, CopyField.input, CopyField.inputRowBytes, y),
      ringRow(record, CopyField.output, CopyField.outputRowBytes, y),
    );
  }
}

function copyRow(record: usize, from: usize, to: usize): void {
  const n0 = field(record, CopyField.n0);
  const n1 = field(record, CopyField.n1);
  const n2 = field(record, CopyField.n2);
  const inputStride2 = address(record, CopyField.inputStride2);
  const outputStride2 = address(record, CopyField.outputStride2);
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      let source =
        from +
        <usize>i0 * address(record, CopyField.inputStride0) +
        <usize>i1 * address(record, CopyField.inputStride1);
      let target =
        to +
        <usize>i0 * address(record, CopyField.outputStride0) +
        <usize>i1 * address(record, CopyField.outputStride1);
      for (let i2 = 0; i2 < n2; i2++) {
        copyPlane(record, source, target);
        source += inputStride2;
        target += outputStride2;
      }
    }
  }
}

/** The two inner dimensions. */
function copyPlane(record: usize, from: usize, to: usize): void {
  const n3 = field(record, CopyField.n3);
  const n4 = address(record, CopyField.n4);
  const inputStride3 = address(record, CopyField.inputStride3);
  const inputStride4 = address(record, CopyField.inputStride4);
  const outputStride3 = address(record, CopyField.outputStride3);
  const outputStride4 = address(record, CopyField.outputStride4);
  for (let i3 = 0; i3 < n3; i3++) {
    if (inputStride4 === 1 && outputStride4 === 1) {
      copyRun(to, from, n4);
    } else if (inputStride4 === 0 && outputStride4 === 1) {
      memory.fill(to, load<u8>(from), n4);
    } else {
      let source = from;
      let target = to;
      for (let i4: usize = 0; i4 < n4; i4++) {
        store<u8>(target, load<u8>(source));
        source += inputStride4;
        target += outputStride4;
      }
    }
    from += inputStride3;
    to += outputStride3;
  }
}
