#include "repl/lesson.h"

#include "lab/lab.h"
#include "lib/format.h"
#include "lib/text.h"
#include "machine/console.h"
#include "repl/judge.h"
#include "repl/lesson_lab.h"
#include "repl/lesson_page.h"
#include "repl/progress.h"
#include "repl/quiz.h"
#include "repl/settings.h"
#include "repl/shell.h"
#include "repl/state.h"

#include <string.h>

enum doing { DOING_NOTHING, DOING_SET_UP, DOING_ASK };

/* What a script's record is called. */
static const char *const command_names[] = {"lesson", "next", "prev", "check-answer", "quiz"};
enum { COMMAND_LESSON, COMMAND_NEXT, COMMAND_PREV, COMMAND_CHECK, COMMAND_QUIZ };

static struct state_lesson *now(void)
{
  return &state_get()->lesson;
}

/* ---- scripts ---- */

static bool begin(struct record *r, const struct lesson_lab_script *s, enum doing doing, unsigned command, bool *later)
{
  struct state_lesson *lesson = now();
  lesson->trouble[0] = '\0';
  if (s->full || !shell_script(s->text))
    return record_refuse(r, "the line is too long for what has to be run with it: type the command alone");
  lesson->doing = (uint8_t)doing;
  lesson->command = (uint8_t)command;
  lesson->depth = state_get()->depth;
  *later = true;
  return true;
}

bool lesson_running(void)
{
  return now()->doing != DOING_NOTHING;
}

const char *lesson_command_name(void)
{
  return command_names[now()->command];
}

bool lesson_setting_up(void)
{
  return now()->doing == DOING_SET_UP;
}

void lesson_stop(void)
{
  now()->doing = DOING_NOTHING;
}

void lesson_command(const char *text, size_t length)
{
  if (now()->doing != DOING_ASK || state_get()->json)
    return;
  console_write("  > ", 4);
  console_write(text, length);
  console_write("\r\n", 2);
}

static void note_trouble(const struct record *r)
{
  const struct record_node *reason = record_find(&r->root, "reason");
  if (r->status != STATUS_OK && r->status != STATUS_FAULT && now()->trouble[0] == '\0')
    format(now()->trouble, sizeof now()->trouble, "%s: %s", r->cmd, reason ? reason->text : "it failed");
}

bool lesson_note(const struct record *r)
{
  struct lesson_question question;
  if (strcmp(r->cmd, "platform") == 0 && now()->doing == DOING_SET_UP)
    lesson_lab_see(r);
  note_trouble(r);
  if (now()->doing == DOING_ASK && lesson_question(&question))
    judge_see(&question, r);
  return now()->doing == DOING_ASK && !state_get()->json;
}

/* ---- questions ---- */

bool lesson_question(struct lesson_question *q)
{
  const struct state_lesson *lesson = now();
  if (lesson->quiz)
    return lesson->quiz_mode == (uint8_t)machine_mode() && quiz_question(lesson->quiz_seed, lesson->quiz, NULL, q);
  return lesson->number && lesson_page_question(lesson_text_page(lesson_text_numbered(lesson->number), lesson->page), q);
}

/* ---- the commands ---- */

bool lesson_list(struct record *r)
{
  const char *text;
  const struct state_lesson *lesson = now();
  r->text =
    "'lesson N' opens one; then 'next', 'prev', 'hint', 'check-answer'.\n'quiz' asks at random.[\nYou are in lesson {here}, page {page}; 'lesson {here}' goes on there.][\nA quiz is on, at question {quiz}: 'next' asks another, 'prev' the same once more.]";
  if (lesson->quiz)
    record_count(r, &r->root, "quiz", lesson->quiz);
  if (lesson->number) {
    record_count(r, &r->root, "here", lesson->number);
    record_count(r, &r->root, "page", lesson->page + 1u);
  }
  struct record_node *list =
    record_array(r, &r->root, "lessons", "[?done:*][?!done: ] {n%2}  {title%-44} {minutes%2} min[?begun:  {right} of {asked} right]");
  for (unsigned i = 0; (text = lesson_text_lesson(i)) != NULL; i++) {
    struct lesson_line line;
    char title[80];
    lesson_text_find(text, 'L', &line);
    unsigned n = lesson_text_number(line.text), questions = lesson_text_questions(text);
    struct record_node *row = record_object(r, list, NULL);
    record_count(r, row, "n", n);
    lesson_text_title(text, title, sizeof title);
    record_string(r, row, "title", title);
    record_bool(r, row, "done", progress_done(n, questions));
    record_bool(r, row, "begun", progress_begun(n));
    record_count(r, row, "minutes", lesson_text_minutes(text));
    record_count(r, row, "right", progress_right(n));
    record_count(r, row, "questions", questions);
    record_count(r, row, "asked", progress_asked(n, questions));
  }
  return true;
}

