/* Loads of CR3 and toggles of CR4.PGE and CR0.PG, each a small named function, so that a debugger can stop on it. */
#ifndef CPU_INVALIDATE_H
#define CPU_INVALIDATE_H

#include <stdbool.h>
#include <stdint.h>

void cpu_load_cr3(uintptr_t value);
void cpu_load_cr4(uintptr_t value);
void cpu_load_cr0(uintptr_t value);
/** CR0.PG off and on again, in identity-mapped code. */
void cpu_toggle_pg(void);

/** Has the next one of these, or of access.h's instructions, come right behind Bochs's magic breakpoint; or takes that back. */
void cpu_stop_arm(bool on);
/** Whether that was asked for, once. */
bool cpu_stop_take(void);

#endif
