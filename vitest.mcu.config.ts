import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/mcu/engines/**/*.test.ts"],
    globalSetup: ["test/global-setup.ts"],
    // Whole models on interpreters and emulators.
    testTimeout: 300_000,
    maxWorkers: "100%",
  },
});
