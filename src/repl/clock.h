/* What the time-stamp counter is worth here, found out by experiment. */
#ifndef REPL_CLOCK_H
#define REPL_CLOCK_H

enum clock_kind { CLOCK_NONE, CLOCK_EMULATED, CLOCK_HARDWARE };

/** Compares TLB hits with misses on a page of the kernel's own. */
enum clock_kind clock_judge(void);

const char *clock_name(enum clock_kind kind);

#endif
