// Runs test/mcu/engines: models on the real wasm3, and as C on this machine and on an emulated Cortex-M4. Says what is missing.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDS = [
  [
    "python3 with pywasm3",
    [process.env.PYTHON ?? "python3", "-c", "import wasm3"],
    "pip install pywasm3==0.5.0",
  ],
  ["wasm2c", ["wasm2c", "--version"], "apt-get install wabt"],
  ["gcc", [process.env.CC ?? "gcc", "--version"], "apt-get install gcc"],
  [
    "arm-none-eabi-gcc with newlib",
    ["arm-none-eabi-gcc", "--specs=nano.specs", "-E", "-include", "string.h", "-xc", "/dev/null"],
    "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
  ],
  ["qemu-system-arm", ["qemu-system-arm", "--version"], "apt-get install qemu-system-arm"],
];

const missing = NEEDS.filter(
  ([, [command, ...args]]) => spawnSync(command, args, { stdio: "ignore" }).status !== 0,
);
for (const [what, , how] of missing) console.error(`test:mcu needs ${what}: ${how}`);
if (missing.length > 0) process.exit(2);

const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const { status } = spawnSync(
  process.execPath,
  [vitest, "run", "--config", "vitest.mcu.config.ts", ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
);
process.exit(status ?? 1);
