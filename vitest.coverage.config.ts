import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** `npm run coverage`: lines of src/ and blocks of the kernels that the tests run. */
export default defineConfig({
  test: {
    ...base.test,
    globalSetup: ["test/global-setup.ts", "test/coverage/kernels.ts"],
    setupFiles: ["test/draw-same.ts", "test/coverage/setup.ts"],
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/runtime/kernels.generated.ts"],
      reporter: ["text", "json-summary"],
      reportOnFailure: true,
    },
  },
});
