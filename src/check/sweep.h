/* Sweeps of `check rights`: all values that an entry can have stand side by side in one table and are tried with one access each, then what
 * came is judged. */
#ifndef CHECK_SWEEP_H
#define CHECK_SWEEP_H

#include "check/product.h"

/** Kinds of access: three operations, two privilege levels. */
#define SWEEP_ACCESSES 6u

/** Finds a place for the tables. Each kind of mismatch is told to @p report once: its name, the combination and what came. NULL, or why it
 * cannot be (a literal). */
const char *sweep_open(void (*report)(const char *name, const char *note));
/** Puts back what was there. The TLB may hold anything of it. */
void sweep_close(void);

/** The control registers are in this state now. */
void sweep_state(const struct product_state *state, const struct paging *paging, const struct product_level *levels);

/** Tries all values of the entry at @p level that end a walk. @p shape says which of the entries that refer to tables stand above it.
 * @p number is that of the first combination. False where something was raised that was none of the accesses'. */
bool sweep_run(unsigned level, unsigned shape, unsigned access, uint64_t number);

/** How many combinations did not come as they must. */
uint64_t sweep_mismatches(void);

/** Whether addresses that are not canonical raise what they must. */
bool sweep_not_canonical(void);

#endif
