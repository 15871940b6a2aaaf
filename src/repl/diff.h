/* What changed in the paging structures since the last command, and what that needs. */
#ifndef REPL_DIFF_H
#define REPL_DIFF_H

#include "lab/lab.h"
#include "repl/record.h"

/** One changed entry as text, the elements of an array of diff_row(). */
#define DIFF_ROW_TEXT "[{level%-5} {va} at {at}: {before} -> {after}  {flags}][... and {more} more {more%?entry|entries}]"

/** Adds one changed entry to @p array. */
void diff_row(struct record *r, struct record_node *array, const struct lab_change *change);

/** Adds "diff", a row per entry that differs from what it was after the last command; where the command was an edit (@p edited) also
 * "needs", the invalidation that it takes, and with `set autoflush=1` makes it; else "violation" where the CPU wrote more than A and D. */
void diff_record(struct record *r, bool edited);

#endif
