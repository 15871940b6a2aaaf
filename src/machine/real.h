/* The booted machine's start-up, and what differs with its width. */
#ifndef MACHINE_REAL_H
#define MACHINE_REAL_H

#include "machine/boot_info.h"

/** What the boot code left. */
struct boot_info *real_boot_info(void);

/** Finds out about the CPU and sets its control registers as the shell starts with them. After traps_init(). */
void real_init(void);

/** The kernel's view of the framebuffer that the boot loader left, and how much of it that is; NULL where there is none, or none that this
 * mode can reach. */
uint8_t *real_screen(uint32_t *bytes);

/* real32.c and real64.c, of which the build takes one: */

/** Loads and stores 8 bytes as a page walk would see them: a store is one store. */
uint64_t real_load8(const void *at);
void real_store8(void *at, uint64_t value);

/** Starts the kernel for @p mode (enum machine_mode) over, through the boot code's trampoline. */
void real_enter(uint32_t mode) __attribute__((noreturn));

/** Sets FS's base beyond what a descriptor can hold. */
void real_set_fs_base(uint64_t base);

#endif
