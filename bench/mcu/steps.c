/*
 * Prints what a model costs on an emulated Cortex-M4, or with -DNATIVE on a computer: `run TICKS` for a whole run, then `step TICKS`
 * for each step whose last record's end STEP_ENDS lists. Ticks are instructions under QEMU's `-icount shift=0` (timer TIM2 counts
 * its nanoseconds), nanoseconds on a computer.
 */
#include <stdlib.h>

#include "model.h"
#include "steps.h"
#include "thimble-kernels.h"
#include "thimble.h"

#ifdef NATIVE
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
static uint8_t memory[THIMBLE_RAM_BYTES] __attribute__((aligned(8)));
static const uint32_t ends[] = {STEP_ENDS};

int main(void) {
  thimble_port port;
  if (thimble_open(&model, thimble_model, THIMBLE_MODEL_BYTES, memory, sizeof memory) != THIMBLE_OK) return 1;
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
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    const uint32_t begin = now();
    while (record < ends[i]) record = Z_thimbleZ_step((Z_thimble_instance_t *)(void *)model.engine, record);
    put_line("step ", now() - begin);
  }
  return 0;
}
