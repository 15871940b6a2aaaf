#include "repl/judge.h"

#include "lab/lab.h"
#include "lib/format.h"
#include "lib/text.h"
#include "repl/args.h"
#include "repl/explain.h"
#include "repl/shell.h"
#include "repl/state.h"

#include <string.h>

/* ---- what a record holds ---- */

static const struct record_node *element(const struct record_node *array, const char *name, size_t length)
{
  if (text_is(name, length, "last"))
    return array->last;
  bool numbered = length > 0 && text_is_digit(name[0]);
  unsigned index = lesson_text_number(name);
  for (const struct record_node *node = array->child; node; node = node->next) {
    const struct record_node *level = node->type == RECORD_OBJECT ? record_find(node, "level") : NULL;
    if (numbered ? index-- == 0 : level && text_is(name, length, level->text))
      return node;
  }
  return NULL;
}

/* "levels.PTE.at": a member of a member; of an array the element with that level or number, or the last. */
static const struct record_node *member(const struct record_node *node, const char *path)
{
  while (node && *path) {
    char key[24];
    size_t length = 0;
    while (path[length] && path[length] != '.')
      length++;
    text_copy(key, sizeof key, path, length);
    node = node->type == RECORD_ARRAY ? element(node, key, strlen(key)) : record_find(node, key);
    path += length + (path[length] == '.');
  }
  return node;
}

void judge_see(const struct lesson_question *question, const struct record *record)
{
  struct state_lesson *lesson = &state_get()->lesson;
  const struct record_node *node = question->field[0] ? member(&record->root, question->field) : NULL;
  lesson->seen_hex = 0;
  if (node == NULL)
    return;
  if (node->type == RECORD_STRING)
    format(lesson->seen, sizeof lesson->seen, "%s", node->text);
  else if (node->type == RECORD_HEX)
    format(lesson->seen, sizeof lesson->seen, "0x%llx", (unsigned long long)node->number);
  else if (node->type == RECORD_BOOL)
    format(lesson->seen, sizeof lesson->seen, "%s", node->number ? "yes" : "no");
  else
    format(lesson->seen, sizeof lesson->seen, "%llu", (unsigned long long)node->number);
  lesson->seen_number = node->number;
  lesson->seen_hex = node->type == RECORD_HEX || node->type == RECORD_COUNT;
}

/* ---- reading ---- */

static bool number_read(const char *text, uint64_t *value)
{
  size_t at = text[0] == 'p' && text[1] == ':' ? 2 : 0; /* as the shell writes physical addresses */
  if (!args_expression(text, &at, shell_names(), value, NULL))
    return false;
  return text[text_skip_space(text, at)] == '\0';
}

static const char *const wanted[ANSWER_KINDS] = {
  [ANSWER_NUMBER] = "a number, like 0x1f, 31 or 64m",
  [ANSWER_WORD] = "a word",
  [ANSWER_CHOICE] = "the letter of what is right, or several of",
  [ANSWER_OUTCOME] = "fresh, stale or fault; the frame or the error code behind it if you like: fresh B, fault 0x7",
};

/* An error code or a frame alone is no outcome: "1" and "n" are said by those who take the question for another. */
static bool outcome_readable(const char *text)
{
  struct answer_outcome outcome;
  return answer_outcome_read(text, strlen(text), &outcome) && outcome.has_outcome;
}

bool judge_is_yes_or_no(const struct lesson_question *question)
{
  return question->kind == ANSWER_WORD && answer_yes_or_no(question->right, strlen(question->right)) != ANSWER_NEITHER;
}

static const char *what_is_wanted(const struct lesson_question *question)
{
  return judge_is_yes_or_no(question) ? "yes or no" : wanted[question->kind];
}

bool judge_readable(const struct lesson_question *question, const char *text, size_t at, struct record *r)
{
  uint64_t value;
  bool readable = true;
  if (text[0] == '\0')
    return record_usage(r, at, "the answer is missing; question %u asks for: %s%s%s", question->number, what_is_wanted(question),
                        question->choices[0] ? " " : "", question->choices);
  if (question->kind == ANSWER_OUTCOME && answer_outcome_undecided(text))
    return record_usage(r, at, "one of them, please: what will this machine do? What else is permitted it tells you afterwards");
  if (question->kind == ANSWER_NUMBER)
    readable = number_read(text, &value);
  else if (question->kind == ANSWER_OUTCOME)
    readable = outcome_readable(text);
  else if (judge_is_yes_or_no(question))
    readable = answer_yes_or_no(text, strlen(text)) != ANSWER_NEITHER;
  else if (question->kind == ANSWER_CHOICE)
    readable = answer_choice_readable(text, question->choices);
  return readable ? true
                  : record_usage(r, at, "'%.24s' is not what question %u asks for: %s%s%s", text, question->number,
                                 what_is_wanted(question), question->choices[0] ? " " : "", question->choices);
}

