import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Builds the kernels if a source is newer. */
export default function setup(): void {
  const script = fileURLToPath(new URL("../scripts/build-wasm.mjs", import.meta.url));
  execFileSync(process.execPath, [script], { stdio: "inherit" });
}
