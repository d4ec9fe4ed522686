import fc from "fast-check";
import { expect, test } from "vitest";
import { depthwiseNet } from "../depthwise-net.ts";
import { compile } from "../../src/compile.ts";
import type { Image } from "../../src/emit/image.ts";
import { decodeImage } from "../../src/emit/image-file.ts";
import { PORTS_SECTION } from "../../src/mcu/bundle.ts";
import type { Engine, Firmware } from "../../src/mcu/firmware.ts";
import { bundle, firmware } from "../../src/mcu/firmware.ts";
import { calledBytes, operatorsOf, shakeKernels } from "../../src/mcu/shake.ts";
import { readModule, writeModule } from "../../src/mcu/wasm-module.ts";
import { Header, Op, PLAN_VERSION } from "../../src/plan/format.ts";
import { CONV_STRIPS, DEPTHWISE_STRIPS, POOL_STRIPS } from "../../src/plan/packing.ts";
import { kernelBytes } from "../../src/runtime/kernel-bytes.ts";
import { inlineKernels } from "../../src/runtime/inline-kernels.ts";
import { startSession } from "../../src/runtime/session.ts";
import { BUILTIN, options, SAME, VALID, writeModel } from "../model-writer.ts";
import { int8Values } from "../ops/node.ts";
import { hasShared, modelBytes } from "../shared.ts";
import { bias, float32, int8, named, ONE_OPERATOR, OPERATOR_NAMES, weights } from "../written-models.ts";

const kernels = kernelBytes("mcu");

interface Kernels {
  readonly memory: WebAssembly.Memory;
  planVersion(): number;
  run(entry: number): number;
}

/** A host of ten lines, as a microcontroller's is: no checks. */
function start(wasm: BufferSource, image: Image): Kernels {
  const memory = (): Uint8Array => new Uint8Array(instance.memory.buffer);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), {
    host: {
      flash_read: (destination: number, source: number, bytes: number) => {
        memory().set(image.flash.subarray(source, source + bytes), destination);
      },
      input_row: (input: number, row: number, destination: number) => {
        const port = image.inputs[input];
        const length = (port?.shape.reduce((a, b) => a * b, 1) ?? 0) / (port?.rows ?? 1);
        memory().set(new Uint8Array(inputOf(image, input).buffer, row * length, length), destination);
      },
    },
  });
  const instance = exports as unknown as Kernels;
  return instance;
}

function inputOf(image: Image, index: number): Int8Array {
  return int8Values(7 + index, image.inputs[index]?.shape.reduce((a, b) => a * b, 1) ?? 0);
}

/** Outputs of a model whose ports are int8 in memory. */
function answer(instance: Kernels, image: Image, states: "set" | "there" = "set"): Int8Array[] {
  const memory = new Int8Array(instance.memory.buffer);
  if (states === "set") {
    for (const { address, bytes, initialByte } of image.states)
      memory.fill(initialByte, address, address + bytes);
  }
  for (const [i, port] of image.inputs.entries()) {
    if (port.rows === undefined) memory.set(inputOf(image, i), port.address);
  }
  const entry = new DataView(image.sram.buffer, image.sram.byteOffset).getUint32(4 * Header.entry, true);
  expect(instance.run(entry)).toBe(0);
  return image.outputs.map(({ address, shape }) =>
    memory.slice(address, address + shape.reduce((a, b) => a * b, 1)),
  );
}

async function answerOfSession(image: Image): Promise<Int8Array[]> {
  const model = await startSession(inlineKernels, image);
  return model.run(image.inputs.map((_, i) => inputOf(image, i))).map((values) => Int8Array.from(values));
}

const NETS: readonly (readonly [string, Image])[] = [
  ["weights in SRAM", compile(depthwiseNet(3), { variant: "mcu" })],
  ["weights in flash", compile(depthwiseNet(3), { variant: "mcu", schedule: "minimum" })],
  ["input in rows", compile(depthwiseNet(3), { variant: "mcu", schedule: "minimum", input: "streamed" })],
];

test("the nets differ in what they import", () => {
  const imports = NETS.map(([, image]) =>
    shakeKernels(readModule(kernels), operatorsOf(image.sram), 1).imports.map(({ name }) => name),
  );
  expect(imports).toEqual([[], ["flash_read"], ["flash_read", "input_row"]]);
});

