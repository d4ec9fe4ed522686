/*
 * goldens.c on an emulated Cortex-M4: tells at the end what RAM it took, and what timer TIM2 counted during the runs: nanoseconds,
 * which are instructions under QEMU's `-icount shift=0`.
 */
#include <string.h>

#include "startup.h"

void phase(const char *name);

static void put_number(const char *name, uint32_t value) {
  char text[12];
  char *at = text + sizeof text - 1;
  *at = 0;
  do *--at = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  put(name);
  put(at);
  put("\n");
}

static volatile uint32_t *const tim2 = (volatile uint32_t *)0x40000000u;
enum { TIM_CONTROL = 0, TIM_EVENT = 5, TIM_COUNT = 9, TIM_RELOAD = 11 };
static uint32_t ticks;

void phase(const char *name) {
  if (strcmp(name, "run") == 0) {
    tim2[TIM_RELOAD] = 0xffffffffu;
    tim2[TIM_CONTROL] = 1;
    tim2[TIM_EVENT] = 1;
    ticks = tim2[TIM_COUNT];
  }
  if (strcmp(name, "done") == 0) {
    ticks = tim2[TIM_COUNT] - ticks;
    put_number("ticks ", ticks);
  }
  if (strcmp(name, "end") != 0) return;
  put_number("ram ", ram_bytes());
  put_number("stack ", stack_bytes_used());
}
