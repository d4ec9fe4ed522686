/* What C written by wasm2c (wabt 1.0.32) asks of its runtime, as far as kernels without tables need it. */
#ifndef THIMBLE_WASM_RT_H
#define THIMBLE_WASM_RT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* 1 leaves out the checks of every load and store: thimble has proved the plan. Keep them where the image could be damaged. */
#ifndef WASM_RT_MEMCHECK_SIGNAL_HANDLER
#define WASM_RT_MEMCHECK_SIGNAL_HANDLER 0
#endif
#define WASM_RT_USE_STACK_DEPTH_COUNT 0

#if defined(__GNUC__)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define WASM_RT_NO_RETURN __attribute__((noreturn))
#define wasm_rt_memcpy __builtin_memcpy
#else
#define UNLIKELY(x) (x)
#define LIKELY(x) (x)
#define WASM_RT_NO_RETURN
#define wasm_rt_memcpy memcpy
#endif

typedef enum {
  WASM_RT_TRAP_OOB,
  WASM_RT_TRAP_INT_OVERFLOW,
  WASM_RT_TRAP_DIV_BY_ZERO,
  WASM_RT_TRAP_INVALID_CONVERSION,
  WASM_RT_TRAP_UNREACHABLE,
  WASM_RT_TRAP_CALL_INDIRECT,
  WASM_RT_TRAP_EXHAUSTION
} wasm_rt_trap_t;

WASM_RT_NO_RETURN void wasm_rt_trap(wasm_rt_trap_t trap);

typedef struct {
  uint8_t *data;
  uint32_t size; /* bytes, not pages */
} wasm_rt_memory_t;

/* Named by helpers that kernels never call. */
typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct {
  uint32_t func_type;
  wasm_rt_function_ptr_t func;
  void *module_instance;
} wasm_rt_funcref_t;
typedef void *wasm_rt_externref_t;
typedef struct {
  wasm_rt_funcref_t *data;
  uint32_t max_size, size;
} wasm_rt_funcref_table_t;
typedef struct {
  wasm_rt_externref_t *data;
  uint32_t max_size, size;
} wasm_rt_externref_table_t;
static const wasm_rt_funcref_t wasm_rt_funcref_null_value = {0, NULL, NULL};
static const wasm_rt_externref_t wasm_rt_externref_null_value = NULL;

/* thimble-wasm2c.c sets up the instance itself. */
#define wasm_rt_is_initialized() true
#define wasm_rt_register_func_type(...) 0u
#define wasm_rt_allocate_memory(memory, initial, maximum) (void)(memory)
#define wasm_rt_free_memory(memory) (void)(memory)

#endif
