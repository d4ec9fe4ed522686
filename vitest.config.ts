import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/browser/**", "test/mcu/engines/**", "test/demo/**", "test/bundlers/**"],
    globalSetup: ["test/global-setup.ts"],
    setupFiles: ["test/draw-same.ts", "test/emulate-dot.ts"],
    // No test is about time: a loaded machine may take several times as long.
    testTimeout: 300_000,
    // All cores: most of the time goes into a few long files.
    maxWorkers: "100%",
  },
});
