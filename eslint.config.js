import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  {
    // Tiles: their decorator is not TypeScript.
    ignores: [
      "dist",
      "build",
      "coverage",
      "src/runtime/kernels.generated.ts",
      "assembly/micro/depthwise-tile.ts",
      "assembly/micro/add-lanes.ts",
      "assembly/micro/gate-scalar.ts",
      "assembly/micro/sigmoid-scalar.ts",
      "assembly/micro/store-tile.ts",
    ],
  },
  js.configs.recommended,
  {
    files: [
      "src/**/*.ts",
      "test/**/*.ts",
      "bench/**/*.ts",
      "examples/**/*.ts",
      "models/**/*.ts",
      "demo/**/*.ts",
      "*.ts",
    ],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: true }],
      "@typescript-eslint/prefer-literal-enum-member": "off",
    },
  },
  {
    // AssemblyScript: its types are asc's business; here only what a parser can see.
    files: ["assembly/**/*.ts"],
    extends: [tseslint.configs.base],
    rules: {
      "no-undef": "off",
      "no-unused-vars": "off",
      "no-loss-of-precision": "off",
      "prefer-const": "error",
      eqeqeq: "error",
    },
  },
  {
    // Programs of pages, workers, worklets and servers: tsc does not know which.
    files: ["test/bundlers/app/*.js"],
    rules: { "no-undef": "off" },
  },
  {
    files: ["scripts/**/*.mjs", "*.js"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        Buffer: "readonly",
        URL: "readonly",
        WebAssembly: "readonly",
      },
    },
  },
);
