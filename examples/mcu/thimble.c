#include "thimble.h"

#include <string.h>

/* Words of an image file, of its SRAM section, and of its table of ports and states: FileHeader, Header and PortWord of thimble's sources. */
enum { FILE_MAGIC, FILE_VERSION, FILE_VARIANT, FILE_CRC, FILE_SECTIONS, FILE_WORDS = 12 };
enum { METADATA, SRAM, FLASH, OPERANDS, PORTS, SECTIONS };
enum { SRAM_ENTRY = 3, SRAM_RAM_BYTES = 7, SRAM_WORDS = 8 };
enum { PORT_TYPE, PORT_STORED_TYPE, PORT_ADDRESS, PORT_LENGTH, PORT_ROWS, PORT_SCALE, PORT_ZERO_POINT, PORT_WORDS };
enum { STATE_ADDRESS, STATE_BYTES, STATE_INITIAL_BYTE, STATE_WORDS };
enum { INPUTS, OUTPUTS, STATES, TABLE_WORDS };

static const uint32_t IMAGE_MAGIC = 0x4d494854; /* "THIM" */
static const uint32_t MCU = 0;

/* Word `index` of little-endian bytes, which need not be aligned. */
static uint32_t word(const uint8_t *bytes, uint32_t index) {
  const uint8_t *at = bytes + 4 * (size_t)index;
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* CRC-32 as in zlib, half a byte at a time: a table of 64 bytes. */
static uint32_t crc32(const uint8_t *bytes, size_t count) {
  static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                     0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                     0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < count; i++) {
    crc = table[(crc ^ bytes[i]) & 15] ^ crc >> 4;
    crc = table[(crc ^ (uint32_t)(bytes[i] >> 4)) & 15] ^ crc >> 4;
  }
  return ~crc;
}

static uint32_t type_bytes(uint32_t type) {
  static const uint8_t bytes[THIMBLE_TYPES] = {1, 4, 1, 2, 4, 1};
  return bytes[type];
}

static uint32_t port_bytes(const uint8_t *port) {
  return word(port, PORT_LENGTH) * type_bytes(word(port, PORT_STORED_TYPE));
}

/* Whether [at, at + bytes) lies within `limit` bytes. */
static int within(uint32_t at, uint32_t bytes, uint32_t limit) {
  return bytes <= limit && at <= limit - bytes;
}

static const uint8_t *port_at(const struct thimble *model, uint32_t index) {
  return model->ports + 4 * PORT_WORDS * (size_t)index;
}

static const uint8_t *state_at(const struct thimble *model, uint32_t index) {
  return port_at(model, model->inputs + model->outputs) + 4 * STATE_WORDS * (size_t)index;
}

