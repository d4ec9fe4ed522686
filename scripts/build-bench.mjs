// Compiles the benchmarks' peak loops (bench/assembly) beside the compiled benchmarks.
import asc from "assemblyscript/asc";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
mkdirSync("build/bench", { recursive: true });
const common =
  "--config none --runtime stub --noAssert --use abort= --initialMemory 1 -O3 --disableWarning 112";
for (const [name, features] of [
  ["simd", "--enable simd"],
  ["relaxed", "--enable simd --enable relaxed-simd"],
]) {
  const options = `bench/assembly/peak.ts -o build/bench/peak-${name}.wasm ${common} ${features}`;
  const { error, stderr } = await asc.main(options.split(" "));
  if (error) {
    console.error(stderr.toString());
    process.exit(1);
  }
}
