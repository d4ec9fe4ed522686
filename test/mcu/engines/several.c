/* One model of several in a program: NAME is the only name that its partial link keeps. The first call opens it. */
#include "model.h"
#include "thimble.h"

const int8_t *NAME(int8_t value);

static struct thimble model;
static uint8_t memory[THIMBLE_RAM_BYTES] __attribute__((aligned(8)));

/* The output for an input of `value`, or NULL. */
const int8_t *NAME(int8_t value) {
  thimble_port port;
  thimble_status status = THIMBLE_OK;
  if (model.memory == NULL) status = thimble_open(&model, thimble_model, THIMBLE_MODEL_BYTES, memory, sizeof memory);
  for (uint32_t i = 0; status == THIMBLE_OK && thimble_input(&model, i, &port) == THIMBLE_OK; i++) {
    for (uint32_t at = 0; at < port.length; at++) ((int8_t *)port.data)[at] = value;
  }
  if (status == THIMBLE_OK) status = thimble_run(&model);
  if (status == THIMBLE_OK) status = thimble_output(&model, 0, &port);
  return status == THIMBLE_OK ? port.data : NULL;
}
