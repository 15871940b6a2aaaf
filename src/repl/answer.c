#include "repl/answer.h"

#include "lib/text.h"
#include "repl/args.h"

#include <string.h>

static const char *const kinds[ANSWER_KINDS] =
  {[ANSWER_NUMBER] = "number", [ANSWER_WORD] = "word", [ANSWER_CHOICE] = "choice", [ANSWER_OUTCOME] = "outcome"};

enum answer_kind answer_kind_named(const char *name, size_t length)
{
  unsigned kind = 0;
  while (kind < ANSWER_KINDS && !text_is(name, length, kinds[kind]))
    kind++;
  return (enum answer_kind)kind;
}

const char *answer_kind_name(enum answer_kind kind)
{
  return kind < ANSWER_KINDS ? kinds[kind] : "";
}

/* ---- outcomes ---- */

static bool separates(char c)
{
  return text_is_space(c) || c == ':' || c == ',' || c == '(' || c == ')';
}

static bool error_read(const char *word, size_t length, uint32_t *error)
{
  uint32_t value = 0;
  if (length == 1 && text_is_digit(word[0])) { /* the same in either base */
    *error = (uint32_t)(word[0] - '0');
    return true;
  }
  if (length < 3 || word[0] != '0' || text_lower(word[1]) != 'x' || length > 10)
    return false;
  for (size_t i = 2; i < length; i++) {
    char c = text_lower(word[i]);
    if (!text_is_digit(c) && (c < 'a' || c > 'f'))
      return false;
    value = value << 4 | (uint32_t)(text_is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  *error = value;
  return true;
}

static bool frame_read(const char *word, size_t length, char *frame)
{
  bool letter = length == 1 && text_is_letter(word[0]);
  bool big = length >= 2 && length < ANSWER_FRAME_MAX && text_upper(word[0]) == 'M' && (word[1] == '0' || word[1] == '1');
  if (!letter && !big)
    return false;
  text_copy(frame, ANSWER_FRAME_MAX, word, length);
  frame[0] = text_upper(frame[0]);
  return true;
}

/* Words that people put between and that say nothing. */
static bool filler(const char *word, size_t length)
{
  static const char *const words[] = {"from", "frame", "of", "a", "the", "page", "#pf", "error", "with"};
  for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
    if (text_is_anycase(word, length, words[i]) && (length > 1 || word[0] == 'a'))
      return true;
  return false;
}

enum { OUTCOMES = ANSWER_FAULT + 1 };

/* OUTCOMES: the word is none. */
static unsigned outcome_named(const char *word, size_t length)
{
  static const char *const names[OUTCOMES] = {[ANSWER_FRESH] = "fresh", [ANSWER_STALE] = "stale", [ANSWER_FAULT] = "fault"};
  unsigned i = 0;
  while (i < OUTCOMES && !text_is_anycase(word, length, names[i]))
    i++;
  return i;
}

static bool outcome_word(const char *word, size_t length, struct answer_outcome *outcome)
{
  unsigned named = outcome_named(word, length);
  if (named < OUTCOMES) {
    outcome->has_outcome = true;
    outcome->outcome = (uint8_t)named;
    return true;
  }
  if (error_read(word, length, &outcome->error)) {
    outcome->has_error = true;
    return true;
  }
  /* "a" alone is frame A; before another word it is an article. */
  return frame_read(word, length, outcome->frame) || filler(word, length);
}

bool answer_outcome_read(const char *text, size_t length, struct answer_outcome *outcome)
{
  const char *end = text + length;
  memset(outcome, 0, sizeof *outcome);
  while (text < end) {
    const char *start = text;
    while (text < end && !separates(*text))
      text++;
    if (text > start && !outcome_word(start, (size_t)(text - start), outcome))
      return false;
    text++;
  }
  return outcome->has_outcome || outcome->has_error || outcome->frame[0] != '\0';
}

static bool doubts(const char *word, size_t length)
{
  static const char *const words[] = {"either", "both", "may", "maybe", "perhaps", "or", "depends"};
  for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
    if (text_is_anycase(word, length, words[i]))
      return true;
  return false;
}

bool answer_outcome_undecided(const char *text)
{
  unsigned first = OUTCOMES;
  while (*text) {
    const char *start = text;
    while (*text && *text != '/' && !separates(*text))
      text++;
    size_t length = (size_t)(text - start);
    unsigned named = outcome_named(start, length);
    if (doubts(start, length) || (named < OUTCOMES && first < OUTCOMES && named != first))
      return true;
    first = named < OUTCOMES ? named : first;
    text += *text != '\0';
  }
  return false;
}

/* "M1" is said of M1+0x5000 too: a large frame is one frame. */
static bool frame_holds(const char *said, const char *came)
{
  size_t length = strlen(said);
  return strncmp(said, came, length) == 0 && (came[length] == '\0' || came[length] == '+' || length == 0);
}

bool answer_outcome_holds(const struct answer_outcome *said, const struct answer_outcome *came)
{
  if (said->has_outcome && said->outcome != came->outcome)
    return false;
  if (said->has_error && (came->outcome != ANSWER_FAULT || said->error != came->error))
    return false;
  return frame_holds(said->frame, came->frame);
}

bool answer_outcome_listed(const char *list, size_t length, const struct answer_outcome *came)
{
  const char *end = list + length;
  while (list < end) {
    const char *start = list;
    struct answer_outcome one;
    while (list < end && !text_is_space(*list))
      list++;
    bool read = answer_outcome_read(start, (size_t)(list - start), &one);
    if (read && answer_outcome_holds(&one, came))
      return true;
    list++;
  }
  return false;
}

/* ---- words ---- */

static bool counts(char c)
{
  return !text_is_space(c) && c != '#' && c != '\'' && c != '"' && c != '.' && c != '!' && c != '-' && c != '+';
}

static bool word_is(const char *said, const char *right, const char *end)
{
  for (;;) {
    while (*said && !counts(*said))
      said++;
    while (right < end && !counts(*right))
      right++;
    if (*said == '\0' || right == end)
      return *said == '\0' && right == end;
    if (text_lower(*said++) != text_lower(*right++))
      return false;
  }
}

bool answer_word_is(const char *said, const char *right, size_t length)
{
  const char *end = right + length;
  for (;;) {
    const char *bar = text_find(right, (size_t)(end - right), '|');
    if (word_is(said, right, bar ? bar : end))
      return true;
    if (bar == NULL)
      return false;
    right = bar + 1;
  }
}

enum answer_yes answer_yes_or_no(const char *said, size_t length)
{
  static const char *const words[] = {"yes|y|true|right|correct", "no|n|false|wrong|not"};
  char text[12];
  if (length >= sizeof text)
    return ANSWER_NEITHER;
  text_copy(text, sizeof text, said, length);
  if (answer_word_is(text, words[0], strlen(words[0])))
    return ANSWER_YES;
  return answer_word_is(text, words[1], strlen(words[1])) ? ANSWER_NO : ANSWER_NEITHER;
}

static uint32_t letters(const char *text, size_t length)
{
  uint32_t set = 0;
  for (size_t i = 0; i < length; i++)
    if (text_is_letter(text[i]))
      set |= 1u << (text_lower(text[i]) - 'a');
  return set;
}

bool answer_choice_readable(const char *said, const char *offered)
{
  for (const char *c = said; *c; c++)
    if (text_is_letter(*c) ? text_find(offered, strlen(offered), text_lower(*c)) == NULL : !separates(*c))
      return false;
  return letters(said, strlen(said)) != 0;
}

bool answer_choice_is(const char *said, const char *right, size_t length)
{
  return letters(said, strlen(said)) == letters(right, length);
}
