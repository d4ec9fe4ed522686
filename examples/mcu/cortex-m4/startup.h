#ifndef STARTUP_H
#define STARTUP_H

#include <stdint.h>

/* All RAM of the program: stack, data, zeroed data. */
uint32_t ram_bytes(void);
/* The deepest the stack has been. */
uint32_t stack_bytes_used(void);

/* semihosting.c: text and the end of the program, through a debugger or QEMU. */
void put(const char *text);
__attribute__((noreturn)) void stop(const char *text, int status);

#endif
