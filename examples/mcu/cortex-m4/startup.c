/* Bare metal: vectors, memory as C expects it, a painted stack. */
#include <stdint.h>

#include "startup.h"

extern uint32_t _stack_start[], _stack_end[], _data_source[], _data_start[], _data_end[], _bss_start[], _bss_end[];
extern uint32_t _ram_end[];

int main(void);
void reset(void);

static const uint32_t PAINT = 0xa5a5a5a5u;

static void fault(void) {
  stop("fault: the stack is too small, or something is broken\n", 1);
}

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    _stack_end,     (void *)reset, (void *)fault, (void *)fault, (void *)fault, (void *)fault, (void *)fault, 0, 0, 0, 0,
    (void *)fault,  (void *)fault, 0,             (void *)fault, (void *)fault,
};

void reset(void) {
  *(volatile uint32_t *)0xe000ed88 |= 0xfu << 20; /* CPACR: the floating-point unit */
  __asm__ volatile("dsb\n\tisb");
  uint32_t *const top = __builtin_frame_address(0);
  for (uint32_t *at = _stack_start; at < top - 32; at++) *at = PAINT;
  for (uint32_t *from = _data_source, *to = _data_start; to < _data_end;) *to++ = *from++;
  for (uint32_t *at = _bss_start; at < _bss_end; at++) *at = 0;
  stop("", main());
}

uint32_t ram_bytes(void) {
  return (uint32_t)_ram_end - (uint32_t)_stack_start;
}

uint32_t stack_bytes_used(void) {
  const uint32_t *at = _stack_start;
  while (at < _stack_end && *at == PAINT) at++;
  return (uint32_t)(_stack_end - at) * 4;
}