test.each(NETS)("kernels without the rest answer the same: %s", async (_, image) => {
  const { files, ramBytes } = firmware(image, kernels, "wasm3");
  const instance = start(files.get("thimble-mcu.wasm") as Uint8Array<ArrayBuffer>, image);
  expect(instance.planVersion()).toBe(PLAN_VERSION);
  expect(instance.memory.buffer.byteLength).toBe(Math.ceil(ramBytes / 65536) * 65536);
  expect(() => instance.memory.grow(1)).toThrow(RangeError);
  new Uint8Array(instance.memory.buffer).set(image.sram);
  expect(answer(instance, image)).toEqual(await answerOfSession(image));
});

test.each(NETS)("a bundle needs no file, and answers the same: %s", async (_, image) => {
  const wasm = Uint8Array.from(bundle(image, kernels));
  const module = new WebAssembly.Module(wasm);
  expect(WebAssembly.Module.imports(module).map(({ name }) => name)).not.toContain("flash_read");
  const [ports] = WebAssembly.Module.customSections(module, PORTS_SECTION);
  const { inputs, outputs, states } = image;
  expect(JSON.parse(Buffer.from(ports ?? new ArrayBuffer(0)).toString())).toEqual({
    inputs,
    outputs,
    states,
  });
  expect(answer(start(wasm, image), image)).toEqual(await answerOfSession(image));
});

test.each(["svdf", "unidirectionalSequenceLstm"] as const)("a bundle has the state of %s", async (name) => {
  const image = compile(writeModel(ONE_OPERATOR[name]), { variant: "mcu" });
  expect(image.states.some(({ initialByte }) => initialByte !== 0)).toBe(true);
  const instance = start(Uint8Array.from(bundle(image, kernels)), image);
  expect(answer(instance, image, "there")).toEqual(await answerOfSession(image));
});

test("every operator of the plan has its kernel under its name, but `stage`, `end` and what takes vectors", () => {
  const { exports } = readModule(kernels);
  const names = Object.keys(Op).filter((name) => Number.isNaN(Number(name)));
  const missing = names.filter((name) => !exports.has(name));
  expect(missing.sort()).toEqual(["conv2dWinograd", "end", "stage"]);
});

const int8Models = OPERATOR_NAMES.filter((name) => !["quantize", "dequantize"].includes(name));
test.each(int8Models)("a model of one operator keeps what it needs: %s", async (name) => {
  const image = compile(writeModel(ONE_OPERATOR[name]), { variant: "mcu" });
  const { files } = firmware(image, kernels, "wasm3");
  const instance = start(files.get("thimble-mcu.wasm") as Uint8Array<ArrayBuffer>, image);
  new Uint8Array(instance.memory.buffer).set(image.sram);
  expect(answer(instance, image)).toEqual(await answerOfSession(image));
});

test("kernels that a model does not use are gone, and trap where another model calls them", () => {
  const add = compile(writeModel(ONE_OPERATOR.add), { variant: "mcu" });
  const softmax = compile(writeModel(ONE_OPERATOR.softmax), { variant: "mcu" });
  const module = shakeKernels(readModule(kernels), operatorsOf(add.sram), 1);
  expect(calledBytes(module)).toBeLessThan(kernels.length / 4);
  const instance = start(writeModule(module), softmax);
  new Uint8Array(instance.memory.buffer).set(softmax.sram);
  expect(() => answer(instance, softmax)).toThrow(WebAssembly.RuntimeError);
});

test("no kernel is called but by the name that it is exported under: without operators nothing but the executor is left", () => {
  expect(calledBytes(shakeKernels(readModule(kernels), new Set(), 1))).toBeLessThan(1000);
});

test.runIf(hasShared)("the called code of kws_dscnn is under 8 KB", () => {
  for (const schedule of ["auto", "minimum"] as const) {
    const image = compile(modelBytes("kws_dscnn_int8"), { variant: "mcu", schedule });
    expect(firmware(image, kernels, "wasm3").calledBytes).toBeLessThan(8192);
  }
});

const shapes = fc.record({
  height: fc.integer({ min: 1, max: 8 }),
  width: fc.integer({ min: 1, max: 12 }),
  kernel: fc.oneof(
    fc.record({ height: fc.constantFrom(1, 3, 5, 8), width: fc.constantFrom(1, 2, 3, 7, 8, 10) }),
    fc.constantFrom(3, 3, 5, 7).map((size) => ({ height: size, width: size })),
  ),
  stride: fc.constantFrom(1, 1, 2, 2, 3),
  padding: fc.constantFrom(SAME, VALID),
  activation: fc.constantFrom(0, 1),
});

