/* Leaving this kernel: into another mode through the boot code's trampoline. */
#ifndef CPU_RESET_H
#define CPU_RESET_H

#include <stdint.h>

/** What the boot code left (struct boot_info). */
void *reset_boot_info(void);

/** Starts the kernel for @p mode (enum machine_mode). Does not return. */
void reset_to_mode(uint32_t mode) __attribute__((noreturn));

#endif
