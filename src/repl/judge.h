/* Judging an answer: what the student said, what the machine did, what the model permits. */
#ifndef REPL_JUDGE_H
#define REPL_JUDGE_H

#include "repl/lesson.h"

struct judge_verdict {
  bool right;
  bool settled; /* there is nothing more to ask */
  bool lost;    /* the lab is not as the question needs it, so nothing can be said */
};

/** Whether @p text can be an answer; false after record_usage(). @p at is where it stands in the command. */
bool judge_readable(const struct lesson_question *question, const char *text, size_t at, struct record *r);

/** Whether it is a question that "yes" or "no" answers. */
bool judge_is_yes_or_no(const struct lesson_question *question);

/** Judges what state_lesson.answer says, after the question's command, if any, has been run. Fills the record. */
struct judge_verdict judge_answer(const struct lesson_question *question, struct record *r);

/** What is right, as text; "" where only the machine knows. */
const char *judge_solution(const struct lesson_question *question, char *text, size_t size);

/** Adds the lines of @p line, and of those that go on with it, to @p list. @p at is where the next line is. */
void judge_lines(struct record *r, struct record_node *list, const char *at, const struct lesson_line *line);

/** Adds to @p list the lines of every tag @p tag of the page. */
void judge_every(struct record *r, struct record_node *list, const char *page, char tag);

/** Keeps of @p record what the question asks for, in state_lesson.seen. */
void judge_see(const struct lesson_question *question, const struct record *record);

#endif