/* Finds the image's sections and proves that they lie within it, and that all they name lies within memory. */
static thimble_status read_image(struct thimble *model, const uint8_t *image, size_t image_bytes, uint32_t version) {
  if (image_bytes < 4 || word(image, FILE_MAGIC) != IMAGE_MAGIC) return THIMBLE_NOT_AN_IMAGE;
  if (image_bytes < 4 * FILE_WORDS) return THIMBLE_TRUNCATED;
  if (word(image, FILE_VERSION) != version) return THIMBLE_VERSION;
  if (word(image, FILE_VARIANT) != MCU) return THIMBLE_VARIANT;
  const uint8_t *section[SECTIONS];
  uint32_t bytes[SECTIONS];
  size_t at = 4 * FILE_WORDS;
  for (int i = 0; i < SECTIONS; i++) {
    bytes[i] = word(image, FILE_SECTIONS + i);
    const size_t room = bytes[i] + ((16u - bytes[i] % 16u) % 16u);
    if (room < bytes[i] || room > image_bytes - at) return THIMBLE_TRUNCATED;
    section[i] = image + at;
    at += room;
  }
  const size_t checked = 4 * (FILE_CRC + 1);
  if (crc32(image + checked, at - checked) != word(image, FILE_CRC)) return THIMBLE_CHECKSUM;

  model->sram = section[SRAM];
  model->sram_bytes = bytes[SRAM];
  model->flash = section[FLASH];
  model->flash_bytes = bytes[FLASH];
  if (bytes[SRAM] < 4 * SRAM_WORDS || bytes[PORTS] < 4 * TABLE_WORDS) return THIMBLE_TRUNCATED;
  model->inputs = word(section[PORTS], INPUTS);
  model->outputs = word(section[PORTS], OUTPUTS);
  model->states = word(section[PORTS], STATES);
  model->ports = section[PORTS] + 4 * TABLE_WORDS;
  const uint64_t words = TABLE_WORDS + PORT_WORDS * ((uint64_t)model->inputs + model->outputs) + STATE_WORDS * (uint64_t)model->states;
  if (4 * words != bytes[PORTS]) return THIMBLE_TRUNCATED;

  const uint32_t ram_bytes = word(section[SRAM], SRAM_RAM_BYTES);
  if (ram_bytes > model->memory_bytes || bytes[SRAM] > ram_bytes) return THIMBLE_MEMORY;
  for (uint32_t i = 0; i < model->inputs + model->outputs; i++) {
    const uint8_t *port = port_at(model, i);
    if (word(port, PORT_TYPE) >= THIMBLE_TYPES || word(port, PORT_STORED_TYPE) >= THIMBLE_TYPES) return THIMBLE_TRUNCATED;
    if (word(port, PORT_LENGTH) > UINT32_MAX / 4) return THIMBLE_TRUNCATED;
    if (word(port, PORT_ROWS) == 0 && !within(word(port, PORT_ADDRESS), port_bytes(port), ram_bytes)) return THIMBLE_TRUNCATED;
  }
  for (uint32_t i = 0; i < model->states; i++) {
    const uint8_t *state = state_at(model, i);
    if (!within(word(state, STATE_ADDRESS), word(state, STATE_BYTES), ram_bytes)) return THIMBLE_TRUNCATED;
  }
  return THIMBLE_OK;
}

thimble_status thimble_open(struct thimble *model, const void *image, size_t image_bytes, void *memory,
                            size_t memory_bytes) {
  uint32_t version;
  memset(model, 0, sizeof *model);
  thimble_status status = thimble_engine_open(model, memory, memory_bytes, &version);
  if (status == THIMBLE_OK) status = read_image(model, image, image_bytes, version);
  if (status != THIMBLE_OK) {
    thimble_close(model);
    return status;
  }
  memcpy(model->memory, model->sram, model->sram_bytes);
  return thimble_reset(model);
}

thimble_status thimble_reset(struct thimble *model) {
  if (model->memory == NULL) return THIMBLE_MEMORY;
  for (uint32_t i = 0; i < model->states; i++) {
    const uint8_t *state = state_at(model, i);
    memset(model->memory + word(state, STATE_ADDRESS), (int)(word(state, STATE_INITIAL_BYTE) & 255u), word(state, STATE_BYTES));
  }
  return THIMBLE_OK;
}

static void describe(const struct thimble *model, uint32_t index, thimble_port *port) {
  const uint8_t *words = port_at(model, index);
  const uint32_t scale = word(words, PORT_SCALE);
  port->type = word(words, PORT_TYPE);
  port->stored_type = word(words, PORT_STORED_TYPE);
  port->length = word(words, PORT_LENGTH);
  port->rows = word(words, PORT_ROWS);
  memcpy(&port->scale, &scale, sizeof port->scale);
  port->zero_point = (int32_t)word(words, PORT_ZERO_POINT);
  port->data = port->rows == 0 ? model->memory + word(words, PORT_ADDRESS) : NULL;
}

thimble_status thimble_input(const struct thimble *model, uint32_t index, thimble_port *port) {
  if (index >= model->inputs) return THIMBLE_PORT;
  describe(model, index, port);
  return THIMBLE_OK;
}

