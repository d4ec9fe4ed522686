/* Reference: ARM semihosting specification, operations 0x04 (SYS_WRITE0) and 0x20 (SYS_EXIT_EXTENDED). */
#include "startup.h"

static uint32_t call(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void put(const char *text) {
  call(0x04, text);
}

void stop(const char *text, int status) {
  const uint32_t exit[2] = {0x20026, (uint32_t)status}; /* ADP_Stopped_ApplicationExit */
  put(text);
  call(0x20, exit);
  for (;;) {
  }
}
