/* What this machine's TLB shows, found out by experiment and not by name: at ring 0 and at ring 3, which can differ. */
#ifndef REPL_PLATFORM_H
#define REPL_PLATFORM_H

#include "repl/record.h"

/** Runs the experiments in the current mode and fills in @p r. They use two pages of linear memory of their own, leave the tables as they
 * were, and end in a full flush. */
bool platform_report(struct record *r);

#endif
