/* The commands that were run last, by number, so that the shell can say which one made something possible. */
#ifndef REPL_JOURNAL_H
#define REPL_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

/** Enters @p text as the next command, and tells the lab that what changes from here on is its doing. */
void journal_begin(const char *text);

/** The number of the command that is being run. */
uint32_t journal_now(void);

/** "'map 0x40000000 B' (2 commands ago)", "this command", or "an earlier command" where its text is no longer known. Returns @p text. */
char *journal_name(uint32_t command, char *text, unsigned size);

/** What command number @p command said; NULL where that is no longer known. */
const char *journal_text(uint32_t command);

#endif