static void arrive(unsigned number, unsigned page)
{
  struct state_lesson *lesson = now();
  lesson->number = (uint8_t)number;
  lesson->page = (uint8_t)page;
  lesson->at_page[number] = (uint8_t)page;
  lesson->hints = lesson->tries = 0;
  lesson->quiz = 0;
}

bool lesson_go(struct record *r, unsigned number, unsigned page, bool *later)
{
  static struct lesson_lab_script script;
  struct lesson_line modes;
  const char *text = number < STATE_LESSONS ? lesson_text_numbered(number) : NULL;
  if (text == NULL)
    return record_refuse(r, "there is no lesson %u; 'lesson' lists them", number);
  if (page > lesson_text_pages(text))
    return record_refuse(r, "lesson %u has %u pages", number, lesson_text_pages(text));
  if (lesson_text_find(text, 'M', &modes) && lesson_lab_mode(&modes, (int)machine_mode()) < 0)
    return record_refuse(r, "lesson %u is for %.*s, and this CPU has none of them", number, (int)modes.length, modes.text);
  unsigned to = page ? page - 1 : now()->at_page[number];
  now()->skipped[0] = '\0';
  memset(&script, 0, sizeof script);
  lesson_lab_script_again(&script, text, to);
  if (!begin(r, &script, DOING_SET_UP, COMMAND_LESSON, later))
    return false;
  settings_restore(); /* what an earlier step, or the student, has set is not part of this lab */
  arrive(number, to);
  return true;
}

static bool quiz_can_ask(struct record *r)
{
  return machine_mode() != MACHINE_OFF || record_refuse(r, "paging is off: 'mode 32' or another turns it on");
}

/* A mode switch has taken the lab away, and in another mode the same number would be another question. */
static bool quiz_is_here(struct record *r)
{
  const struct state_lesson *lesson = now();
  return !lesson->quiz || lesson->quiz_mode == (uint8_t)machine_mode() ||
         record_refuse(r, "this was asked in mode %s, and its lab is gone: 'prev' asks once more",
                       state_mode_name_of((enum machine_mode)lesson->quiz_mode));
}

static bool quiz_is_open(struct record *r)
{
  return !now()->quiz || !now()->quiz_settled || record_refuse(r, "that one is answered; 'next' asks another");
}

/* The question that a hint or an answer is for. */
static bool question_here(struct record *r, struct lesson_question *question)
{
  if (!quiz_is_here(r))
    return false;
  if (lesson_question(question))
    return true;
  record_refuse(r, now()->number ? "nothing is asked on this page; 'next' goes on" : "no lesson is open; 'lesson' lists them");
  return false;
}

static bool quiz_ask(struct record *r, unsigned command, bool *later)
{
  static struct lesson_lab_script script;
  struct lesson_question question;
  char setup[512];
  memset(&script, 0, sizeof script);
  quiz_question(now()->quiz_seed, now()->quiz, setup, &question);
  lesson_lab_script_say(&script, setup);
  now()->hints = now()->tries = 0;
  now()->quiz_mode = (uint8_t)machine_mode();
  return begin(r, &script, DOING_SET_UP, command, later);
}

