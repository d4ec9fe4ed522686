import { describe, expect, test } from "vitest";
import type { WrittenModel, WrittenOperator, WrittenTensor } from "../model-writer.ts";
import { BUILTIN, options, SAME, VALID, writeModel } from "../model-writer.ts";
import {
  bias,
  int32,
  int8,
  named,
  ONE_OPERATOR,
  OPERATOR_NAMES,
  RESIDUAL,
  weights,
} from "../written-models.ts";
import { compileError, damaged } from "./damage.ts";

type TensorChange = Partial<WrittenTensor>;

/** The model with one tensor, found by name, changed. */
function withTensor(model: WrittenModel, name: string, change: TensorChange): WrittenModel {
  if (!model.tensors.some((tensor) => tensor.name === name)) throw new Error(`no tensor "${name}"`);
  const tensors = model.tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor));
  return { ...model, tensors };
}

/** The model with its operator at `index` changed. */
function withOperator(model: WrittenModel, change: Partial<WrittenOperator>, index = 0): WrittenModel {
  const operators = model.operators.map((operator, i) =>
    i === index ? { ...operator, ...change } : operator,
  );
  return { ...model, operators };
}

/** Far more numbers than there are dimensions. */
const MANY = { shape: [100_000], data: new Int32Array(100_000) };

function codeOf(model: WrittenModel): string | undefined {
  return compileError(writeModel(model))?.code;
}

const { conv2d, reshape, add } = ONE_OPERATOR;

describe("graph", () => {
  const [first] = RESIDUAL.operators;
  const inputs = first?.inputs ?? [];
  const id = (name: string): number => RESIDUAL.tensors.findIndex((tensor) => tensor.name === name);

  test.each<[string, WrittenModel, string]>([
    ["no operators", { ...RESIDUAL, operators: [] }, "no-operators"],
    ["no outputs", { ...RESIDUAL, outputs: [] }, "no-outputs"],
    ["an input beyond the tensors", { ...RESIDUAL, inputs: [RESIDUAL.tensors.length] }, "tensor-index"],
    ["a negative input", { ...RESIDUAL, inputs: [-1] }, "tensor-index"],
    ["the same input twice", { ...RESIDUAL, inputs: [0, 0] }, "graph-repeated-input"],
    ["an output beyond the tensors", { ...RESIDUAL, outputs: [RESIDUAL.tensors.length] }, "tensor-index"],
    ["an output that nobody makes", withOutput("nobody's"), "graph-missing-output"],
    ["an output that is a constant", { ...RESIDUAL, outputs: [id("w0")] }, "graph-constant-output"],
    ["an input that is a constant", { ...RESIDUAL, inputs: [0, id("w0")] }, "graph-constant-input"],
    ["tensor n read", withOperator(RESIDUAL, { inputs: [99, ...inputs.slice(1)] }), "tensor-index"],
    ["tensor −2 read", withOperator(RESIDUAL, { inputs: [-2, ...inputs.slice(1)] }), "tensor-index"],
    ["tensor 2^31 − 1 read", withOperator(RESIDUAL, { inputs: [0x7fffffff] }), "tensor-index"],
    ["tensor −1 written", withOperator(RESIDUAL, { outputs: [-1] }), "tensor-index"],
    [
      "a required input left out",
      withOperator(RESIDUAL, { inputs: [-1, ...inputs.slice(1)] }),
      "missing-input",
    ],
    ["no inputs", withOperator(RESIDUAL, { inputs: [] }), "input-count"],
    ["too many inputs", withOperator(RESIDUAL, { inputs: [...inputs, 0] }), "input-count"],
    ["no output of an operator", withOperator(conv2d, { outputs: [] }), "missing-output"],
    [
      "an operator that reads what it writes",
      withOperator(RESIDUAL, { inputs: [id("stem"), ...inputs.slice(1)] }),
      "cycle",
    ],
    ["a cycle of several", withOperator(RESIDUAL, { inputs: [id("sum"), ...inputs.slice(1)] }), "cycle"],
    ["two producers", withOperator(RESIDUAL, { outputs: [id("stem")] }, 2), "two-producers"],
    [
      "one operator with the same output twice",
      withOperator(RESIDUAL, { outputs: [id("stem"), id("stem")] }),
      "two-producers",
    ],
    ["an input never produced", { ...RESIDUAL, inputs: [] }, "never-produced"],
    ["a constant written", withOperator(RESIDUAL, { outputs: [id("w1")] }), "output-not-free"],
    ["the model's input written", withOperator(RESIDUAL, { outputs: [id("in")] }), "output-not-free"],
  ])("%s", (_, model, code) => {
    expect(codeOf(model)).toBe(code);
  });

  function withOutput(name: string): WrittenModel {
    return {
      ...RESIDUAL,
      tensors: [...RESIDUAL.tensors, { ...int8([1]), name }],
      outputs: [RESIDUAL.tensors.length],
    };
  }

  test.each([
    ["no subgraphs", "subgraphs", "no-subgraphs"],
    ["no buffers", "buffers", "no-buffers"],
    ["no operator codes", "operatorCodes", "operator-code"],
  ])("%s", (_, path, code) => {
    const empty = damaged(writeModel(RESIDUAL), path, (view, { target }) => {
      view.setUint32(target, 0, true);
    });
    expect(compileError(empty)?.code).toBe(code);
  });

  test.each([1, 0x7fffffff, 0xffffffff])("operator code %i", (opcode) => {
    const file = damaged(writeModel(conv2d), "subgraphs/0/operators/0/opcodeIndex", (view, { slot }) => {
      view.setUint32(slot, opcode, true);
    });
    expect(compileError(file)?.code).toBe("operator-code");
  });

  test("all operators that are not run are named at once, with how many there are", () => {
    const unknown = (builtin: number, custom?: string): WrittenOperator => ({
      builtin,
      inputs: [0],
      outputs: [1],
      ...(custom === undefined ? {} : { custom }),
    });
    const operators = [
      unknown(47),
      unknown(32, "Detect\x1b[31m"),
      unknown(47),
      unknown(222),
      unknown(32, "Other"),
    ];
    const error = compileError(writeModel({ ...reshape, operators: [...operators, ...reshape.operators] }));
    expect(error?.code).toBe("unsupported-operators");
    expect(error?.message).toContain("EXP (2 times), CUSTOM:Detect\\x1b[31m, BUILTIN_222, CUSTOM:Other;");
  });

  test("5,000 kinds of custom operators give a message that can be read", () => {
    const operators = Array.from({ length: 5000 }, (_, i) => ({
      builtin: 32,
      custom: `operator${i}`.repeat(20),
      inputs: [0],
      outputs: [1],
    }));
    const error = compileError(writeModel({ ...reshape, operators }));
    expect(error?.code).toBe("unsupported-operators");
  });
});

