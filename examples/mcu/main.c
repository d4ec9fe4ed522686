/* One inference: fills the input, runs, prints the largest output. Needs `put`, for text: cortex-m4/semihosting.c, arduino.cpp, or a UART. */
#include "model.h"
#include "thimble.h"

void put(const char *text);
int infer(void);

static struct thimble model;
#ifdef THIMBLE_KERNELS_BYTES
static uint8_t *const memory = NULL; /* wasm3 takes its own from the heap */
#else
static uint8_t memory[THIMBLE_RAM_BYTES] __attribute__((aligned(8)));
#endif

static void put_number(int32_t value) {
  char text[12];
  char *at = text + sizeof text - 1;
  uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
  *at = 0;
  do *--at = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (value < 0) *--at = '-';
  put(at);
}

/* A sensor's real values go through thimble_quantize. */
static void fill(const thimble_port *port, void *into, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) ((int8_t *)into)[i] = (int8_t)thimble_quantize(port, 0.0f);
}

/* Is asked for every row of an input that `compile --rows` left without a place in memory. */
static void give_row(void *user, uint32_t input, uint32_t row, void *into) {
  const thimble_port *const port = user;
  (void)input;
  (void)row;
  fill(port, into, port->length / port->rows);
}

int infer(void) {
  thimble_port input, output;
  thimble_status status = thimble_open(&model, thimble_model, THIMBLE_MODEL_BYTES, memory, THIMBLE_RAM_BYTES);
  if (status == THIMBLE_OK) status = thimble_input(&model, 0, &input);
  if (status == THIMBLE_OK) status = thimble_output(&model, 0, &output);
  if (status == THIMBLE_OK && (input.stored_type != THIMBLE_INT8 || output.stored_type != THIMBLE_INT8)) status = THIMBLE_PORT;
  if (status == THIMBLE_OK) {
    model.row = give_row;
    model.user = &input;
    if (input.data != NULL) fill(&input, input.data, input.length);
    status = thimble_run(&model);
  }
  if (status != THIMBLE_OK) {
    put(thimble_text(status));
    put("\n");
    return 1;
  }
  const int8_t *const values = output.data;
  uint32_t best = 0;
  for (uint32_t i = 1; i < output.length; i++) {
    if (values[i] > values[best]) best = i;
  }
  put("class ");
  put_number((int32_t)best);
  put(", value ");
  put_number(values[best]);
  put("\n");
  return 0;
}

#ifndef ARDUINO
int main(void) {
  return infer();
}
#endif
