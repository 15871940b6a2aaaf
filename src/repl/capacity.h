/* What `capacity` says of each TLB. */
#ifndef REPL_CAPACITY_H
#define REPL_CAPACITY_H

#include "measure/capacity.h"
#include "repl/record.h"

/** Finds the shape of one TLB and adds what there is of it to @p list. @p named: also that there are no such pages. */
void capacity_one(struct record *r, struct record_node *list, const struct capacity_wanted *wanted, bool named);

/** Where the clock is a CPU's: how many 4 KiB pages each level holds, by the time that accesses take. */
void capacity_knees(struct record *r, struct record_node *list, enum machine_op op, uint8_t cpl);

/** The TLBs that CPUID tells of. */
void capacity_documented(struct record *r);

#endif
