/* What `tlb` shows. */
#ifndef REPL_TLB_H
#define REPL_TLB_H

#include "machine/machine.h"
#include "repl/record.h"

/** All that the TLB and the paging-structure cache hold. */
bool tlb_report(struct record *r);

/** The sets that @p va's page belongs to, what is in them, and whether va is cached. */
bool tlb_report_at(struct record *r, laddr_t va);

#endif
