import type { Image, Port } from "../emit/image.ts";
import type { Engine } from "./firmware.ts";
import type { InterpreterRam } from "./ram.ts";

/** What the README tells besides the image's own report. */
export interface FirmwareFacts {
  readonly engine: Engine;
  readonly ramBytes: number;
  readonly calledBytes: number;
  readonly interpreter: InterpreterRam;
  readonly imageBytes: number;
}

/** How to run this one model in firmware, in Markdown. */
export function firmwareReadme({ report, inputs, outputs, states }: Image, facts: FirmwareFacts): string {
  const { engine, ramBytes, calledBytes, interpreter, imageBytes } = facts;
  const wasm3 = engine === "wasm3";
  const ports = [
    ...inputs.map((port, i) => portLine("input", i, port)),
    ...outputs.map((port, i) => portLine("output", i, port)),
  ];
  return `# ${report.model} on a microcontroller

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

| port | values | type | scale | zero point | how it is given |
| --- | ---: | --- | ---: | ---: | --- |
${ports.join("\n")}

Compile \`model.c\`${wasm3 ? "" : ", `thimble-kernels.c`"} with \`thimble.c\` and \`thimble-${engine}.c\` of thimble's \`examples/mcu\`${
    wasm3 ? ", and link wasm3" : ""
  }. Then:

\`\`\`c
#include "model.h"
#include "thimble.h"

static struct thimble model;
${wasm3 ? "" : `static unsigned char memory[THIMBLE_RAM_BYTES] __attribute__((aligned(8)));\n`}
thimble_status status = thimble_open(&model, thimble_model, THIMBLE_MODEL_BYTES, ${wasm3 ? "0" : "memory"}, THIMBLE_RAM_BYTES);
/* Fill the input, run, read the output: 0 is success, thimble_text(status) says what else went wrong. */
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

function portLine(side: string, index: number, port: Port): string {
  const length = port.shape.reduce((a, b) => a * b, 1);
  const given =
    port.rows === undefined
      ? port.type === port.storedType
        ? "in place"
        : "floats, converted by thimble.c"
      : `${port.rows} rows, asked for`;
  return `| ${side} ${index} | ${length} | ${port.type} | ${port.scale} | ${port.zeroPoint} | ${given} |`;
}