thimble_status thimble_output(const struct thimble *model, uint32_t index, thimble_port *port) {
  if (index >= model->outputs) return THIMBLE_PORT;
  describe(model, model->inputs + index, port);
  return THIMBLE_OK;
}

thimble_status thimble_run(struct thimble *model) {
  uint32_t unknown = 0;
  if (model->memory == NULL) return THIMBLE_MEMORY;
  for (uint32_t i = 0; i < model->inputs; i++) {
    if (word(port_at(model, i), PORT_ROWS) != 0 && model->row == NULL) return THIMBLE_ROWS;
  }
  model->failed = THIMBLE_OK;
  const thimble_status status = thimble_engine_run(model, word(model->sram, SRAM_ENTRY), &unknown);
  if (model->failed != THIMBLE_OK) return model->failed;
  return status == THIMBLE_OK && unknown != 0 ? THIMBLE_OPERATOR : status;
}

int thimble_flash_read(struct thimble *model, uint32_t destination, uint32_t source, uint32_t bytes) {
  if (!within(source, bytes, model->flash_bytes)) model->failed = THIMBLE_FLASH;
  else if (!within(destination, bytes, model->memory_bytes)) model->failed = THIMBLE_TRAP;
  else memcpy(model->memory + destination, model->flash + source, bytes);
  return model->failed == THIMBLE_OK;
}

int thimble_input_row(struct thimble *model, uint32_t input, uint32_t row, uint32_t destination) {
  const uint8_t *port = port_at(model, input);
  const uint32_t rows = input < model->inputs ? word(port, PORT_ROWS) : 0;
  if (row >= rows || !within(destination, port_bytes(port) / rows, model->memory_bytes)) model->failed = THIMBLE_TRAP;
  else model->row(model->user, input, row, model->memory + destination);
  return model->failed == THIMBLE_OK;
}

uint32_t thimble_port_bytes(const thimble_port *port) {
  return port->length * type_bytes(port->stored_type);
}

int32_t thimble_quantize(const thimble_port *port, float value) {
  const int32_t most = port->stored_type == THIMBLE_INT16 ? 32767 : port->stored_type == THIMBLE_UINT8 ? 255 : 127;
  const int32_t least = port->stored_type == THIMBLE_UINT8 ? 0 : -most - 1;
  const float quotient = value / port->scale;
  int32_t rounded;
  if (quotient != quotient) rounded = 0;
  else if (quotient >= 131072.0f) rounded = 131072;
  else if (quotient <= -131072.0f) rounded = -131072;
  else {
    rounded = (int32_t)quotient;
    const float rest = quotient - (float)rounded; /* exact */
    rounded += rest >= 0.5f ? 1 : rest <= -0.5f ? -1 : 0;
  }
  rounded += port->zero_point;
  return rounded > most ? most : rounded < least ? least : rounded;
}

float thimble_dequantize(const thimble_port *port, int32_t stored) {
  return (float)((double)port->scale * (stored - port->zero_point));
}

const char *thimble_text(thimble_status status) {
  static const char *const texts[] = {
      "done",
      "not a .thimble image",
      "the image is cut, or its parts do not fit each other",
      "the image's checksum is wrong",
      "image and kernels are of different versions of thimble: compile the model again",
      "the image is not packed for mcu: compile it with --target",
      "too little memory for the model, or not aligned to 8 bytes",
      "there is no such input or output",
      "the model's input comes in rows: set `row`",
      "a read past the end of the image's weights",
      "the kernels were cut down for another model: use those written with the image",
      "the kernels reached out of their memory",
      "wasm3 could not load the kernels",
  };
  return (size_t)status < sizeof texts / sizeof *texts ? texts[status] : "unknown status";
}

void thimble_close(struct thimble *model) {
  thimble_engine_close(model);
  model->memory = NULL;
}
