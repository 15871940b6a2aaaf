#include "repl/lesson.h"

#include "lab/lab.h"
#include "lib/format.h"
#include "lib/text.h"
#include "machine/console.h"
#include "repl/judge.h"
#include "repl/lesson_lab.h"
#include "repl/quiz.h"
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

/* ---- the text of the lesson that is open ---- */

static const char *text_of(unsigned number)
{
  struct lesson_line line;
  const char *at;
  for (unsigned i = 0; (at = lesson_text_lesson(i)) != NULL; i++)
    if (lesson_text_find(at, 'L', &line) && lesson_text_number(line.text) == number)
      return at;
  return NULL;
}

static const char *page_of(unsigned number, unsigned page)
{
  const char *lesson = text_of(number);
  return lesson ? lesson_text_page(lesson, page) : NULL;
}

static void copy_line(char *text, size_t size, const char *at, char tag)
{
  struct lesson_line line;
  text[0] = '\0';
  if (lesson_text_find(at, tag, &line))
    text_copy(text, size, line.text, line.length);
}

static void copy_title(char *text, size_t size, const char *lesson)
{
  struct lesson_line line, number;
  text[0] = '\0';
  if (lesson_text_find(lesson, 'L', &line) && lesson_text_word(&line, 0, &number))
    text_copy(text, size, number.text + number.length + 1, (size_t)(line.text + line.length - number.text) - number.length - 1);
}

