/* Raising an exception on purpose, by what raises it in real programs. */
#ifndef CPU_RAISE_H
#define CPU_RAISE_H

#include "machine/machine.h"

/** Copies the routines to the page that ring 3 can execute. */
void raise_init(void);

/** Raises @p vector at @p cpl and gives back what arrived; nothing where no routine raises it. */
struct machine_fault raise_vector(unsigned vector, unsigned cpl);

#endif
