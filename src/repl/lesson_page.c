#include "repl/lesson_page.h"

#include "lib/format.h"
#include "lib/text.h"
#include "machine/machine.h"
#include "repl/judge.h"
#include "repl/lesson_lab.h"
#include "repl/lesson_text.h"
#include "repl/progress.h"
#include "repl/state.h"

#include <string.h>

static struct state_lesson *now(void)
{
  return &state_get()->lesson;
}

/* ---- what it asks ---- */

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

bool lesson_page_question(const char *page, struct lesson_question *q)
{
  struct lesson_line line, kind, choices;
  memset(q, 0, sizeof *q);
  if (!lesson_text_find(page, '?', &line) || !lesson_text_word(&line, 1, &kind))
    return false;
  q->number = lesson_text_number(line.text);
  q->kind = answer_kind_named(kind.text, kind.length);
  if (lesson_text_word(&line, 2, &choices))
    text_copy(q->choices, sizeof q->choices, choices.text, choices.length);
  q->page = page;
  lesson_text_copy(page, '!', q->run, sizeof q->run);
  lesson_text_copy(page, '@', q->field, sizeof q->field);
  value_for_mode(page, q->right, sizeof q->right);
  return true;
}

bool lesson_page_fits(const char *page, char *why, size_t size)
{
  int mode = (int)machine_mode();
  return lesson_lab_fits(page, &mode, why, size);
}

/* ---- what it shows ---- */

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

void lesson_page_ask(struct record *r, const struct lesson_question *q, bool settled)
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

void lesson_page_show(struct record *r)
{
  struct state_lesson *lesson = now();
  const char *text = lesson_text_numbered(lesson->number), *page = lesson_text_page(text, lesson->page);
  char buffer[112], why[80];
  struct lesson_question question;
  r->text =
    "\n[Lesson {lesson}: ]{title}  [({page} of {pages})]\n[  {asks}\n]== {step}[\n  ({skipped})][\n  (left out: this page {left_out})][\n  the set-up failed: {trouble}]";
  record_count(r, &r->root, "lesson", lesson->number);
  lesson_text_title(text, buffer, sizeof buffer);
  record_string(r, &r->root, "title", buffer);
  record_count(r, &r->root, "page", lesson->page + 1u);
  record_count(r, &r->root, "pages", lesson_text_pages(text));
  lesson_text_copy(text, 'Q', buffer, sizeof buffer);
  if (lesson->page == 0)
    record_string(r, &r->root, "asks", buffer);
  lesson_text_copy(page, 'P', buffer, sizeof buffer);
  record_string(r, &r->root, "step", buffer);
  if (lesson->skipped[0])
    record_string(r, &r->root, "skipped", lesson->skipped);
  bool asks = lesson_page_question(page, &question);
  if (!lesson_page_fits(page, why, sizeof why)) {
    record_string(r, &r->root, "left_out", why);
    if (asks)
      progress_leave_out(lesson->number, question.number);
    return;
  }
  if (lesson->trouble[0])
    record_string(r, &r->root, "trouble", lesson->trouble);
  say_text(r, page);
  if (lesson->page == 0)
    lesson_lab_lacks(r, text);
  say_commands(r, page);
  if (lesson->page == 0)
    record_string(r, record_array(r, &r->root, "then", "\n  {}"), NULL,
                  "'next' goes on. Type what you like in between: 'lesson' finds the way back.");
  if (asks)
    lesson_page_ask(r, &question, progress_settled(lesson->number, question.number));
}

static void say_numbers(struct record *r, const char *key, uint32_t set, unsigned questions)
{
  struct record_node *list = record_array(r, &r->root, key, NULL);
  for (unsigned q = 1; q <= questions; q++)
    if (set >> (q - 1) & 1)
      record_count(r, list, NULL, q);
}

void lesson_page_end(struct record *r)
{
  const struct state_lesson *lesson = now();
  unsigned number = lesson->number, questions = lesson_text_questions(lesson_text_numbered(number));
  r->text =
    "That was lesson {lesson}: {right} of {asked} questions right[; open: {open}][; could not be asked here: {left_out}].[\n({skipped})]";
  record_count(r, &r->root, "lesson", number);
  record_count(r, &r->root, "right", progress_right(number));
  record_count(r, &r->root, "questions", questions);
  record_count(r, &r->root, "asked", progress_asked(number, questions));
  record_bool(r, &r->root, "done", progress_done(number, questions));
  if (lesson->skipped[0])
    record_string(r, &r->root, "skipped", lesson->skipped);
  say_numbers(r, "open", progress_open(number), questions);
  say_numbers(r, "left_out", progress_left_out(number), questions);
}

/* ---- from page to page ---- */

/* @p nearest is the page that was met first, @p count of them were left out, and it @p why. Pages count from 0 here. */
static void note_skipped(unsigned nearest, unsigned count, int by, const char *why)
{
  struct state_lesson *lesson = now();
  unsigned first = by > 0 ? nearest : nearest + 1 - count;
  lesson->skipped[0] = '\0';
  if (count == 1)
    format(lesson->skipped, sizeof lesson->skipped, "page %u is left out: it %s", first + 1, why);
  if (count > 1)
    format(lesson->skipped, sizeof lesson->skipped, "pages %u to %u are left out: page %u %s", first + 1, first + count, nearest + 1, why);
}

unsigned lesson_page_beside(const char *text, unsigned page, int by)
{
  struct lesson_question question;
  char why[80] = "";
  unsigned nearest = (unsigned)((int)page + by), to = nearest, count = 0;
  for (; to < lesson_text_pages(text) && !lesson_page_fits(lesson_text_page(text, to), why, count ? 0 : sizeof why);
       to = (unsigned)((int)to + by), count++)
    if (lesson_page_question(lesson_text_page(text, to), &question))
      progress_leave_out(now()->number, question.number);
  note_skipped(nearest, count, by, why);
  return to;
}
