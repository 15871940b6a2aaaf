/* The lessons in the shell: where the student is, pages, hints, and questions that are judged by what the machine does.
 *
 * A page or a question often has to run commands: they are put behind the line that is being run (shell_script()), as a script that mode
 * switches do not break, and the record of `lesson` or `check-answer` comes when it has ended. What a page needs is run unseen. */
#ifndef REPL_LESSON_H
#define REPL_LESSON_H

#include "repl/answer.h"
#include "repl/lesson_text.h"
#include "repl/record.h"

/** The commands. Each returns false after record_refuse() and its like. They may leave the record to be made later, by lesson_ended();
 * then *@p later is true. */
bool lesson_list(struct record *r);
bool lesson_go(struct record *r, unsigned number, unsigned page, bool *later); /* page 0: where it was left */
bool lesson_move(struct record *r, int by, bool *later);
bool lesson_hint(struct record *r);
bool lesson_check(struct record *r, const char *answer, bool *later);
bool lesson_quiz(struct record *r, bool seeded, uint32_t seed, bool *later);

/** Whether a script of a lesson is running. */
bool lesson_running(void);
/** ... and it is one that nobody sees: what it does is not for the debugger either. */
bool lesson_setting_up(void);
/** Such a script is about to run the command @p text. */
void lesson_command(const char *text, size_t length);
/** ... and it gave this record. Returns whether that is to be shown. */
bool lesson_note(const struct record *r);
/** The script has ended: the record of the command that it was run for. */
struct record *lesson_ended(void);
/** It is over, whatever it was. */
void lesson_stop(void);
/** What the command that a script is run for is called. */
const char *lesson_command_name(void);

/** A question, of a lesson or of the quiz. */
struct lesson_question {
  enum answer_kind kind;
  unsigned number;
  char run[96];     /* the command that answers it; "" where the text below does */
  char field[40];   /* the member of its record, "" where the outcome of the access is meant */
  char choices[13]; /* the letters that there are to choose from */
  char right[96];   /* what is right; of an outcome: what may come, as far as the worksheet knows, or "" */
  const char *page; /* where hints and explanations are, or NULL */
};

/** The question that is open now. False where there is none. */
bool lesson_question(struct lesson_question *question);

#endif