describe("tensors", () => {
  test.each<[string, TensorChange, string]>([
    ["2^32 elements", { shape: [65536, 65536] }, "tensor-size"],
    ["2^32 − 2 elements", { shape: [0x7fffffff, 2] }, "tensor-size"],
    ["a free dimension", { shape: [-1, 6, 5, 3] }, "tensor-shape"],
    ["huge dimensions behind one that is empty", { shape: [0, 0x7fffffff, 0x7fffffff, 3] }, "empty-tensor"],
    ["rank 0", { shape: [] }, "unsupported-rank"],
    ["rank 9", { shape: [1, 1, 1, 1, 1, 6, 5, 3, 1] }, "tensor-rank"],
    ["rank 1,000,000", { shape: Array.from({ length: 1_000_000 }, () => 1) }, "tensor-rank"],
    ["scale 0", { scales: [0] }, "bad-scale"],
    ["scale −0", { scales: [-0] }, "bad-scale"],
    ["scale −1", { scales: [-1] }, "bad-scale"],
    ["scale NaN", { scales: [NaN] }, "bad-scale"],
    ["scale ∞", { scales: [Infinity] }, "bad-scale"],
    ["scale 1e38", { scales: [1e38] }, "multiplier-too-large"],
    ["no scale", { scales: [], zeroPoints: [] }, "missing-quantization"],
    ["two scales", { scales: [0.1, 0.2], zeroPoints: [0, 0] }, "scale-count"],
    ["a scale per row", { scales: [1, 2, 3, 4, 5, 6], zeroPoints: [0], axis: 1 }, "per-channel-activation"],
    ["scales along dimension 7", { scales: [1, 2, 3], zeroPoints: [0], axis: 7 }, "scale-count"],
    ["scales along dimension −1", { scales: [1, 2, 3], zeroPoints: [0], axis: -1 }, "scale-count"],
    ["two zero points", { zeroPoints: [1, 2] }, "zero-point-count"],
    ["zero point 200", { zeroPoints: [200] }, "bad-zero-point"],
    ["zero point −129", { zeroPoints: [-129] }, "bad-zero-point"],
    ["zero point 2^40", { zeroPoints: [2 ** 40] }, "bad-zero-point"],
    ["FLOAT16", { type: "float16" }, "tensor-type"],
    ["STRING", { type: "string" }, "tensor-type"],
    ["INT4", { type: "int4" }, "tensor-type"],
    ["FLOAT32", { type: "float32" }, "unsupported-type"],
    ["INT16", { type: "int16" }, "unsupported-type"],
  ])("an activation with %s", (_, change, code) => {
    expect(codeOf(withTensor(conv2d, "in", change))).toBe(code);
  });

  test("an input with an empty dimension, though operators that only rename shapes would take it", () => {
    const empty = withTensor(withTensor(reshape, "in", { shape: [2, 0] }), "out", { shape: [3, 0] });
    expect(codeOf(withTensor(empty, "shape", { data: Int32Array.of(3, 0) }))).toBe("empty-tensor");
  });

  test("a scale of 1e−45 has a meaning: every weight counts for nothing", () => {
    expect(codeOf(withTensor(conv2d, "in", { scales: [1e-45] }))).toBeUndefined();
    expect(codeOf(withTensor(conv2d, "out", { scales: [1e-45] }))).toBe("multiplier-too-large");
  });

  test.each<[string, string, TensorChange, string]>([
    ["weights with 2 scales for 9 channels", "w", { scales: [0.1, 0.2], zeroPoints: [0, 0] }, "scale-count"],
    [
      "weights with scales along the wrong dimension",
      "w",
      { scales: [1, 1, 1], zeroPoints: [0], axis: 3 },
      "scale-count",
    ],
    ["weights with a zero point", "w", { scales: [0.1], zeroPoints: [1] }, "asymmetric-weights"],
    ["weights without a scale", "w", { scales: [], zeroPoints: [] }, "missing-quantization"],
    ["weights of INT4", "w", { type: "int4" }, "tensor-type"],
    ["weights of UINT8", "w", { type: "uint8" }, "unsupported-type"],
    ["weights that end early", "w", { data: new Int8Array(9 * 27 - 1) }, "buffer-size"],
    ["weights that go on", "w", { data: new Int8Array(9 * 27 + 1) }, "buffer-size"],
    ["a bias that ends early", "b", { shape: [8], data: new Int32Array(8) }, "bias-length"],
    ["a bias of INT8", "b", { type: "int8", data: new Int8Array(9) }, "unsupported-type"],
    ["a bias whose bytes are not whole", "b", { data: new Int8Array(35) }, "buffer-size"],
  ])("%s", (_, name, change, code) => {
    expect(codeOf(withTensor(conv2d, name, change))).toBe(code);
  });

  test("weights and bias that the model computes", () => {
    for (const name of ["w", "b"]) {
      const tensors = conv2d.tensors.map(({ data, ...tensor }) => ({
        ...tensor,
        ...(data === undefined || tensor.name === name ? {} : { data }),
      }));
      const id = tensors.findIndex((tensor) => tensor.name === name);
      expect(codeOf({ ...conv2d, tensors, inputs: [0, id] })).toBe("not-constant");
    }
  });

  test("weights without rows", () => {
    const empty = withTensor(conv2d, "w", {
      shape: [0, 3, 3, 3],
      scales: [1],
      zeroPoints: [0],
      data: new Int8Array(0),
    });
    expect(codeOf(withTensor(empty, "out", { shape: [1, 3, 3, 0] }))).toBeDefined();
    const { fullyConnected } = ONE_OPERATOR;
    const noInputs = withTensor(fullyConnected, "w", { shape: [7, 0], data: new Int8Array(0) });
    expect(codeOf(withTensor(noInputs, "in", { shape: [2, 0] }))).toBe("empty-tensor");
  });

  test.each([9, 0x7fffffff, 0xffffffff])("buffer %i", (index) => {
    const file = damaged(writeModel(conv2d), "subgraphs/0/tensors/1/buffer", (view, { slot }) => {
      view.setUint32(slot, index, true);
    });
    expect(compileError(file)?.code).toBe("buffer-index");
  });

  test("one scale along dimension 7 is harmless: biases of known models say so", () => {
    expect(codeOf(withTensor(conv2d, "b", { axis: 7 }))).toBeUndefined();
    expect(codeOf(withTensor(conv2d, "in", { axis: 7 }))).toBeUndefined();
  });

  test.each<[string, string, RegExp]>([
    ["terminal escapes", "\x1b]0;owned\x07\x1b[2J", /"\\x1b\]0;owned\\x07\\x1b\[2J"/],
    ["line breaks", "a\nb\rc\x85d\u2028e", /"a\\x0ab\\x0dc\\x85d\\x2028e"/],
    ["text that runs backwards", "\u202ecod.exe\u2066", /"\\x202ecod.exe\\x2066"/],
    ["HTML", "<img src=x onerror=alert(1)>", /"<img src=x onerror=alert\(1\)>"/],
    ["other scripts", "重み🙂é", /"重み🙂é"/],
    ["a million characters", "x".repeat(1_000_000), /"x{256}…"/],
  ])("names of %s", (_, name, shown) => {
    const tensors = conv2d.tensors.map((tensor) =>
      tensor.name === "in" ? { ...tensor, name, scales: [0] } : tensor,
    );
    const error = compileError(writeModel({ ...conv2d, tensors }));
    expect(error?.code).toBe("bad-scale");
    expect(error?.message).toMatch(shown);
  });

  test.each<[string, readonly number[], string]>([
    ["a lone continuation", [0x80, 0x41], "\ufffdA"],
    ["a sequence cut short", [0xe9, 0x87], "\ufffd\ufffd"],
    ["an overlong slash", [0xc0, 0xaf], "\ufffd\ufffd"],
    ["an overlong NUL in 3 bytes", [0xe0, 0x80, 0x80], "\ufffd\ufffd\ufffd"],
    ["a surrogate", [0xed, 0xa0, 0x80], "\ufffd\ufffd\ufffd"],
    ["a code beyond Unicode", [0xf4, 0x90, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd"],
    ["bytes that UTF-8 never has", [0xff, 0xfe], "\ufffd\ufffd"],
  ])("names with %s", (_, bytes, shown) => {
    const tensors = [{ ...int8([1]), name: "x".repeat(bytes.length), scales: [0] }];
    const model = { tensors, operators: reshape.operators, inputs: [0], outputs: [0] };
    const file = damaged(writeModel(model), "subgraphs/0/tensors/0/name", (view, { target }) => {
      for (const [i, byte] of bytes.entries()) view.setUint8(target + 4 + i, byte);
    });
    expect(compileError(file)?.message).toContain(`"${shown}"`);
  });
});

describe("operators", () => {
  const window = (padding: number, strideX: number, strideY: number, dilationX = 1, dilationY = 1) => ({
    options: [
      { byte: padding },
      { int: strideX },
      { int: strideY },
      { byte: 0 },
      { int: dilationX },
      { int: dilationY },
    ],
  });
  /** Of a vector of 8. */
  const slice = (begin: number, end: number, stride: number): WrittenModel =>
    named(
      {
        in: int8([8]),
        begin: int32([begin]),
        end: int32([end]),
        strides: int32([stride]),
        out: int8([4]),
      },
      [{ builtin: 45, inputs: ["in", "begin", "end", "strides"], output: "out", options: [] }],
      ["in"],
      ["out"],
    );
  const {
    averagePool2d,
    concatenation,
    depthwiseConv2d,
    fullyConnected,
    mean,
    pad,
    transpose,
    softmax,
    mul,
    quantize,
    dequantize,
  } = ONE_OPERATOR;

  test.each<[string, WrittenModel, string]>([
    ["stride 0", withOperator(conv2d, window(SAME, 0, 0)), "bad-window"],
    ["stride −1", withOperator(conv2d, window(SAME, 2, -1)), "bad-window"],
    ["stride 2^31 − 1", withOperator(conv2d, window(SAME, 0x7fffffff, 2)), "bad-window"],
    ["dilation 0", withOperator(conv2d, window(SAME, 2, 2, 0, 1)), "bad-window"],
    ["dilation 2^31 − 1", withOperator(conv2d, window(SAME, 2, 2, 1, 0x7fffffff)), "bad-window"],
    ["no options", withoutOptions(conv2d), "bad-window"],
    ["padding 2", withOperator(conv2d, window(2, 2, 2)), "bad-padding"],
    ["a fused tanh", withOperator(conv2d, { options: options.conv2d(SAME, 2, 4) }), "unsupported-activation"],
    [
      "VALID and a filter larger than the input",
      withOperator(withTensor(conv2d, "in", { shape: [1, 2, 5, 3] }), window(VALID, 1, 1)),
      "window-exceeds-input",
    ],
    [
      "VALID and a dilated filter larger than the input",
      withOperator(conv2d, window(VALID, 1, 1, 3, 1)),
      "window-exceeds-input",
    ],
    ["groups that do not divide", withTensor(conv2d, "in", { shape: [1, 6, 5, 4] }), "bad-groups"],
    ["a convolution over rank 3", withTensor(conv2d, "in", { shape: [6, 5, 3] }), "unsupported-rank"],
    ["another output shape", withTensor(conv2d, "out", { shape: [1, 3, 3, 8] }), "graph-output-type"],
    [
      "another output type",
      withTensor(conv2d, "out", { type: "int16", zeroPoints: [0] }),
      "unsupported-type",
    ],
    [
      "depth multiplier 3 for 4 → 8",
      withOperator(depthwiseConv2d, { options: options.depthwiseConv2d(VALID, 1, 3) }),
      "depth-multiplier",
    ],
    [
      "depth multiplier −1",
      withOperator(depthwiseConv2d, { options: options.depthwiseConv2d(VALID, 1, -1) }),
      "depth-multiplier",
    ],
    [
      "a depthwise stride of 0",
      withOperator(depthwiseConv2d, { options: options.depthwiseConv2d(VALID, 0, 2) }),
      "bad-window",
    ],
    [
      "a convolution by a filter of no rows",
      withTensor(withTensor(conv2d, "w", { shape: [9, 0, 3, 3], data: new Int8Array(0) }), "b", {
        shape: [9],
      }),
      "never-produced",
    ],
    [
      "fully connected weights of no columns",
      withTensor(fullyConnected, "w", { shape: [7, 0], data: new Int8Array(0) }),
      "never-produced",
    ],
    [
      "joined tensors of other sizes",
      withTensor(concatenation, "b", { shape: [1, 4, 2, 5] }),
      "shape-mismatch",
    ],
    ["joined tensors of other ranks", withTensor(concatenation, "b", { shape: [4, 3, 5] }), "shape-mismatch"],
    [
      "joining along dimension 4 of 4",
      withOperator(concatenation, { options: options.concatenation(4) }),
      "bad-axis",
    ],
    ["a slice in strides of 0", slice(0, 4, 0), "bad-slice"],
    ["a slice that begins behind the end", slice(9, 4, 1), "empty-tensor"],
    ["a slice in strides of −2^31", slice(0, 4, -(2 ** 31)), "empty-tensor"],
    ["pool of size 0", withOperator(averagePool2d, { options: options.pool2d(SAME, 2, 0) }), "bad-window"],
    ["pool of size −3", withOperator(averagePool2d, { options: options.pool2d(SAME, 2, -3) }), "bad-window"],
    [
      "fully connected over another depth",
      withTensor(fullyConnected, "in", { shape: [2, 13] }),
      "fully-connected-shape",
    ],
    ["addition of other shapes", withTensor(add, "b", { shape: [1, 1, 1, 2] }), "shapes-do-not-broadcast"],
    ["product of other shapes", withTensor(mul, "b", { shape: [1, 3, 4, 5] }), "shapes-do-not-broadcast"],
    ["two free dimensions", withTensor(reshape, "shape", { data: Int32Array.of(-1, -1) }), "reshape-shape"],
    ["a dimension of −2", withTensor(reshape, "shape", { data: Int32Array.of(-2, 6) }), "reshape-shape"],
    ["a reshape to more", withTensor(reshape, "shape", { data: Int32Array.of(3, 5) }), "reshape-size"],
    ["a reshape to nothing", withTensor(reshape, "shape", { data: Int32Array.of(0, -1) }), "reshape-size"],
    [
      "a reshape to 2^62",
      withTensor(reshape, "shape", { data: Int32Array.of(0x7fffffff, 0x7fffffff) }),
      "reshape-size",
    ],
    [
      "a reshape by float",
      withTensor(reshape, "shape", { type: "float32", data: Float32Array.of(3, 4) }),
      "unsupported-type",
    ],
    ["an axis out of range", withTensor(mean, "axes", { data: Int32Array.of(1, 4) }), "bad-axis"],
    ["axis −5 of 4", withTensor(mean, "axes", { data: Int32Array.of(1, -5) }), "bad-axis"],
    ["an axis twice", withTensor(mean, "axes", { data: Int32Array.of(1, -3) }), "repeated-axis"],
    [
      "a dimension twice in a permutation",
      withTensor(transpose, "p", { data: Int32Array.of(0, 3, 1, 1) }),
      "bad-permutation",
    ],
    [
      "a permutation of three",
      withTensor(transpose, "p", { shape: [3], data: Int32Array.of(0, 2, 1) }),
      "bad-permutation",
    ],
    [
      "a negative permutation",
      withTensor(transpose, "p", { data: Int32Array.of(0, 3, 1, -5) }),
      "bad-permutation",
    ],
    ["padding −1", withTensor(pad, "p", { data: Int32Array.of(0, 0, -1, 2, 0, 1, 0, 0) }), "bad-padding"],
    [
      "padding 2^31 − 1",
      withTensor(pad, "p", { data: Int32Array.of(0, 0, 0x7fffffff, 2, 0, 1, 0, 0) }),
      "bad-padding",
    ],
    [
      "three pairs of paddings",
      withTensor(pad, "p", { shape: [3, 2], data: new Int32Array(6) }),
      "padding-count",
    ],
    ["softmax with beta −1", withOperator(softmax, { options: options.softmax(-1) }), "softmax-beta"],
    ["softmax with beta NaN", withOperator(softmax, { options: options.softmax(NaN) }), "softmax-beta"],
    ["softmax with beta ∞", withOperator(softmax, { options: options.softmax(Infinity) }), "softmax-beta"],
    ["softmax to another scale", withTensor(softmax, "out", { scales: [0.01] }), "softmax-output"],
    [
      "quantization without a scale",
      withTensor(quantize, "out", { scales: [], zeroPoints: [] }),
      "missing-quantization",
    ],
    [
      "dequantization without a scale",
      withTensor(dequantize, "in", { scales: [], zeroPoints: [] }),
      "missing-quantization",
    ],
    ["dequantization of bool", withTensor(dequantize, "in", { type: "bool" }), "unsupported-type"],
  ])("%s", (_, model, code) => {
    expect(codeOf(model)).toBe(code);
  });

  test("depth multiplier 0 leaves it to the shapes: some converters write nothing else", () => {
    expect(
      codeOf(withOperator(depthwiseConv2d, { options: options.depthwiseConv2d(VALID, 1, 0) })),
    ).toBeUndefined();
  });

  test("an operator's error names it and its place", () => {
    const error = compileError(writeModel(withOperator(RESIDUAL, { options: options.conv2d(SAME, 0) }, 2)));
    expect(error?.message).toContain("subgraph 0, operator 2 (CONV_2D): ");
  });

  function withoutOptions(model: WrittenModel): WrittenModel {
    const operators = model.operators.map(({ builtin, inputs, outputs }) => ({ builtin, inputs, outputs }));
    return { ...model, operators };
  }
});

describe("size", () => {
  test("a file of 1 KB that asks for 2 GiB of activations", () => {
    const shape = [1, 32767, 65535, 1];
    const file = writeModel(
      named(
        { in: int8(shape), out: int8(shape) },
        [{ builtin: BUILTIN.maxPool2d, inputs: ["in"], output: "out", options: options.pool2d(SAME, 1, 1) }],
        ["in"],
        ["out"],
      ),
    );
    expect(file.length).toBeLessThan(1024);
    const error = compileError(file);
    expect(error?.code).toBe("arena-overflow");
    // Need, have, what to do, the step of the peak, and who is alive there.
    expect(error?.message).toMatch(
      /needs \d+ bytes.*the budget is 262144.*raise `sram` to \d+.*peak is step "out".*"in" \(2147385345\)/,
    );
  });

  test("padding that asks for 2^62 bytes", () => {
    const model = withTensor(ONE_OPERATOR.pad, "p", {
      data: Int32Array.of(32767, 32767, 32767, 32767, 32767, 32767, 32767, 32767),
    });
    expect(codeOf(model)).toBeDefined();
  });

  test("100,000 reshapes", () => {
    const count = 100_000;
    const tensors = Array.from({ length: count + 1 }, (_, i) => ({
      ...int8([1 + (i % 2), 2 - (i % 2)]),
      name: "",
    }));
    const operators = Array.from({ length: count }, (_, i) => ({
      builtin: BUILTIN.reshape,
      inputs: [i],
      outputs: [i + 1],
    }));
    const model = { tensors, operators, inputs: [0], outputs: [count] };
    expect(codeOf(model)).toBeUndefined();
    expect(codeOf({ ...model, operators: [...operators].reverse() })).toBeUndefined();
  });

  test("an operator that reads 10,000 tensors which others make behind it", () => {
    const count = 10_000;
    const tensors = Array.from({ length: count + 2 }, () => ({ ...int8([1]), name: "" }));
    const made = Array.from({ length: count }, (_, i) => i + 1);
    const operators = [
      { builtin: BUILTIN.reshape, inputs: made, outputs: [count + 1] },
      ...made.map((id) => ({ builtin: BUILTIN.reshape, inputs: [0], outputs: [id] })),
    ];
    const model = { tensors, operators, inputs: [0], outputs: [count + 1] };
    expect(codeOf(model)).toBe("input-count");
  });

  const ABS = 101;
  test.each([
    ["that are cut out of one", BUILTIN.slice, undefined],
    ["that are made from one", ABS, "too-many-alive"],
  ])("1,600 tensors, held at once, %s", (_, builtin, code) => {
    const count = 1600;
    const numbers = Array.from({ length: count }, (_, i) => i);
    const isCut = builtin === BUILTIN.slice;
    const int32 = (values: number[]): Omit<WrittenTensor, "name"> => ({
      shape: [2],
      type: "int32",
      data: Int32Array.from(values),
    });
    const tensors = numbers.flatMap((i) => [
      [`piece${i}`, int8([1, 4])] as const,
      [`sum${i}`, int8([1, 4])] as const,
      ...(isCut ? [[`begin${i}`, int32([i, 0])] as const] : []),
    ]);
    const model = named(
      {
        x: int8([isCut ? count : 1, 4]),
        ...(isCut && { size: int32([1, 4]) }),
        ...Object.fromEntries(tensors),
      },
      [
        ...numbers.map((i) => ({
          builtin,
          inputs: isCut ? ["x", `begin${i}`, "size"] : ["x"],
          output: `piece${i}`,
        })),
        ...numbers.map((i) => ({
          builtin: BUILTIN.add,
          inputs: [i === 0 ? "piece0" : `sum${i - 1}`, `piece${i}`],
          output: `sum${i}`,
        })),
      ],
      ["x"],
      [`sum${count - 1}`],
    );
    expect(codeOf(model)).toBe(code);
  });

  test.each([
    [16, undefined],
    [1000, "shared-constants"],
  ])("%i operators that share their weights", (count, code) => {
    const shared = { w: weights([512, 1, 1, 512]), b: bias(512) };
    const layers = Array.from(
      { length: count + 1 },
      (_, i) => [`t${i}`, int8([1, 1, 1, 512], 2, 0)] as const,
    );
    const model = named(
      { ...shared, ...Object.fromEntries(layers) },
      Array.from({ length: count }, (_, i) => ({
        builtin: BUILTIN.conv2d,
        inputs: [`t${i}`, "w", "b"],
        output: `t${i + 1}`,
        options: options.conv2d(SAME, 1),
      })),
      ["t0"],
      [`t${count}`],
    );
    expect(codeOf(model)).toBe(code);
  });

  test.each<[string, WrittenModel, string]>([
    ["axes", withTensor(ONE_OPERATOR.mean, "axes", MANY), "repeated-axis"],
    ["dimensions", withTensor(reshape, "shape", MANY), "unsupported-rank"],
    ["paddings", withTensor(ONE_OPERATOR.pad, "p", MANY), "padding-count"],
    ["a permutation", withTensor(ONE_OPERATOR.transpose, "p", MANY), "bad-permutation"],
  ])("100,000 numbers of %s give a message that can be read", (_, model, code) => {
    expect(codeOf(model)).toBe(code);
  });
});

test("an unchanged model of every operator is accepted", () => {
  for (const name of OPERATOR_NAMES) expect(codeOf(ONE_OPERATOR[name])).toBeUndefined();
});
