/* The kernels as C, which wabt's wasm2c wrote into thimble-kernels.c. */
#include "thimble.h"
#include "thimble-kernels.h"

#include <setjmp.h>

static jmp_buf landing;
static thimble_status landed;

typedef char engine_has_room[sizeof(Z_thimble_instance_t) <= sizeof(((struct thimble *)0)->engine) ? 1 : -1];

static Z_thimble_instance_t *instance_of(struct thimble *model) {
  return (Z_thimble_instance_t *)(void *)model->engine;
}

void wasm_rt_trap(wasm_rt_trap_t trap) {
  landed = trap == WASM_RT_TRAP_UNREACHABLE ? THIMBLE_OPERATOR : THIMBLE_TRAP;
  longjmp(landing, 1);
}

void Z_hostZ_flash_read(struct Z_host_instance_t *host, u32 destination, u32 source, u32 bytes) {
  if (!thimble_flash_read((struct thimble *)(void *)host, destination, source, bytes)) longjmp(landing, 1);
}

void Z_hostZ_input_row(struct Z_host_instance_t *host, u32 input, u32 row, u32 destination) {
  if (!thimble_input_row((struct thimble *)(void *)host, input, row, destination)) longjmp(landing, 1);
}

/* The memory is exactly as large as the caller's; wasm2c's own runtime would take pages of 64 KiB. */
thimble_status thimble_engine_open(struct thimble *model, void *memory, size_t memory_bytes, uint32_t *version) {
  Z_thimble_instance_t *const instance = instance_of(model);
  *version = Z_thimbleZ_planVersion(instance);
  if (memory == NULL || (uintptr_t)memory % 8 != 0 || memory_bytes > UINT32_MAX) return THIMBLE_MEMORY;
  model->memory = memory;
  model->memory_bytes = (uint32_t)memory_bytes;
  instance->Z_host_instance = (struct Z_host_instance_t *)(void *)model;
  instance->w2c_memory.data = model->memory;
  instance->w2c_memory.size = model->memory_bytes;
  return THIMBLE_OK;
}

thimble_status thimble_engine_run(struct thimble *model, uint32_t entry, uint32_t *unknown) {
  landed = THIMBLE_OK;
  if (setjmp(landing) == 0) *unknown = Z_thimbleZ_run(instance_of(model), entry);
  return landed;
}

void thimble_engine_close(struct thimble *model) {
  (void)model;
}