const char *judge_solution(const struct lesson_question *question, char *text, size_t size)
{
  format(text, size, "%s", question->field[0] ? state_get()->lesson.seen : question->right);
  for (char *c = text; question->kind == ANSWER_WORD && *c; c++)
    if (*c == '|') {
      *c = '\0';
      break;
    }
  return text;
}

/* ---- saying ---- */

void judge_lines(struct record *r, struct record_node *list, const char *at, const struct lesson_line *line)
{
  char text[96];
  struct lesson_line more = *line;
  do {
    record_string(r, list, NULL, text_copy(text, sizeof text, more.text, more.length));
  } while (lesson_text_line(&at, &more) && more.tag == text_lower(line->tag));
}

void judge_every(struct record *r, struct record_node *list, const char *page, char tag)
{
  struct lesson_line line;
  if (page == NULL)
    return;
  const char *at = lesson_text_inside(page);
  while (lesson_text_line(&at, &line))
    if (line.tag == tag)
      judge_lines(r, list, at, &line);
}

/* What the page says behind the lines @p tag whose text fits. True when it had something to say. */
static bool say_fitting(struct record *r, struct record_node *list, const char *page, char tag,
                        bool (*fits)(const void *context, const char *what, size_t length), const void *context)
{
  struct lesson_line line, text;
  if (page == NULL)
    return false;
  const char *at = lesson_text_inside(page);
  while (lesson_text_line(&at, &line)) {
    if (line.tag != tag || !fits(context, line.text, line.length))
      continue;
    if (lesson_text_line(&at, &text) && text.tag == 'V')
      judge_lines(r, list, at, &text);
    return true;
  }
  return false;
}

static bool any(const char *what, size_t length)
{
  return length == 1 && *what == '*';
}

static bool outcome_fits(const void *context, const char *what, size_t length)
{
  struct answer_outcome said;
  return any(what, length) || (answer_outcome_read(what, length, &said) && answer_outcome_holds(&said, context));
}

struct said {
  const struct lesson_question *question;
  const char *text;
};

static bool same(const struct lesson_question *question, const char *said, const char *right, size_t length)
{
  char text[STATE_ANSWER_MAX];
  uint64_t value, meant;
  struct answer_outcome outcome, come;
  if (judge_is_yes_or_no(question))
    return answer_yes_or_no(said, strlen(said)) == answer_yes_or_no(right, length);
  switch (question->kind) {
  case ANSWER_NUMBER:
    text_copy(text, sizeof text, right, length);
    return number_read(said, &value) && number_read(text, &meant) && value == meant;
  case ANSWER_CHOICE: return answer_choice_is(said, right, length);
  case ANSWER_OUTCOME:
    return answer_outcome_read(right, length, &outcome) && answer_outcome_read(said, strlen(said), &come) &&
           answer_outcome_holds(&outcome, &come);
  default: return answer_word_is(said, right, length);
  }
}

static bool answer_fits(const void *context, const char *what, size_t length)
{
  const struct said *said = context;
  return any(what, length) || same(said->question, said->text, what, length);
}

static struct record_node *says(struct record *r)
{
  return record_array(r, &r->root, "says", "{}");
}

/* ---- outcomes ---- */

_Static_assert((int)LAB_FRESH == ANSWER_FRESH && (int)LAB_STALE == ANSWER_STALE && (int)LAB_FAULT == ANSWER_FAULT, "the same order");

static void came_of(const struct lab_touch *touch, struct answer_outcome *came)
{
  memset(came, 0, sizeof *came);
  came->has_outcome = true;
  came->outcome = (uint8_t)touch->outcome;
  came->has_error = touch->outcome == LAB_FAULT;
  came->error = touch->result.fault.error;
  if (touch->outcome != LAB_FAULT && touch->frame_known)
    lab_frame_name(touch->frame, came->frame, sizeof came->frame);
}

static void came_of_predicted(const struct predict_outcome *o, struct answer_outcome *came)
{
  memset(came, 0, sizeof *came);
  came->has_outcome = true;
  came->outcome = o->fault ? LAB_FAULT : o->fresh ? LAB_FRESH : LAB_STALE;
  came->has_error = o->fault;
  came->error = o->error;
  if (!o->fault)
    lab_frame_name(o->pa, came->frame, sizeof came->frame);
}

static const char *outcome_text(const struct answer_outcome *o, char *text, size_t size)
{
  static const char *const names[] = {[LAB_FRESH] = "fresh", [LAB_STALE] = "stale", [LAB_FAULT] = "fault"};
  if (o->has_error)
    format(text, size, "%s 0x%x", names[o->outcome], (unsigned)o->error);
  else
    format(text, size, "%s%s%s", names[o->outcome], o->frame[0] ? " " : "", o->frame);
  return text;
}

