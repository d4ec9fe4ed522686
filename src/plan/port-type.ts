/** Element types that inputs and outputs of a model may have, and the bytes of one element. A bool is a byte, 0 or 1. */
export const PORT_BYTES = { int8: 1, uint8: 1, bool: 1, int16: 2, int32: 4, float32: 4 } as const;

/** An element type of inputs and outputs. */
export type PortType = keyof typeof PORT_BYTES;

export function isPortType(type: unknown): type is PortType {
  return typeof type === "string" && Object.hasOwn(PORT_BYTES, type);
}
