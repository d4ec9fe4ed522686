/*
 * Prints a line for every input and output: `port TYPE STORED_TYPE LENGTH BYTES`, and what real values are as stored; then the
 * bytes of every output of a run on inputs of counted bytes.
 */
#include <stdio.h>

#include "model.h"
#include "thimble.h"

static struct thimble model;
static uint8_t memory[THIMBLE_RAM_BYTES] __attribute__((aligned(8)));

static void describe(const thimble_port *port) {
  static const float steps[] = {-1e9f, -2.5f, -0.5f, 0.0f, 0.49f, 1.5f, 1e9f};
  printf("port %u %u %u %u", port->type, port->stored_type, port->length, thimble_port_bytes(port));
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    const int32_t stored = thimble_quantize(port, steps[i] * port->scale);
    printf(" %d", stored);
    if (thimble_dequantize(port, stored) != (float)((double)port->scale * (stored - port->zero_point))) printf("?");
  }
  printf("\n");
}

int main(void) {
  thimble_port port;
  thimble_status status = thimble_open(&model, thimble_model, THIMBLE_MODEL_BYTES, memory, sizeof memory);
  uint32_t count = 0;
  for (uint32_t i = 0; thimble_input(&model, i, &port) == THIMBLE_OK; i++) {
    describe(&port);
    for (uint32_t at = 0; at < thimble_port_bytes(&port); at++) {
      ((uint8_t *)port.data)[at] = port.type == THIMBLE_BOOL ? at & 1 : (uint8_t)++count;
    }
  }
  if (status == THIMBLE_OK) status = thimble_run(&model);
  for (uint32_t i = 0; thimble_output(&model, i, &port) == THIMBLE_OK; i++) {
    describe(&port);
    printf("output ");
    for (uint32_t at = 0; at < thimble_port_bytes(&port); at++) printf("%02x", ((uint8_t *)port.data)[at]);
    printf("\n");
  }
  return status;
}