/* Minutes (word 0) or the number of questions (word 1). */
static unsigned figure(const char *lesson, unsigned word)
{
  struct lesson_line line, number;
  return lesson_text_find(lesson, 'I', &line) && lesson_text_word(&line, word, &number) ? lesson_text_number(number.text) : 0;
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

static bool value_for_mode(const char *page, char *text, size_t size)
{
  struct lesson_line line, modes;
  const char *at = lesson_text_inside(page);
  while (lesson_text_line(&at, &line)) {
    if (line.tag != 'A' || !lesson_text_word(&line, 0, &modes))
      continue;
    struct lesson_line words = modes, word;
    bool fits = modes.length == 1 && modes.text[0] == '*';
    for (size_t start = 0, i = 0; i <= words.length; i++)
      if (i == words.length || words.text[i] == ',') {
        word = (struct lesson_line){.text = words.text + start, .length = i - start};
        fits = fits || lesson_lab_mode_named(&word) == (int)machine_mode();
        start = i + 1;
      }
    if (fits) {
      size_t skip = modes.length + 1;
      text_copy(text, size, line.text + skip, line.length > skip ? line.length - skip : 0);
      return true;
    }
  }
  text[0] = '\0';
  return false;
}

static bool page_question(const char *page, struct lesson_question *q)
{
  struct lesson_line line, kind;
  memset(q, 0, sizeof *q);
  if (!lesson_text_find(page, '?', &line) || !lesson_text_word(&line, 1, &kind))
    return false;
  q->number = lesson_text_number(line.text);
  q->kind = answer_kind_named(kind.text, kind.length);
  q->page = page;
  copy_line(q->run, sizeof q->run, page, '!');
  copy_line(q->field, sizeof q->field, page, '@');
  value_for_mode(page, q->right, sizeof q->right);
  return true;
}

bool lesson_question(struct lesson_question *q)
{
  const struct state_lesson *lesson = now();
  if (lesson->quiz)
    return quiz_question(lesson->quiz_seed, lesson->quiz, NULL, q);
  const char *page = lesson->number ? page_of(lesson->number, lesson->page) : NULL;
  return page && page_question(page, q);
}

static bool is_settled(unsigned number, unsigned question)
{
  return now()->settled[number] >> (question - 1) & 1;
}

static void settle(unsigned number, unsigned question, bool right)
{
  now()->settled[number] |= 1u << (question - 1);
  if (right)
    now()->right[number] |= 1u << (question - 1);
}

static unsigned bits(uint32_t word)
{
  unsigned count = 0;
  for (; word; word &= word - 1)
    count++;
  return count;
}

/* ---- showing ---- */

static void say_commands(struct record *r, const char *page)
{
  struct lesson_line line;
  struct record_node *list = NULL;
  const char *at = lesson_text_inside(page);
  while (lesson_text_line(&at, &line)) {
    char text[128];
    if (line.tag != '>')
      continue;
    bool first = list == NULL;
    if (first)
      list = record_array(r, &r->root, "type", "[?first:\n  Type:\n]    {command}");
    struct record_node *row = record_object(r, list, NULL);
    record_string(r, row, "command", text_copy(text, sizeof text, line.text, line.length));
    if (first)
      record_bool(r, row, "first", true);
  }
}

static void say_question(struct record *r, const struct lesson_question *q, bool settled)
{
  static const char *const ways[ANSWER_KINDS] =
    {[ANSWER_NUMBER] = "NUMBER", [ANSWER_WORD] = "WORD", [ANSWER_CHOICE] = "LETTER", [ANSWER_OUTCOME] = "fresh, stale or fault"};
  struct record_node *list = record_array(
    r, &r->root, "question",
    "\n  [?settled:(answered) ]Question {n}: check-answer {way}[?!settled:  ('check-' is enough)][\n  then the shell runs '{runs}']");
  struct record_node *row = record_object(r, list, NULL);
  record_count(r, row, "n", q->number);
  record_string(r, row, "kind", answer_kind_name(q->kind));
  record_string(r, row, "way", judge_is_yes_or_no(q) ? "yes or no" : ways[q->kind]);
  if (q->run[0])
    record_string(r, row, "runs", q->run);
  record_bool(r, row, "settled", settled);
}

static void say_text(struct record *r, const char *page)
{
  struct lesson_line line;
  struct record_node *list = record_array(r, &r->root, "text", "{}");
  const char *at = lesson_text_inside(page);
  while (lesson_text_line(&at, &line))
    if (line.tag == 'T') {
      char text[96];
      record_string(r, list, NULL, line.length ? text_copy(text, sizeof text, line.text, line.length) : " ");
    }
}

static void show_page(struct record *r)
{
  struct state_lesson *lesson = now();
  const char *text = text_of(lesson->number), *page = lesson_text_page(text, lesson->page);
  char buffer[112], why[80];
  int mode = (int)machine_mode();
  struct lesson_question question;
  r->text =
    "\n[Lesson {lesson}: ]{title}  [({page} of {pages})]\n[  {asks}\n]== {step}[\n  (left out: {left_out})][\n  the set-up failed: {trouble}]";
  record_count(r, &r->root, "lesson", lesson->number);
  copy_title(buffer, sizeof buffer, text);
  record_string(r, &r->root, "title", buffer);
  record_count(r, &r->root, "page", lesson->page + 1u);
  record_count(r, &r->root, "pages", lesson_text_pages(text));
  copy_line(buffer, sizeof buffer, text, 'Q');
  if (lesson->page == 0)
    record_string(r, &r->root, "asks", buffer);
  copy_line(buffer, sizeof buffer, page, 'P');
  record_string(r, &r->root, "step", buffer);
  bool asks = page_question(page, &question);
  if (!lesson_lab_fits(page, &mode, why, sizeof why)) {
    record_string(r, &r->root, "left_out", why);
    if (asks)
      settle(lesson->number, question.number, false);
    return;
  }
  if (lesson->trouble[0])
    record_string(r, &r->root, "trouble", lesson->trouble);
  if (lesson->page == 0)
    lesson_lab_lacks(r, text);
  say_text(r, page);
  say_commands(r, page);
  if (lesson->page == 0)
    record_string(r, record_array(r, &r->root, "then", "\n  {}"), NULL,
                  "'next' goes on. Type what you like in between: 'lesson' finds the way back.");
  if (asks)
    say_question(r, &question, is_settled(lesson->number, question.number));
}

static void show_end(struct record *r)
{
  const struct state_lesson *lesson = now();
  const char *text = text_of(lesson->number);
  unsigned questions = figure(text, 1);
  r->text = "That was lesson {lesson}: {right} of {questions} questions right[; open: {open}].";
  record_count(r, &r->root, "lesson", lesson->number);
  record_count(r, &r->root, "right", bits(lesson->right[lesson->number]));
  record_count(r, &r->root, "questions", questions);
  record_bool(r, &r->root, "done", bits(lesson->settled[lesson->number]) >= questions);
  struct record_node *list = record_array(r, &r->root, "open", NULL);
  for (unsigned q = 1; q <= questions; q++)
    if (!is_settled(lesson->number, q))
      record_count(r, list, NULL, q);
}

/* ---- the commands ---- */

bool lesson_list(struct record *r)
{
  const char *text;
  const struct state_lesson *lesson = now();
  r->text =
    "'lesson N' opens one; then 'next', 'prev', 'hint', 'check-answer'.\n'quiz' asks at random.[\nYou are in lesson {here}, page {page}; 'lesson {here}' goes on there.]";
  if (lesson->number) {
    record_count(r, &r->root, "here", lesson->number);
    record_count(r, &r->root, "page", lesson->page + 1u);
  }
  struct record_node *list =
    record_array(r, &r->root, "lessons", "[?done:*][?!done: ] {n%2}  {title%-44} {minutes%2} min[?begun:  {right} of {questions} right]");
  for (unsigned i = 0; (text = lesson_text_lesson(i)) != NULL; i++) {
    struct lesson_line line;
    char title[80];
    lesson_text_find(text, 'L', &line);
    unsigned n = lesson_text_number(line.text), questions = figure(text, 1);
    struct record_node *row = record_object(r, list, NULL);
    record_count(r, row, "n", n);
    copy_title(title, sizeof title, text);
    record_string(r, row, "title", title);
    record_bool(r, row, "done", questions > 0 && bits(lesson->settled[n]) >= questions);
    record_bool(r, row, "begun", lesson->settled[n] != 0);
    record_count(r, row, "minutes", figure(text, 0));
    record_count(r, row, "right", bits(lesson->right[n]));
    record_count(r, row, "questions", questions);
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
  const char *text = number < STATE_LESSONS ? text_of(number) : NULL;
  if (text == NULL)
    return record_refuse(r, "there is no lesson %u; 'lesson' lists them", number);
  if (page > lesson_text_pages(text))
    return record_refuse(r, "lesson %u has %u pages", number, lesson_text_pages(text));
  if (lesson_text_find(text, 'M', &modes) && lesson_lab_mode(&modes, (int)machine_mode()) < 0)
    return record_refuse(r, "lesson %u is for %.*s, and this CPU has none of them", number, (int)modes.length, modes.text);
  unsigned to = page ? page - 1 : now()->at_page[number];
  memset(&script, 0, sizeof script);
  lesson_lab_script_again(&script, text, to);
  if (!begin(r, &script, DOING_SET_UP, COMMAND_LESSON, later))
    return false;
  arrive(number, to);
  return true;
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
  lesson->quiz_settled = 0;
  if (lesson->quiz >= lesson->quiz_length)
    return quiz_end(r);
  lesson->quiz++;
  return quiz_ask(r, COMMAND_NEXT, later);
}

bool lesson_quiz(struct record *r, bool seeded, uint32_t seed, bool *later)
{
  struct state_lesson *lesson = now();
  if (machine_mode() == MACHINE_OFF)
    return record_refuse(r, "paging is off: 'mode 32' or another turns it on");
  lesson->quiz_seed = seeded ? seed : quiz_seed();
  lesson->quiz = 1;
  lesson->quiz_length = QUIZ_QUESTIONS;
  lesson->quiz_right = lesson->quiz_settled = 0;
  return quiz_ask(r, COMMAND_QUIZ, later);
}

bool lesson_move(struct record *r, int by, bool *later)
{
  static struct lesson_lab_script script;
  struct state_lesson *lesson = now();
  if (lesson->quiz && by > 0)
    return quiz_next(r, later);
  const char *text = lesson->number ? text_of(lesson->number) : NULL;
  if (text == NULL)
    return record_refuse(r, "no lesson is open; 'lesson' lists them");
  if (by < 0 && lesson->page == 0)
    return record_refuse(r, "this is the first page");
  unsigned to = (unsigned)((int)lesson->page + by);
  if (to >= lesson_text_pages(text)) {
    show_end(r);
    return true;
  }
  memset(&script, 0, sizeof script);
  int mode = (int)machine_mode();
  if (by > 0)
    lesson_lab_script_page(&script, text, to, &mode);
  else if (lesson_lab_begins(text, lesson->page)) /* this page's lab is not the one before's: another mode, perhaps */
    lesson_lab_script_again(&script, text, to);
  if (!begin(r, &script, DOING_SET_UP, by > 0 ? COMMAND_NEXT : COMMAND_PREV, later))
    return false;
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
  if (!lesson_question(&question))
    return record_refuse(r, lesson->number ? "nothing is asked on this page; 'next' goes on" : "no lesson is open; 'lesson' lists them");
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
  settle(lesson->number, question.number, false);
  return true;
}

bool lesson_check(struct record *r, const char *answer, bool *later)
{
  static struct lesson_lab_script script;
  struct state_lesson *lesson = now();
  struct lesson_question question;
  char why[80];
  int mode = (int)machine_mode();
  if (!lesson_question(&question))
    return record_refuse(r, lesson->number ? "nothing is asked on this page; 'next' goes on" : "no lesson is open; 'lesson' lists them");
  if (question.page && !lesson_lab_fits(question.page, &mode, why, sizeof why))
    return record_refuse(r, "%s; 'next' goes on", why);
  if (lesson->quiz && lesson->quiz_settled)
    return record_refuse(r, "that one is answered; 'next' asks another");
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
  r->text = "[?right:Right.][?!right:No.][ The machine: {machine}.][ Permitted: {model}.]";
  if (lesson->number && !lesson->quiz)
    record_count(r, &r->root, "lesson", lesson->number);
  record_count(r, &r->root, "question", question.number);
  record_string(r, &r->root, "answer", lesson->answer);
  bool before = lesson->quiz ? false : is_settled(lesson->number, question.number);
  struct judge_verdict verdict = judge_answer(&question, r);
  if (verdict.lost) {
    say_lost(r, &question);
    return;
  }
  record_bool(r, &r->root, "right", verdict.right);
  record_bool(r, &r->root, "settled", verdict.settled);
  record_count(r, &r->root, "tries", ++lesson->tries);
  record_count(r, &r->root, "hints", lesson->hints);
  if (!verdict.settled)
    return;
  if (lesson->quiz) {
    lesson->quiz_settled = 1;
    lesson->quiz_right = (uint8_t)(lesson->quiz_right + verdict.right);
  } else if (!before)
    settle(lesson->number, question.number, verdict.right);
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
  say_question(r, &question, false);
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
    show_page(r);
  return r;
}
