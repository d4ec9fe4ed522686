import { ExecutionError, MemoryError } from "../errors.ts";
import { PAGE_BYTES, PLAN_VERSION } from "../plan/format.ts";
import type { Variant } from "../plan/variant.ts";
import type { Kernels } from "./kernels.ts";
import { moduleOf } from "./kernels.ts";

/** What the kernels export: assembly/index.ts. Addresses and results are byte offsets into `memory`. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  planVersion(): number;
  probe(scratch: number): number;
  quantizeInput(source: number, destination: number, length: number, scale: number, zeroPoint: number): void;
  step(record: number): number;
  run(entry: number): number;
}

/** Copies `bytes` of the image's flash from `source` to linear memory at `destination`. */
export type FlashRead = (destination: number, source: number, bytes: number) => void;

/** Writes row `row` of the model's input number `input` to linear memory at `destination`. */
export type InputRow = (input: number, row: number, destination: number) => void;

/** What the kernels import. */
export interface Host {
  readonly flashRead: FlashRead;
  readonly inputRow: InputRow;
}

/**
 * A fresh instance of a variant's kernels with at least `memoryBytes` of linear memory, which never grows again.
 * @throws ExecutionError as `moduleOf`, or the kernels are of another plan version
 * @throws MemoryError if the engine has no address space left
 */
export async function instantiateKernels(
  kernels: Kernels,
  variant: Variant,
  memoryBytes: number,
  { flashRead, inputRow }: Host,
): Promise<KernelExports> {
  const module = await moduleOf(kernels, variant);
  try {
    const { exports } = new WebAssembly.Instance(module, {
      host: { flash_read: flashRead, input_row: inputRow },
    });
    const instance = exports as unknown as KernelExports;
    if (instance.planVersion() !== PLAN_VERSION) {
      throw new ExecutionError(
        "kernel-version",
        `the ${variant} kernels run plan version ${instance.planVersion()}, this host writes ${PLAN_VERSION}; ` +
          "rebuild or reinstall thimble",
      );
    }
    const missing = memoryBytes - instance.memory.buffer.byteLength;
    if (missing > 0) instance.memory.grow(Math.ceil(missing / PAGE_BYTES));
    return instance;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new MemoryError(
      "engine-memory",
      `the engine gives no further ${memoryBytes} bytes of WebAssembly memory; drop models that are no longer used ` +
        "(each live model holds one memory) and let the garbage collector run",
      { cause },
    );
  }
}
