import { kernelBytes } from "./kernel-bytes.ts";
import { kernelsFrom } from "./kernels.ts";

/** The kernels inside the package's code: nothing to host, nothing to fetch. */
export const inlineKernels = kernelsFrom(async (variant) => {
  const bytes = kernelBytes(variant);
  // Synchronously where the engine lets it: the module is small, and a trip to another thread costs more than compiling.
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    // Some browsers bound what may be compiled on the main thread.
    if (!(error instanceof RangeError)) throw error;
    return WebAssembly.compile(bytes);
  }
});
