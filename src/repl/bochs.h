/* Whether this is Bochs, whose debugger shows the TLB: found out by experiment, and not by name. */
#ifndef REPL_BOCHS_H
#define REPL_BOCHS_H

#include "repl/record.h"

enum bochs_verdict {
  BOCHS_UNKNOWN, /* there was no paging to try it with yet */
  BOCHS,
  BOCHS_NOT_BY_CLOCK,
  BOCHS_NOT_BY_TLB,
  BOCHS_NOT_SIMULATED,
};

/** Finds out where that is not known yet. Touches the kernel's own pages only. */
void bochs_judge(void);

/** Whether it is known that this is Bochs. */
bool bochs_here(void);

/** Why it is not, for a refusal. */
const char *bochs_why_not(void);

/** The places in Bochs's TLBs that @p va's page falls on, and what to type into its debugger to see them. */
void bochs_report_at(struct record *r, laddr_t va);

/** How to see all that they hold. */
void bochs_report(struct record *r);

#endif
