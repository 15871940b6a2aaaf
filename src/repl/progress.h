/* How far the student is: by lesson, which questions are settled, and how. */
#ifndef REPL_PROGRESS_H
#define REPL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/** Questions count from 1. One that is settled stays so, and as right as it was then. */
bool progress_settled(unsigned lesson, unsigned question);
void progress_settle(unsigned lesson, unsigned question, bool right);

/** The question cannot be asked on this machine: nobody misses its answer, unless it is settled elsewhere. */
void progress_leave_out(unsigned lesson, unsigned question);

bool progress_begun(unsigned lesson);

/** Nothing is left to ask of the lesson's @p questions. */
bool progress_done(unsigned lesson, unsigned questions);

/** How many were right, and how many of @p questions could be asked. */
unsigned progress_right(unsigned lesson);
unsigned progress_asked(unsigned lesson, unsigned questions);

/** The questions that are open, or left out: bit 0 is question 1. */
uint32_t progress_open(unsigned lesson);
uint32_t progress_left_out(unsigned lesson);

#endif
