import type { Image } from "../emit/image.ts";
import { asciiBytes } from "../emit/image-file.ts";
import { memoryInitBody, renumberCalls } from "./instructions.ts";
import type { WasmData, WasmModule } from "./wasm-module.ts";

/** Custom section with inputs, outputs and states as JSON: `{ inputs, outputs, states }`, as `Port` and `State`. */
export const PORTS_SECTION = "thimble.ports";

/**
 * Kernels and image in one module. Plan and resident weights are an active data segment at address 0, states that do not
 * begin as zeros are others, flash is a passive one, which `memory.init` copies from in place of the import `flash_read`. The host calls `run` with the word at address 12,
 * and gives rows by `host.input_row(input, row, destination)`, as docs/mcu.md says.
 */
export function bundleModule(kernels: WasmModule, image: Image): WasmModule {
  const { imports, functions, types, exports } = kernels;
  const { sram, flash, inputs, outputs, states } = image;
  const data: WasmData[] = [
    { address: 0, bytes: sram },
    ...states
      .filter(({ initialByte }) => initialByte !== 0)
      .map(({ address, bytes, initialByte }) => ({
        address,
        bytes: new Uint8Array(bytes).fill(initialByte),
      })),
  ];
  const custom = [{ name: PORTS_SECTION, bytes: asciiBytes(JSON.stringify({ inputs, outputs, states })) }];
  const flashRead = imports.findIndex(({ name }) => name === "flash_read");
  if (flashRead < 0) return { ...kernels, data, custom };

  // The function leaves the imports and becomes the last one.
  const last = imports.length + functions.length - 1;
  const renumber = (index: number): number =>
    index === flashRead ? last : index > flashRead ? index - 1 : index;
  const bodies = functions.map(({ type, body }) => ({ type, body: renumberCalls(body, renumber) }));
  return {
    types,
    imports: imports.filter((_, index) => index !== flashRead),
    functions: [...bodies, { type: imports[flashRead]?.type ?? NaN, body: memoryInitBody(data.length) }],
    pages: kernels.pages,
    exports: new Map([...exports].map(([name, index]) => [name, renumber(index)])),
    data: [...data, { bytes: flash }],
    custom,
  };
}
