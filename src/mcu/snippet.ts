import type { Image, Port } from "../emit/image.ts";
import type { PortType } from "../plan/port-type.ts";
import type { Engine } from "./firmware.ts";

const C_TYPES: Readonly<Record<PortType, string>> = {
  int8: "int8_t",
  uint8: "uint8_t",
  bool: "uint8_t",
  int16: "int16_t",
  int32: "int32_t",
  float32: "float",
};

/** C that opens the model and runs it: whole but for `input_0`, `output_0`, …, which give and take the values. */
export function snippet({ inputs, outputs }: Image, engine: Engine): string {
  const streamed = inputs.some(({ rows }) => rows !== undefined);
  const memory = engine === "wasm3" ? "NULL" : "memory";
  return [
    `#include "model.h"`,
    `#include "thimble.h"`,
    "",
    "/* Yours. */",
    ...inputs.map((port, i) =>
      port.rows === undefined
        ? `${C_TYPES[port.type]} input_${i}(uint32_t i); /* value i */`
        : `${C_TYPES[port.type]} input_${i}(void *user, uint32_t row, uint32_t i); /* value i of a row */`,
    ),
    ...outputs.map((port, i) => `void output_${i}(uint32_t i, ${C_TYPES[port.type]} value);`),
    "",
    "static struct thimble model;",
    ...(engine === "wasm3"
      ? []
      : ["static unsigned char memory[THIMBLE_RAM_BYTES] __attribute__((aligned(8)));"]),
    ...(streamed ? giveRow(inputs) : []),
    "",
    "/* Once. Anything but THIMBLE_OK is an error, which thimble_text(status) says in words; then do not infer. */",
    `thimble_status start(${streamed ? "void *user" : "void"}) {`,
    `  const thimble_status status = thimble_open(&model, thimble_model, THIMBLE_MODEL_BYTES, ${memory}, THIMBLE_RAM_BYTES);`,
    ...(streamed
      ? ["  model.row = give_row;", "  model.user = user; /* what give_row needs, such as the camera */"]
      : []),
    "  return status;",
    "}",
    "",
    "/* As often as you like. */",
    "thimble_status infer(void) {",
    "  thimble_port port;",
    ...inputs.flatMap((port, i) =>
      port.rows === undefined
        ? [
            `  thimble_input(&model, ${i}, &port);`,
            `  for (uint32_t i = 0; i < port.length; i++) ${fill(port, "port.data", `input_${i}(i)`)};`,
          ]
        : [],
    ),
    "  const thimble_status status = thimble_run(&model);",
    "  if (status != THIMBLE_OK) return status;",
    ...outputs.flatMap((port, i) => [
      `  thimble_output(&model, ${i}, &port);`,
      `  for (uint32_t i = 0; i < port.length; i++) output_${i}(i, ${taken(port)});`,
    ]),
    "  return THIMBLE_OK;",
    "}",
  ].join("\n");
}

/** Whether thimble_quantize and thimble_dequantize stand between the model's values and those in memory. */
export function isConverted({ type, storedType }: Port): boolean {
  return type !== storedType;
}

function giveRow(inputs: readonly Port[]): string[] {
  return [
    "",
    "static void give_row(void *user, uint32_t input, uint32_t row, void *into) {",
    "  thimble_port port;",
    "  thimble_input(&model, input, &port);",
    "  const uint32_t length = port.length / port.rows;",
    ...inputs.flatMap((port, i) =>
      port.rows === undefined
        ? []
        : [
            `  if (input == ${i}) {`,
            `    for (uint32_t i = 0; i < length; i++) ${fill(port, "into", `input_${i}(user, row, i)`)};`,
            "  }",
          ],
    ),
    "}",
  ];
}

/** Stores one value. */
function fill(port: Port, into: string, value: string): string {
  const type = C_TYPES[port.storedType];
  return `((${type} *)${into})[i] = ${isConverted(port) ? `(${type})thimble_quantize(&port, ${value})` : value}`;
}

/** One value as the model gives it. */
function taken(port: Port): string {
  const stored = `((const ${C_TYPES[port.storedType]} *)port.data)[i]`;
  return isConverted(port) ? `thimble_dequantize(&port, ${stored})` : stored;
}
