/*
 * Prints what a model costs on an emulated Cortex-M4, or with -DNATIVE on a computer: `run TICKS` for a whole run, then `step TICKS`
 * for each step whose last record's end STEP_ENDS lists. Ticks are instructions under QEMU's `-icount shift=0`: as C, timer TIM2 of
 * netduinoplus2 counts its nanoseconds; on wasm3, which needs more memory, a timer of mps2-an386 every 40. Nanoseconds on a computer.
 */
#include <stdlib.h>

#include "model.h"
#include "steps.h"
#include "thimble.h"

#ifdef THIMBLE_KERNELS_BYTES
#include <m3_env.h>
#include <wasm3.h>
#else
#include "thimble-kernels.h"
#endif

#if defined(NATIVE)
#include <stdio.h>
#include <time.h>

static uint32_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint32_t)time.tv_sec * 1000000000u + (uint32_t)time.tv_nsec;
}

static void put(const char *text) {
  fputs(text, stdout);
}
enum { RUNS = 20 };
#elif defined(THIMBLE_KERNELS_BYTES)
#include "startup.h"

static volatile uint32_t *const timer0 = (volatile uint32_t *)0x40000000u;
enum { TIMER_CONTROL = 0, TIMER_VALUE = 1, TIMER_RELOAD = 2 };

/* It counts down from the value that starts it. */
static uint32_t now(void) {
  if (timer0[TIMER_CONTROL] == 0) {
    timer0[TIMER_RELOAD] = 0xffffffffu;
    timer0[TIMER_CONTROL] = 1;
  }
  return (0u - timer0[TIMER_VALUE]) * 40u;
}
enum { RUNS = 2 }; /* the first one compiles */
#else
#include "startup.h"

static volatile uint32_t *const tim2 = (volatile uint32_t *)0x40000000u;
enum { TIM_CONTROL = 0, TIM_COUNT = 9, TIM_RELOAD = 11 };

static uint32_t now(void) {
  tim2[TIM_RELOAD] = 0xffffffffu;
  tim2[TIM_CONTROL] = 1;
  return tim2[TIM_COUNT];
}
enum { RUNS = 1 };
#endif

static void put_line(const char *name, uint32_t value) {
  char text[12];
  char *at = text + sizeof text - 1;
  *at = 0;
  do *--at = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  put(name);
  put(at);
  put("\n");
}

static struct thimble model;
static const uint32_t ends[] = {STEP_ENDS};

#ifdef THIMBLE_KERNELS_BYTES
static uint8_t *const memory = NULL;

/* The engine's second word is its runtime: thimble-wasm3.c. */
static uint32_t step(uint32_t record) {
  static IM3Function function;
  uint32_t next = 0;
  if (function == NULL) m3_FindFunction(&function, ((IM3Runtime *)(void *)model.engine)[1], "step");
  m3_CallV(function, record);
  m3_GetResultsV(function, &next);
  return next;
}
#else
static uint8_t memory[THIMBLE_RAM_BYTES] __attribute__((aligned(8)));

static uint32_t step(uint32_t record) {
  return Z_thimbleZ_step((Z_thimble_instance_t *)(void *)model.engine, record);
}
#endif

int main(void) {
  thimble_port port;
  if (thimble_open(&model, thimble_model, THIMBLE_MODEL_BYTES, memory, THIMBLE_RAM_BYTES) != THIMBLE_OK) return 1;
  uint32_t least = UINT32_MAX;
  for (int run = 0; run < RUNS; run++) {
    for (uint32_t i = 0; thimble_input(&model, i, &port) == THIMBLE_OK; i++) {
      const uint32_t bytes = thimble_port_bytes(&port);
      for (uint32_t at = 0; at < bytes; at++) ((uint8_t *)port.data)[at] = (uint8_t)(at * 2654435761u >> 24);
    }
    const uint32_t begin = now();
    if (thimble_run(&model) != THIMBLE_OK) return 1;
    const uint32_t ticks = now() - begin;
    if (ticks < least) least = ticks;
  }
  put_line("run ", least);
  uint32_t record = FIRST_RECORD;
  step(record);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    const uint32_t begin = now();
    while (record < ends[i]) record = step(record);
    put_line("step ", now() - begin);
  }
  return 0;
}
