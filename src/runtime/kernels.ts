import { ExecutionError } from "../errors.ts";
import type { Variant } from "../plan/variant.ts";

/** The kernels as an entry of the package has them: inside its code, or in files. Compiled and proved once: code, not state. */
export interface Kernels {
  /**
   * Reads and compiles a variant.
   * @throws ExecutionError it cannot be read
   * @throws WebAssembly.CompileError this engine does not know what the variant needs
   */
  readonly compile: (variant: Variant) => Promise<WebAssembly.Module>;
  readonly modules: Map<Variant, Promise<WebAssembly.Module>>;
  readonly proofs: Map<Variant, boolean>;
}

/** Kernels from one place. */
export function kernelsFrom(compile: Kernels["compile"]): Kernels {
  return { compile, modules: new Map(), proofs: new Map() };
}

/**
 * The module of a variant.
 * @throws ExecutionError "kernels-unreadable", or "variant-unavailable" if the engine cannot compile it
 */
export async function moduleOf(kernels: Kernels, variant: Variant): Promise<WebAssembly.Module> {
  const { modules } = kernels;
  const module = modules.get(variant) ?? kernels.compile(variant);
  modules.set(variant, module);
  try {
    return await module;
  } catch (cause) {
    // A network that failed may work the next time.
    modules.delete(variant);
    if (cause instanceof ExecutionError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const mend = /content.security.policy|unsafe-eval/i.test(reason)
      ? "allow 'wasm-unsafe-eval' in script-src of the page's Content-Security-Policy"
      : 'choose another variant ("simd" or "mcu")';
    throw new ExecutionError(
      "variant-unavailable",
      `this engine does not compile the ${variant} kernels (${reason}); ${mend}`,
      { cause },
    );
  }
}
