import type { Image, Port } from "../emit/image.ts";
import { elementCount } from "../plan/shape.ts";
import type { Engine } from "./firmware.ts";
import type { InterpreterRam } from "./ram.ts";
import { isConverted, snippet } from "./snippet.ts";
import { MARKDOWN_MARK } from "./written.ts";

/** What the README tells besides the image's own report. */
export interface FirmwareFacts {
  readonly engine: Engine;
  readonly ramBytes: number;
  readonly calledBytes: number;
  readonly interpreter: InterpreterRam;
  readonly imageBytes: number;
  /** The whole module. */
  readonly kernelsBytes: number;
}

/** Machine code for a byte of the kernels' module, as C: measured 2.06 to 2.17 for a Cortex-M4. */
const MACHINE_CODE_GROWTH = 2.1;

/** How to run this one model in firmware, in Markdown. */
export function firmwareReadme(image: Image, facts: FirmwareFacts): string {
  const { report, inputs, outputs, states } = image;
  const { engine, ramBytes, calledBytes, interpreter, imageBytes, kernelsBytes } = facts;
  const wasm3 = engine === "wasm3";
  const ports = [...inputs, ...outputs];
  const sides = [...inputs.map((_, i) => `input ${i}`), ...outputs.map((_, i) => `output ${i}`)];
  return `${MARKDOWN_MARK}

# ${report.model} on a microcontroller

${report.macs.toLocaleString("en")} multiply-accumulates per run, planned as \`${report.schedule}\`, input ${report.input}.

| bytes | what |
| ---: | --- |
| ${ramBytes} | RAM: linear memory (plan ${report.planBytes}, weights ${report.residentWeightBytes + report.weightTileBytes}, activations ${report.arenaBytes}, scratch and slack the rest) |
${
  wasm3
    ? `| ${interpreter.codeBytes} | RAM: wasm3's code for ${calledBytes} bytes of kernels, about |
| ${interpreter.stackBytes} | RAM: wasm3's value stack |
`
    : ""
}| ${imageBytes} | flash: \`thimble_model\` in model.c (the same bytes as model.thimble) |
${
  wasm3
    ? `| ${kernelsBytes} | flash: \`thimble_kernels\` in model.c (the same bytes as thimble-mcu.wasm) |`
    : `| ${Math.ceil(MACHINE_CODE_GROWTH * kernelsBytes)} | flash: thimble-kernels.c, about, compiled for a Cortex-M4 by gcc -O2 |`
}

| port | name | shape | values | type | stored as | scale | zero point | \`data\` |
| --- | --- | --- | ---: | --- | --- | ---: | ---: | --- |
${ports.map((port, i) => portLine(sides[i] ?? "", port)).join("\n")}

\`data\` holds values as they are stored, the last dimension of the shape innermost: of int8, uint8 and int16 the real value is scale ·
(stored − zero point). \`thimble_quantize\` and \`thimble_dequantize\` convert.${
    ports.some(isConverted) ? " Where float32 is stored as another type, nothing else does." : ""
  }
${
  report.input === "streamed"
    ? `
An input in rows has no place in memory, its \`data\` is NULL: \`thimble_run\` calls \`model.row\` with \`model.user\`, the input, the row and
where to write that row's values as stored. Rows come in order; a plan of \`--max-recompute\` may ask for some again.
`
    : ""
}
Compile \`model.c\`${wasm3 ? "" : " and `thimble-kernels.c`"} with \`thimble.c\` and \`thimble-${engine}.c\` of \`node_modules/thimble/examples/mcu\`, both folders as include
folders${wasm3 ? ", and link wasm3" : ""}; the README there has boards, build systems, and several models in one firmware. Then:

\`\`\`c
${snippet(image, engine)}
\`\`\`
${
  states.length > 0
    ? `
The model keeps ${states.reduce((sum, { bytes }) => sum + bytes, 0)} bytes of state from run to run; thimble_reset(&model) begins anew.
`
    : ""
}
\`model.thimble\` is also a model for \`npx thimble run\`, with the same answers on a computer.
`;
}

function portLine(side: string, port: Port): string {
  const { name, shape, type, storedType, scale, zeroPoint, rows } = port;
  const length = elementCount(shape);
  const layout = shape.length === 4 ? " NHWC" : "";
  const place = rows === undefined ? "in place" : `${rows} rows of ${length / rows} ${storedType}, asked for`;
  return `| ${side} | ${cell(name)} | [${shape.join(", ")}]${layout} | ${length} | ${type} | ${storedType} | ${scale} | ${zeroPoint} | ${place} |`;
}

/** A name from a file, as it may stand in a table. */
function cell(name: string): string {
  return `\`${name.replaceAll("`", "?").replaceAll("|", "\\|")}\``;
}
