// Compiles assembly/ once per variant to dist/wasm/, and writes the modules as base64 into a TypeScript module so
// that the package needs no file hosting. Skips what is newer than its sources.
import asc from "assemblyscript/asc";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const generated = join(root, "src/runtime/kernels.generated.ts");
const VARIANTS = ["mcu", "simd", "relaxed", "signed"];
/** What measures the machine's limits, with what it needs of the engine. */
const LIMITS = { simd: "--enable simd", relaxed: "--enable simd --enable relaxed-simd" };

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/**
 * A kernel module is code alone: the image is the whole program. Static data, tables and globals would lie where it is copied
 * to, or keep a state that it does not know.
 */
function requireCodeOnly(variant, bytes) {
  const sections = { 4: "table", 6: "global", 9: "element", 11: "data" };
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size += (byte & 127) << shift;
      if (byte < 128) break;
    }
    if (id in sections) {
      console.error(
        `thimble-${variant}.wasm has a ${sections[id]} section; ` +
          "function values, constant arrays, strings and mutable globals in assembly/ make one: use none",
      );
      process.exit(1);
    }
    at += size;
  }
}

const sources = ["assembly", "asconfig.json", "src/plan/format.ts", "scripts/build-wasm.mjs"];
const changed = Math.max(...sources.map((path) => newest(join(root, path))));
let built = 0;
try {
  built = Math.min(
    statSync(generated).mtimeMs,
    ...VARIANTS.map((variant) => statSync(join(root, `dist/wasm/thimble-${variant}.wasm`)).mtimeMs),
    ...Object.keys(LIMITS).map((variant) => statSync(join(root, `dist/wasm/limits-${variant}.wasm`)).mtimeMs),
  );
} catch {
  // Nothing built yet.
}

if (changed > built) {
  process.chdir(root);
  mkdirSync("dist/wasm", { recursive: true });
  const lines = ["// Written by scripts/build-wasm.mjs; not kept in the repository."];
  for (const variant of VARIANTS) {
    // Only `mcu` is cut down to the kernels of one model, and names them for that.
    const more = variant === "mcu" ? ["assembly/mcu.ts"] : [];
    const { error, stderr } = await asc.main([...more, "--config", "asconfig.json", "--target", variant]);
    if (error) {
      console.error(stderr.toString());
      process.exit(1);
    }
    const bytes = readFileSync(`dist/wasm/thimble-${variant}.wasm`);
    requireCodeOnly(variant, bytes);
    console.error(`thimble-${variant}.wasm ${bytes.length} bytes`);
    // For engines on Arm alone: a file, which others need not carry.
    if (variant === "signed") continue;
    lines.push(`export const ${variant}: string =`, `  "${bytes.toString("base64")}";`);
  }
  const limits =
    "assembly/limits/limits.ts --config none --runtime stub --noAssert --use abort= --initialMemory 2 -O3 --disableWarning 112";
  for (const [variant, features] of Object.entries(LIMITS)) {
    const options = `${limits} ${features} -o dist/wasm/limits-${variant}.wasm`;
    const { error, stderr } = await asc.main(options.split(" "));
    if (error) {
      console.error(stderr.toString());
      process.exit(1);
    }
  }
  writeFileSync(generated, lines.join("\n") + "\n");
}
