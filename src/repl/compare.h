/* One script in every paging mode, one table. What it needs lives in the state that survives mode switches (state.h). */
#ifndef REPL_COMPARE_H
#define REPL_COMPARE_H

#include "repl/record.h"

/** Begins: what is in [@p start, @p end) of the running text is to run in every mode that the CPU has. False after record_refuse(). */
bool compare_begin(struct record *r, size_t start, size_t end);

/** Whether a comparison is going on: records are not shown then. */
bool compare_active(void);

/** The command that is about to run is the next of the script. */
void compare_command(void);

/** Takes the result of a command into the table. */
void compare_note(const struct record *r);

/** The script has come to its end in this mode. True where it goes on in the mode that *@p next then is; false where the table is complete.
 */
bool compare_next(unsigned *next);

/** Ends it: fills in the table, and gives the mode in which it began. */
unsigned compare_end(struct record *r);

/** Forgets it (Ctrl-C). */
void compare_stop(void);

#endif
