/* The quiz: questions about walks, rights and stale translations, made from a seed, the same for the same seed and mode. */
#ifndef REPL_QUIZ_H
#define REPL_QUIZ_H

#include "repl/lesson.h"

#define QUIZ_QUESTIONS 10

/** Question @p number, from 1, of the quiz with @p seed. @p setup (512 bytes, or NULL) takes the commands that it needs before. True. */
bool quiz_question(uint32_t seed, unsigned number, char *setup, struct lesson_question *question);

/** Its text. */
void quiz_say(struct record *r, uint32_t seed, unsigned number);

bool quiz_hint(const struct lesson_question *question, struct record *r);

/** A seed that nobody knows. */
uint32_t quiz_seed(void);

#endif