test("every depthwise convolution keeps the strip that it calls", async () => {
  const kept = new Set<string>();
  const property = fc.asyncProperty(shapes, async (shape) => {
    const { height, width, stride, padding, activation } = shape;
    const { height: kernelHeight, width: kernelWidth } = shape.kernel;
    fc.pre(padding === SAME || (height >= kernelHeight && width >= kernelWidth));
    const { tensors, operators, ...model } = ONE_OPERATOR.depthwiseConv2d;
    const size = (input: number, kernel: number): number =>
      Math.ceil((padding === SAME ? input : input - kernel + 1) / stride);
    const sizes = new Map([
      ["in", [1, height, width, 8]],
      ["w", [1, kernelHeight, kernelWidth, 8]],
      ["out", [1, size(height, kernelHeight), size(width, kernelWidth), 8]],
    ]);
    const data = Int8Array.from({ length: 8 * kernelHeight * kernelWidth }, (_, i) => ((i * 37) % 255) - 127);
    const image = compile(
      writeModel({
        ...model,
        tensors: tensors.map((tensor) => ({
          ...tensor,
          shape: sizes.get(tensor.name) ?? tensor.shape,
          ...(tensor.name === "w" ? { data } : {}),
        })),
        operators: operators.map((operator) => ({
          ...operator,
          options: options.depthwiseConv2d(padding, stride, 1, activation),
        })),
      }),
      { variant: "mcu" },
    );
    for (const name of operatorsOf(image.sram)) kept.add(name);
    const { files } = firmware(image, kernels, "wasm3");
    const instance = start(files.get("thimble-mcu.wasm") as Uint8Array<ArrayBuffer>, image);
    new Uint8Array(instance.memory.buffer).set(image.sram);
    expect(answer(instance, image)).toEqual(await answerOfSession(image));
  });
  await fc.assert(property, { numRuns: 150 });
  expect([...kept]).toEqual(expect.arrayContaining([...DEPTHWISE_STRIPS]));
});

/** int8 [1, height, width, depth] by a convolution of stride 1, with padding, to as many pixels of `channels`. */
function convNet(
  [height, width, kernel]: readonly [number, number, number],
  depth: number,
  channels: number,
): Uint8Array {
  return writeModel(
    named(
      {
        in: int8([1, height, width, depth]),
        w: weights([channels, kernel, kernel, depth]),
        b: bias(channels),
        out: int8([1, height, width, channels], 0.2, -4),
      },
      [
        {
          builtin: BUILTIN.conv2d,
          inputs: ["in", "w", "b"],
          output: "out",
          options: options.conv2d(SAME, 1),
        },
      ],
      ["in"],
      ["out"],
    ),
  );
}

const STRIPS_OF = [
  [[3, 4, 3], 5, 6, "minimum", ["onePixel", "threePixels"]],
  [[3, 4, 3], 5, 6, "auto", ["onePixel", "slideColumns", "threePixels"]],
  [[1, 4, 1], 64, 64, "auto", ["onePixel", "threePixels"]],
  [[4, 1, 1], 64, 64, "auto", ["onePixel", "threePixels"]],
  [[1, 1, 3], 5, 6, "auto", ["onePixel"]],
  [[1, 1, 1], 64, 63, "auto", ["onePixel"]],
  [[1, 1, 1], 64, 64, "auto", ["vectorRow"]],
  [[1, 1, 1], 64, 64, "minimum", ["onePixel"]],
] as const;

test.each(STRIPS_OF)("a convolution of %j, %i to %i channels, by %s keeps %j", async (...row) => {
  const [size, depth, channels, schedule, strips] = row;
  const image = compile(convNet(size, depth, channels), { variant: "mcu", schedule });
  const kept = operatorsOf(image.sram);
  expect(CONV_STRIPS.filter((strip) => kept.has(strip)).sort()).toEqual(strips);
  const { files } = firmware(image, kernels, "wasm3");
  const instance = start(files.get("thimble-mcu.wasm") as Uint8Array<ArrayBuffer>, image);
  new Uint8Array(instance.memory.buffer).set(image.sram);
  expect(answer(instance, image)).toEqual(await answerOfSession(image));
});

