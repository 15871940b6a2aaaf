/* Lessons and the quiz as commands. Where a page or an answer has commands to run first, the record comes when they have been run. */
#include "repl/common.h"
#include "repl/lesson.h"
#include "repl/judge.h"

#include <string.h>

static bool cmd_lesson(const struct args *args, struct record *r)
{
  if (!args_has(args, "number"))
    return lesson_list(r);
  return lesson_go(r, (unsigned)args_number(args, "number", 0), (unsigned)args_number(args, "page", 0), &r->later);
}

static bool cmd_next(const struct args *args, struct record *r)
{
  (void)args;
  return lesson_move(r, 1, &r->later);
}

static bool cmd_prev(const struct args *args, struct record *r)
{
  (void)args;
  return lesson_move(r, -1, &r->later);
}

static bool cmd_hint(const struct args *args, struct record *r)
{
  (void)args;
  return lesson_hint(r);
}

static bool cmd_check_answer(const struct args *args, struct record *r)
{
  char text[64];
  struct lesson_question question;
  const struct args_value *answer = args_get(args, "answer");
  bool asked = lesson_question(&question);
  if (answer == NULL || answer->length == 0)
    return asked ? judge_readable(&question, "", strlen(args->text), r) : lesson_check(r, "", &r->later);
  args_text(args, "answer", text, sizeof text);
  if (answer->length >= sizeof text)
    return record_usage(r, answer->at, "that is too long for an answer: at most %u characters", (unsigned)sizeof text - 1);
  if (asked && !judge_readable(&question, text, answer->at, r))
    return false;
  return lesson_check(r, text, &r->later);
}

static bool cmd_quiz(const struct args *args, struct record *r)
{
  return lesson_quiz(r, args_has(args, "seed"), (uint32_t)args_number(args, "seed", 0), &r->later);
}

static const struct command commands[] = {
  {.name = "lesson",
   .args = "number:count? page:count?",
   .brief = "list the lessons, or open one where you left it",
   .example = "lesson; lesson 4; lesson 4 1",
   .more =
     "It sets the lab up as the page needs it: mode, tables, settings. Any other command can be typed in between, and a lesson is kept "
     "over 'mode'. 'lesson 4 1' starts over; 'lesson 4 3' brings page 3 and the lab as it should be there.",
   .flags = COMMAND_ASIDE,
   .run = cmd_lesson},
  {.name = "next",
   .args = "",
   .brief = "go on to the next page, or question of the quiz",
   .example = "lesson 4; next",
   .flags = COMMAND_ASIDE,
   .run = cmd_next},
  {.name = "prev",
   .args = "",
   .brief = "go back a page of the lesson",
   .example = "lesson 4; next; prev",
   .flags = COMMAND_ASIDE,
   .run = cmd_prev},
  {.name = "hint",
   .args = "",
   .brief = "a hint for the question; again: a plainer one",
   .example = "lesson 4 2; hint",
   .more = "After the last hint it tells the answer, which then counts as not given.",
   .flags = COMMAND_ASIDE,
   .run = cmd_hint},
  {.name = "check-answer",
   .args = "answer:rest?",
   .brief = "answer the question on the page",
   .example = "check-answer stale; check-answer 0x1ff; check-answer b",
   .more =
     "What an access comes to is 'fresh', 'stale' or 'fault', with the frame or the error code if you like ('fault 0x7'). Then the shell does "
     "it, and what came is compared with what you said and with what the architecture permits.",
   .flags = COMMAND_ASIDE,
   .run = cmd_check_answer},
  {.name = "quiz",
   .args = "seed:num?",
   .brief = "ten questions on walks, rights and what may be stale",
   .example = "quiz; quiz 7",
   .more = "The same seed asks the same questions in the same mode. The lab is reset for each. 'check-answer' answers, 'next' goes on.",
   .flags = COMMAND_ASIDE,
   .run = cmd_quiz},
  {.name = NULL},
};

const struct command_family cmd_learn = {"learn", "lessons, and questions", commands};