static bool quiz_end(struct record *r)
{
  struct state_lesson *lesson = now();
  r->text = "The quiz is over: {right} of {questions} right. 'quiz {seed}' asks the same again.";
  record_count(r, &r->root, "right", lesson->quiz_right);
  record_count(r, &r->root, "questions", lesson->quiz_length);
  record_count(r, &r->root, "seed", lesson->quiz_seed);
  record_bool(r, &r->root, "over", true);
  lesson->quiz = 0;
  return true;
}

static bool quiz_next(struct record *r, bool *later)
{
  struct state_lesson *lesson = now();
  if (!quiz_can_ask(r))
    return false;
  lesson->quiz_settled = 0;
  if (lesson->quiz >= lesson->quiz_length)
    return quiz_end(r);
  lesson->quiz++;
  return quiz_ask(r, COMMAND_NEXT, later);
}

/* The same question once more, with its lab. */
static bool quiz_again(struct record *r, bool *later)
{
  if (!quiz_is_open(r) || !quiz_can_ask(r))
    return false;
  settings_restore();
  return quiz_ask(r, COMMAND_PREV, later);
}

bool lesson_quiz(struct record *r, bool seeded, uint32_t seed, bool *later)
{
  struct state_lesson *lesson = now();
  if (!quiz_can_ask(r))
    return false;
  lesson->quiz_seed = seeded ? seed : quiz_seed();
  lesson->quiz = 1;
  lesson->quiz_length = QUIZ_QUESTIONS;
  lesson->quiz_right = lesson->quiz_settled = 0;
  settings_restore(); /* the same seed asks the same, whatever was set before */
  return quiz_ask(r, COMMAND_QUIZ, later);
}

bool lesson_move(struct record *r, int by, bool *later)
{
  static struct lesson_lab_script script;
  struct state_lesson *lesson = now();
  if (lesson->quiz)
    return by > 0 ? quiz_next(r, later) : quiz_again(r, later);
  const char *text = lesson->number ? lesson_text_numbered(lesson->number) : NULL;
  if (text == NULL)
    return record_refuse(r, "no lesson is open; 'lesson' lists them");
  if (by < 0 && lesson->page == 0)
    return record_refuse(r, "this is the first page");
  unsigned to = lesson_page_beside(text, lesson->page, by);
  if (to >= lesson_text_pages(text) && by < 0)
    return record_refuse(r, "no page before this one can be worked through here");
  if (to >= lesson_text_pages(text)) {
    lesson_page_end(r);
    return true;
  }
  memset(&script, 0, sizeof script);
  int mode = (int)machine_mode();
  bool sets_up = lesson_lab_begins(text, by > 0 ? to : lesson->page);
  if (by > 0)
    lesson_lab_script_page(&script, text, to, &mode);
  else if (sets_up) /* this page's lab is not the one before's: another mode, perhaps */
    lesson_lab_script_again(&script, text, to);
  if (!begin(r, &script, DOING_SET_UP, by > 0 ? COMMAND_NEXT : COMMAND_PREV, later))
    return false;
  if (sets_up)
    settings_restore();
  arrive(lesson->number, to);
  return true;
}

/* The hints one after the other; then the answer itself, and the question is settled. */
bool lesson_hint(struct record *r)
{
  struct state_lesson *lesson = now();
  struct lesson_question question;
  struct lesson_line line;
  char text[96];
  if (!question_here(r, &question))
    return false;
  if (question.page == NULL)
    return quiz_hint(&question, r);
  unsigned number = 0;
  const char *found = NULL;
  const char *at = lesson_text_inside(question.page);
  struct lesson_line hint = {0};
  while (lesson_text_line(&at, &line))
    if (line.tag == 'H' && number++ == lesson->hints) {
      hint = line;
      found = at;
    }
  record_count(r, &r->root, "question", question.number);
  record_count(r, &r->root, "hints", number);
  struct record_node *list;
  if (found) {
    r->text = "Hint {hint} of {hints}:";
    record_count(r, &r->root, "hint", ++lesson->hints);
    list = record_array(r, &r->root, "says", "{}");
    judge_lines(r, list, found, &hint);
    return true;
  }
  if (question.run[0]) {
    r->text = "There are no more hints: answer, and see what comes. 'predict {runs}' tells what may.";
    record_string(r, &r->root, "runs", question.run);
    return true;
  }
  r->text = "It is: {answer}";
  record_string(r, &r->root, "answer", judge_solution(&question, text, sizeof text));
  list = record_array(r, &r->root, "says", "{}");
  judge_every(r, list, question.page, 'B');
  progress_settle(lesson->number, question.number, false);
  return true;
}

