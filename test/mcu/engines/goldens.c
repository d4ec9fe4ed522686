/*
 * Runs a model on the inputs of the recorded answers, which a generator makes from seeds, and prints a line for each run and output:
 * `output CRC-32`. A model with a state runs once from the state as loaded for every input, then on from input to input. Needs a port's own `put` and ends by returning from main.
 */
#include <string.h>

#include "model.h"
#include "thimble.h"

void put(const char *text);
/* Called between preparation and runs, and around each run: a port may measure. */
void phase(const char *name);

static uint32_t state;
static int32_t walk;
static int smooth;

static uint32_t draw(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static int32_t step(void) {
  walk += (int32_t)(draw() & 31) - 15;
  if (walk > 127) walk = 254 - walk;
  if (walk < -128) walk = -256 - walk;
  return walk;
}

static void fill(const thimble_port *port, void *into, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    if (port->type != THIMBLE_FLOAT32) {
      ((int8_t *)into)[i] = (int8_t)(smooth ? step() : (int32_t)(draw() & 255));
      continue;
    }
    const float value = smooth ? (float)step() / 128.0f : (float)(draw() >> 8) / 16777216.0f * 2.0f - 1.0f;
    if (port->stored_type == THIMBLE_INT8) ((int8_t *)into)[i] = (int8_t)thimble_quantize(port, value);
    else ((float *)into)[i] = value;
  }
}

static void give_row(void *user, uint32_t input, uint32_t row, void *into) {
  thimble_port port;
  (void)row;
  if (thimble_input(user, input, &port) == THIMBLE_OK) fill(&port, into, port.length / port.rows);
}

static uint32_t crc32(uint32_t crc, const void *bytes, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    crc ^= ((const uint8_t *)bytes)[i];
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
  }
  return crc;
}

static void put_hex(uint32_t value) {
  char text[9];
  for (int i = 0; i < 8; i++) text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
  text[8] = 0;
  put(text);
}

static void put_output(const thimble_port *port) {
  uint32_t crc = 0xffffffffu;
  if (port->type == port->stored_type) {
    crc = crc32(crc, port->data, thimble_port_bytes(port));
  } else {
    for (uint32_t i = 0; i < port->length; i++) {
      const float value = thimble_dequantize(port, ((const int8_t *)port->data)[i]);
      crc = crc32(crc, &value, sizeof value);
    }
  }
  put_hex(~crc);
  put("\n");
}

static struct thimble model;
static uint8_t memory[THIMBLE_RAM_BYTES] __attribute__((aligned(8)));

/* Seeds 1 to 6, the first run after a reset, or every one. */
static thimble_status run_all(int always) {
  thimble_status status = thimble_reset(&model);
  for (uint32_t seed = 1; status == THIMBLE_OK && seed <= 6; seed++) {
    thimble_port port;
    state = seed;
    walk = 0;
    smooth = seed > 3;
    for (uint32_t i = 0; thimble_input(&model, i, &port) == THIMBLE_OK; i++) {
      if (port.data != NULL) fill(&port, port.data, port.length);
    }
    if (always) thimble_reset(&model);
    phase("run");
    status = thimble_run(&model);
    phase("done");
    for (uint32_t i = 0; status == THIMBLE_OK && thimble_output(&model, i, &port) == THIMBLE_OK; i++) {
      put("output ");
      put_output(&port);
    }
  }
  return status;
}

int main(void) {
  thimble_status status = thimble_open(&model, thimble_model, THIMBLE_MODEL_BYTES, memory, sizeof memory);
  model.row = give_row;
  model.user = &model;
  if (status == THIMBLE_OK) status = run_all(1);
  if (status == THIMBLE_OK && model.states > 0) status = run_all(0);
  if (status != THIMBLE_OK) {
    put(thimble_text(status));
    put("\n");
  }
  thimble_close(&model);
  phase("end");
  return status;
}