/** A convolution, and the average or maximum of all that it makes. */
function pooledNet(pool: "averagePool2d" | "maxPool2d"): Uint8Array {
  return writeModel(
    named(
      {
        in: int8([1, 16, 16, 2]),
        w: weights([24, 3, 3, 2]),
        b: bias(24),
        middle: int8([1, 16, 16, 24]),
        out: int8([1, 1, 1, 24]),
      },
      [
        {
          builtin: BUILTIN.conv2d,
          inputs: ["in", "w", "b"],
          output: "middle",
          options: options.conv2d(SAME, 1),
        },
        { builtin: BUILTIN[pool], inputs: ["middle"], output: "out", options: options.pool2d(VALID, 1, 16) },
      ],
      ["in"],
      ["out"],
    ),
  );
}

test.each([
  ["averagePool2d", "layer", ["pool2d"]],
  ["averagePool2d", "minimum", ["accumulateRows"]],
  ["maxPool2d", "layer", ["pool2d"]],
] as const)("a whole %s by %s keeps %j", async (pool, schedule, strips) => {
  const image = compile(pooledNet(pool), { variant: "mcu", schedule });
  const kept = operatorsOf(image.sram);
  expect(POOL_STRIPS.filter((strip) => kept.has(strip))).toEqual(strips);
  const { files } = firmware(image, kernels, "wasm3");
  const instance = start(files.get("thimble-mcu.wasm") as Uint8Array<ArrayBuffer>, image);
  new Uint8Array(instance.memory.buffer).set(image.sram);
  expect(answer(instance, image)).toEqual(await answerOfSession(image));
});

test("the image that lies in flash is one that load takes, without what only a report tells", async () => {
  const [[, image] = ["", undefined]] = NETS;
  if (image === undefined) throw new Error("no net");
  const { files } = firmware(image, kernels, "wasm3");
  const file = files.get("model.thimble") as Uint8Array;
  const decoded = decodeImage(file);
  expect(decoded.report.steps).toEqual([]);
  expect(await answerOfSession(decoded)).toEqual(await answerOfSession(image));
  const source = files.get("model.c") as string;
  const array = /thimble_model\[\d+\] ALIGNED = \{([^}]*)\}/.exec(source)?.[1] ?? "";
  expect(Uint8Array.from(array.split(",").slice(0, -1).map(Number))).toEqual(file);
  expect(files.get("model.h")).toContain(`#define THIMBLE_RAM_BYTES ${image.report.ramBytes}u`);
});

test("the README tells how inputs and outputs lie in memory, and what lies in flash", () => {
  const model = named(
    { in: float32([1, 4, 2, 3]), quantized: int8([1, 4, 2, 3]), "a|b`": int8([1, 4, 2, 3]) },
    [
      { builtin: BUILTIN.quantize, inputs: ["in"], output: "quantized" },
      {
        builtin: BUILTIN.maxPool2d,
        inputs: ["quantized"],
        output: "a|b`",
        options: options.pool2d(SAME, 1, 2),
      },
    ],
    ["in"],
    ["a|b`"],
  );
  const readme = (input: "resident" | "streamed", engine: Engine): [string, Firmware["files"]] => {
    const image = compile(writeModel(model), { variant: "mcu", input });
    const { files } = firmware(image, kernels, engine);
    return [files.get("README.md") as string, files];
  };
  const [resident, files] = readme("resident", "wasm3");
  expect(resident).toContain("| input 0 | `in` | [1, 4, 2, 3] NHWC | 24 | float32 | int8 | 0.05");
  expect(resident).toContain("| output 0 | `a\\|b?` | [1, 4, 2, 3] NHWC | 24 | int8 | int8 | 0.05");
  expect(resident).toContain("node_modules/thimble/examples/mcu");
  expect(resident).not.toContain("model.row");
  expect(resident).toContain(`| ${files.get("thimble-mcu.wasm")?.length} | flash: \`thimble_kernels\``);
  const [streamed] = readme("streamed", "wasm2c");
  expect(streamed).toContain("| 4 rows of 6 int8, asked for |");
  expect(streamed).toContain("model.row = give_row;");
});

test("an image of another variant is refused", () => {
  const image = compile(depthwiseNet(3), { variant: "simd" });
  expect(() => firmware(image, kernels, "wasm2c")).toThrow(/packed for simd/);
  expect(() => bundle(image, kernels)).toThrow(/packed for simd/);
});

test("what the kernels' compiler never writes is refused, not passed on", () => {
  const damage: readonly (readonly [string, Uint8Array])[] = [
    ["no module", new Uint8Array(8)],
    ["a cut", kernels.subarray(0, 900)],
    ["a table", Uint8Array.of(...kernels.subarray(0, 8), 4, 4, 1, 0x70, 0, 1)],
  ];
  for (const [what, bytes] of damage) expect(() => readModule(bytes), what).toThrow(RangeError);
});
