/* Loads of CR3 and toggles of CR4.PGE and CR0.PG, each a small named function, so that a debugger can stop on it. */
#ifndef CPU_INVALIDATE_H
#define CPU_INVALIDATE_H

#include <stdint.h>

void cpu_load_cr3(uintptr_t value);
void cpu_load_cr4(uintptr_t value);
void cpu_load_cr0(uintptr_t value);
/** CR0.PG off and on again, in identity-mapped code. */
void cpu_toggle_pg(void);

#endif