/* The model's list; returns whether one of it is what was said. */
static bool say_model(struct record *r, const struct prediction *prediction, const struct answer_outcome *said)
{
  char text[48];
  bool permitted = false;
  struct record_node *list = record_array(r, &r->root, "model", NULL);
  for (unsigned i = 0; i < prediction->count; i++) {
    struct answer_outcome one;
    came_of_predicted(&prediction->outcome[i], &one);
    permitted = permitted || answer_outcome_holds(said, &one);
    record_format(r, list, NULL, "%s %s", rules_class_name(predict_class(prediction, &prediction->outcome[i])),
                  outcome_text(&one, text, sizeof text));
  }
  return permitted;
}

/* "fault 0x2" where 0x3 would come: what is wrong with it is only the code, and of "stale B" only the frame. */
static void say_nearly(struct record *r, struct record_node *list, const struct prediction *prediction, const struct answer_outcome *said)
{
  char text[48];
  struct answer_outcome bare = *said;
  bare.has_error = false;
  bare.frame[0] = '\0';
  for (unsigned i = 0; i < prediction->count; i++) {
    struct answer_outcome one;
    came_of_predicted(&prediction->outcome[i], &one);
    if (answer_outcome_holds(&bare, &one)) {
      record_format(r, list, NULL, "What is permitted is '%s'.", outcome_text(&one, text, sizeof text));
      return;
    }
  }
}

static struct judge_verdict judge_outcome(const struct lesson_question *q, struct record *r)
{
  char text[48];
  struct answer_outcome said, came;
  const struct lab_touch *touch = explain_last_access();
  const char *answer = state_get()->lesson.answer;
  if (touch == NULL || !answer_outcome_read(answer, strlen(answer), &said))
    return (struct judge_verdict){.lost = true};
  came_of(touch, &came);
  bool violation = touch->violation.rule != NULL;
  if (q->right[0] && !violation && !answer_outcome_listed(q->right, strlen(q->right), &came))
    return (struct judge_verdict){.lost = true};
  record_string(r, &r->root, "machine", outcome_text(&came, text, sizeof text));
  bool permitted = say_model(r, touch->predicted, &said);
  struct judge_verdict verdict = {.right = permitted, .settled = true};
  bool hit = answer_outcome_holds(&said, &came);
  struct record_node *list = says(r);
  if (violation)
    record_format(r, list, NULL, "This machine broke the rule '%s': that is its mistake, not yours.", touch->violation.rule->name);
  if (permitted && !hit && !violation)
    record_string(r, list, NULL, "Permitted, though this machine chose otherwise.");
  if (!permitted) {
    say_nearly(r, list, touch->predicted, &said);
    say_fitting(r, list, q->page, 'W', answer_fits, &(struct said){q, answer});
    if (q->page == NULL && said.has_outcome && said.outcome == ANSWER_STALE)
      record_string(r, list, NULL, "Stale is only what an older translation gives and the tables would not.");
    if (q->page == NULL)
      record_string(r, list, NULL, "'why' tells the rule, and what dropped or kept the older translation.");
  }
  say_fitting(r, list, q->page, 'F', outcome_fits, &came);
  judge_every(r, list, q->page, 'B');
  return verdict;
}

/* ---- everything else ---- */

static bool is_right(const struct lesson_question *q, const char *answer)
{
  const struct state_lesson *lesson = &state_get()->lesson;
  uint64_t value;
  if (!q->field[0])
    return same(q, answer, q->right, strlen(q->right));
  if (judge_is_yes_or_no(q))
    return same(q, answer, lesson->seen, strlen(lesson->seen));
  if (q->kind == ANSWER_NUMBER && lesson->seen_hex)
    return number_read(answer, &value) && value == lesson->seen_number;
  return answer_word_is(answer, lesson->seen, strlen(lesson->seen));
}

/* A worksheet that knows what the record must say notices when the lab is another. */
static bool unexpected(const struct lesson_question *q)
{
  const struct state_lesson *lesson = &state_get()->lesson;
  uint64_t value;
  if (!q->field[0] || q->right[0] == '\0')
    return q->field[0] && lesson->seen[0] == '\0';
  if (q->kind == ANSWER_NUMBER)
    return !lesson->seen_hex || (number_read(q->right, &value) && value != lesson->seen_number);
  return !answer_word_is(lesson->seen, q->right, strlen(q->right));
}

struct judge_verdict judge_answer(const struct lesson_question *q, struct record *r)
{
  const char *answer = state_get()->lesson.answer;
  if (q->kind == ANSWER_OUTCOME)
    return judge_outcome(q, r);
  if (unexpected(q))
    return (struct judge_verdict){.lost = true};
  bool right = is_right(q, answer);
  /* A command that has been run has shown what it comes to. */
  struct judge_verdict verdict = {.right = right, .settled = right || q->run[0]};
  if (q->field[0])
    record_string(r, &r->root, "machine", state_get()->lesson.seen);
  struct record_node *list = says(r);
  if (!right && !say_fitting(r, list, q->page, 'W', answer_fits, &(struct said){q, answer}) && !verdict.settled)
    record_string(r, list, NULL, "Try again; 'hint' helps.");
  if (verdict.settled)
    judge_every(r, list, q->page, 'B');
  return verdict;
}
