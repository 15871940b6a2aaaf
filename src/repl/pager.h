/* Stops the output when a screenful has been shown (`set lines`), until somebody has read it. */
#ifndef REPL_PAGER_H
#define REPL_PAGER_H

#include <stddef.h>

/** A line was typed, whose output stops behind each @p lines lines; 0: it never does. */
void pager_begin(size_t lines);

/** Another command's output begins: it is shown though the one before was cut short. */
void pager_next(void);

/** Shows text of whole lines. */
void pager_write(const char *text, size_t length);

/** Nothing stops any more. Gives back a byte that was typed where the output had stopped, and that was not for the pager; else -1. */
int pager_end(void);

#endif