bool lesson_check(struct record *r, const char *answer, bool *later)
{
  static struct lesson_lab_script script;
  struct state_lesson *lesson = now();
  struct lesson_question question;
  char why[80];
  if (!question_here(r, &question))
    return false;
  if (question.page && !lesson_page_fits(question.page, why, sizeof why))
    return record_refuse(r, "this page %s; 'next' goes on", why);
  if (!quiz_is_open(r))
    return false;
  text_copy(lesson->answer, sizeof lesson->answer, answer, strlen(answer));
  lesson->seen[0] = '\0';
  memset(&script, 0, sizeof script);
  if (question.run[0])
    lesson_lab_script_say(&script, question.run);
  return begin(r, &script, DOING_ASK, COMMAND_CHECK, later);
}

static void say_lost(struct record *r, const struct lesson_question *q)
{
  const struct state_lesson *lesson = now();
  r->text = "{lost}";
  if (q->page)
    record_format(r, &r->root, "lost", "The lab is not as this page left it: 'lesson %u %u' sets it up again.", lesson->number,
                  lesson->page + 1u);
  else
    record_string(r, &r->root, "lost", "The lab is not as the question left it: 'next' asks another.");
}

static void answered(struct record *r)
{
  struct state_lesson *lesson = now();
  struct lesson_question question;
  if (!lesson_question(&question))
    return;
  r->text = "[?right:Right.][?!right:No.][ The machine: {machine}.][ Permitted: {model}.][?again: It was settled before.]";
  if (lesson->number && !lesson->quiz)
    record_count(r, &r->root, "lesson", lesson->number);
  record_count(r, &r->root, "question", question.number);
  record_string(r, &r->root, "answer", lesson->answer);
  bool before = lesson->quiz ? false : progress_settled(lesson->number, question.number);
  struct judge_verdict verdict = judge_answer(&question, r);
  if (verdict.lost) {
    say_lost(r, &question);
    return;
  }
  record_bool(r, &r->root, "right", verdict.right);
  record_bool(r, &r->root, "settled", verdict.settled);
  record_count(r, &r->root, "tries", ++lesson->tries);
  record_count(r, &r->root, "hints", lesson->hints);
  record_bool(r, &r->root, "again", before);
  if (!verdict.settled)
    return;
  if (lesson->quiz) {
    lesson->quiz_settled = 1;
    lesson->quiz_right = (uint8_t)(lesson->quiz_right + verdict.right);
  } else
    progress_settle(lesson->number, question.number, verdict.right);
}

static void show_quiz(struct record *r)
{
  struct lesson_question question;
  const struct state_lesson *lesson = now();
  r->text = "\nQuiz {seed}, question {number} of {of}: {ask}[\n  the set-up failed: {trouble}]";
  record_count(r, &r->root, "seed", lesson->quiz_seed);
  record_count(r, &r->root, "number", lesson->quiz);
  record_count(r, &r->root, "of", lesson->quiz_length);
  if (lesson->trouble[0])
    record_string(r, &r->root, "trouble", lesson->trouble);
  quiz_question(lesson->quiz_seed, lesson->quiz, NULL, &question);
  quiz_say(r, lesson->quiz_seed, lesson->quiz);
  lesson_page_ask(r, &question, false);
}

struct record *lesson_ended(void)
{
  struct state_lesson *lesson = now();
  unsigned doing = lesson->doing;
  struct record *r = record_begin(command_names[lesson->command]);
  lesson->doing = DOING_NOTHING;
  if (doing == DOING_ASK)
    answered(r);
  else if (lesson->quiz)
    show_quiz(r);
  else
    lesson_page_show(r);
  return r;
}
