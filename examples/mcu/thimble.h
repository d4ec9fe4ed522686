/*
 * Runs models that `thimble compile --target mcu` or `--target wasm2c` wrote. One engine is linked with thimble.c: thimble-wasm3.c
 * (the wasm3 interpreter) or thimble-wasm2c.c (the kernels as C). No heap but wasm3's own. One model runs at a time; any number of
 * images may be open that the kernels linked with it are for, unless they take turns in one memory. Models with kernels of their own
 * define the same names, so each is linked by itself first: README.md, "Several models".
 */
#ifndef THIMBLE_H
#define THIMBLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  THIMBLE_OK = 0,
  THIMBLE_NOT_AN_IMAGE, /* the bytes are no .thimble image */
  THIMBLE_TRUNCATED,    /* the image is longer than the bytes given, or its parts do not fit each other */
  THIMBLE_CHECKSUM,     /* the image was changed, or its flash is worn */
  THIMBLE_VERSION,      /* image and kernels are of different versions of thimble */
  THIMBLE_VARIANT,      /* the image is not packed for microcontrollers */
  THIMBLE_MEMORY,       /* too little memory, or not aligned to 8 bytes */
  THIMBLE_PORT,         /* there is no such input or output, or it has another length or type */
  THIMBLE_ROWS,         /* the model's input comes in rows, and nothing gives them */
  THIMBLE_FLASH,        /* a read past the end of the image's weights */
  THIMBLE_OPERATOR,     /* the kernels were cut down for another model */
  THIMBLE_TRAP,         /* the kernels reached out of their memory: image or memory were damaged */
  THIMBLE_ENGINE        /* wasm3 could not load the kernels: too little heap, or it was compiled with other options than thimble-wasm3.c */
} thimble_status;

/* THIMBLE_BOOL is a byte, 0 or 1. */
enum {
  THIMBLE_INT8 = 0,
  THIMBLE_FLOAT32 = 1,
  THIMBLE_UINT8 = 2,
  THIMBLE_INT16 = 3,
  THIMBLE_INT32 = 4,
  THIMBLE_BOOL = 5,
  THIMBLE_TYPES
};

/* An input or output. real = scale * (stored - zero_point) where it is stored as int8, uint8 or int16. */
typedef struct {
  uint32_t type;        /* of the model's values: THIMBLE_INT8, ... */
  uint32_t stored_type; /* of the values in memory */
  uint32_t length;      /* number of values */
  uint32_t rows;        /* 0, or the rows that `row` is asked for */
  float scale;
  int32_t zero_point;
  void *data; /* `length` values of stored_type; NULL where the input comes in rows */
} thimble_port;

/* Fills `into` with row `row` of an input, length / rows values of its stored type. */
typedef void (*thimble_row)(void *user, uint32_t input, uint32_t row, void *into);

struct thimble {
  const uint8_t *sram, *flash, *ports;
  uint32_t sram_bytes, flash_bytes, inputs, outputs, states;
  uint8_t *memory; /* linear memory */
  uint32_t memory_bytes;
  thimble_row row;
  void *user; /* handed to `row` */
  thimble_status failed;
  uint64_t engine[8]; /* the engine's own */
};

/*
 * Checks the image, which stays where it is, and prepares `model`. With wasm2c `memory` is where the model lives, at least the
 * THIMBLE_RAM_BYTES of its model.h, aligned to 8 bytes; wasm3 takes `memory_bytes` from the heap and ignores `memory`. Set
 * `model->row` and `model->user` afterwards where the model's input comes in rows.
 */
thimble_status thimble_open(struct thimble *model, const void *image, size_t image_bytes, void *memory,
                            size_t memory_bytes);

/* Describes an input or output. */
thimble_status thimble_input(const struct thimble *model, uint32_t index, thimble_port *port);
thimble_status thimble_output(const struct thimble *model, uint32_t index, thimble_port *port);

/* Bytes of an input's or output's stored values. */
uint32_t thimble_port_bytes(const thimble_port *port);

/* One inference: fill the inputs' data before, read the outputs' data after. Inputs may be overwritten. */
thimble_status thimble_run(struct thimble *model);

/* State that the model keeps from run to run (LSTM, SVDF) is again as thimble_open left it. */
thimble_status thimble_reset(struct thimble *model);

/* A real value as stored in int8, uint8 or int16, rounded as TensorFlow Lite's QUANTIZE does; and back. */
int32_t thimble_quantize(const thimble_port *port, float value);
float thimble_dequantize(const thimble_port *port, int32_t stored);

/* A status in words. */
const char *thimble_text(thimble_status status);

/* Gives back what thimble_open took; the image and `memory` are the caller's. */
void thimble_close(struct thimble *model);

/* What an engine is: thimble-wasm3.c, thimble-wasm2c.c. */

/* Sets memory and memory_bytes, and tells the kernels' version. */
thimble_status thimble_engine_open(struct thimble *model, void *memory, size_t memory_bytes, uint32_t *version);
/* Calls `run`; sets `*unknown` to what it returns. model->failed says why the host's side gave up. */
thimble_status thimble_engine_run(struct thimble *model, uint32_t entry, uint32_t *unknown);
void thimble_engine_close(struct thimble *model);

/* The imports of the kernels: false, with model->failed set, where the kernels must not go on. */
int thimble_flash_read(struct thimble *model, uint32_t destination, uint32_t source, uint32_t bytes);
int thimble_input_row(struct thimble *model, uint32_t input, uint32_t row, uint32_t destination);

#ifdef __cplusplus
}
#endif
#endif
