import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/browser/**", "test/mcu/engines/**", "test/demo/**"],
    globalSetup: ["test/global-setup.ts"],
    setupFiles: ["test/draw-same.ts", "test/emulate-dot.ts"],
    testTimeout: 60_000,
    // All cores: most of the time goes into a few long files.
    maxWorkers: "100%",
  },
});
