import { instantiateSync } from "@assemblyscript/loader";
import { ExecutionError, MemoryError } from "../errors.ts";
import { PLAN_VERSION } from "../plan/format.ts";
import type { Variant } from "../plan/variant.ts";
import { kernelBytes } from "./kernels.ts";

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

const PAGE_BYTES = 65536;
/** Compiled once per variant and process: code, not state. */
const modules = new Map<Variant, WebAssembly.Module>();

/** Synchronously where the engine lets it: the module is small, and a trip to another thread costs more than compiling. */
async function compiled(variant: Variant): Promise<WebAssembly.Module> {
  const known = modules.get(variant);
  if (known !== undefined) return known;
  const bytes = kernelBytes(variant);
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (error) {
    // Some browsers bound what may be compiled on the main thread.
    if (!(error instanceof RangeError)) throw error;
    module = await WebAssembly.compile(bytes);
  }
  modules.set(variant, module);
  return module;
}

/** Writes row `row` of the model's input number `input` to linear memory at `destination`. */
export type InputRow = (input: number, row: number, destination: number) => void;

/** What the kernels import. */
export interface Host {
  readonly flashRead: FlashRead;
  readonly inputRow: InputRow;
}

/**
 * A fresh instance of a variant's kernels with at least `memoryBytes` of linear memory, which never grows again.
 * @throws ExecutionError if the engine cannot compile the variant or the kernels are of another plan version
 * @throws MemoryError if the engine has no address space left
 */
export async function instantiateKernels(
  variant: Variant,
  memoryBytes: number,
  { flashRead, inputRow }: Host,
): Promise<KernelExports> {
  let module: WebAssembly.Module;
  try {
    module = await compiled(variant);
  } catch (cause) {
    throw new ExecutionError(
      "variant-unavailable",
      `this engine cannot compile the ${variant} kernels; choose another variant ("simd" or "mcu")`,
      { cause },
    );
  }
  try {
    const instance = instantiateSync(module, {
      host: { flash_read: flashRead, input_row: inputRow },
    });
    const kernels = instance.exports as unknown as KernelExports;
    if (kernels.planVersion() !== PLAN_VERSION) {
      throw new ExecutionError(
        "kernel-version",
        `the ${variant} kernels run plan version ${kernels.planVersion()}, this host writes ${PLAN_VERSION}; ` +
          "rebuild or reinstall thimble",
      );
    }
    const missing = memoryBytes - kernels.memory.buffer.byteLength;
    if (missing > 0) kernels.memory.grow(Math.ceil(missing / PAGE_BYTES));
    return kernels;
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
