/* The lines that a person types, kept to be shown, handed in, or done again. They are in the state, so mode switches lose nothing. */
#ifndef REPL_RECORDER_H
#define REPL_RECORDER_H

#include "repl/record.h"

/** Forgets what was kept, and keeps what is typed from here on. */
void recorder_start(void);

/** Keeps nothing more, and ends a replay. */
void recorder_stop(void);

/** @p line was typed. */
void recorder_typed(const char *line);

/** Fills in what there is; recorder_show() with the lines. */
bool recorder_say(struct record *r);
bool recorder_show(struct record *r);

/** Begins to do it all again. False after record_refuse(). */
bool recorder_replay(struct record *r);

/** The next line of a replay. False where there is none, or no replay. */
bool recorder_next(char *line, size_t size);

#endif
