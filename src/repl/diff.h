/* What changed in the paging structures since the last command, for the record. */
#ifndef REPL_DIFF_H
#define REPL_DIFF_H

#include "repl/record.h"

/** Adds the member "diff": an array with a row per entry that changed. After an edit (@p edited) also "needs": what must be invalidated
 * before the change is certain to be seen, or that nothing must. */
void diff_record(struct record *r, bool edited);

#endif
