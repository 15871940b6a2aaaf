#include "repl/argtype.h"

#include "lib/format.h"
#include "lib/text.h"
#include "paging/edit.h"
#include "repl/expression.h"

#include <string.h>

#define WORD_SHOWN 40
#define COUNT_MAX 0xffffffffu

static const struct {
  const char *word;
  uint8_t shift;
} sizes[] = {{"4k", 12}, {"2m", 21}, {"4m", 22}, {"1g", 30}};

static const struct flag {
  const char *word;
  uint16_t mask;
  bool clears;  /* the word means that the flag is 0 */
  bool offered; /* by completion; the others are short forms */
} flags[] = {
  {"rw", EDIT_RW, false, true},   {"w", EDIT_RW, false, false},   {"ro", EDIT_RW, true, true},    {"r", EDIT_RW, true, false},
  {"user", EDIT_US, false, true}, {"u", EDIT_US, false, false},   {"us", EDIT_US, false, false},  {"sup", EDIT_US, true, true},
  {"s", EDIT_US, true, false},    {"g", EDIT_G, false, true},     {"nx", EDIT_NX, false, true},   {"x", EDIT_NX, true, true},
  {"pwt", EDIT_PWT, false, true}, {"pcd", EDIT_PCD, false, true}, {"pat", EDIT_PAT, false, true}, {"a", EDIT_A, false, true},
  {"d", EDIT_D, false, true},
};
#define FLAGS (sizeof flags / sizeof flags[0])

static const char *const changes_offered[] = {"w", "u", "g", "nx", "a", "d", "pwt", "pcd", "pat"};

/* ---- messages */

static int shown(size_t length)
{
  return (int)(length < WORD_SHOWN ? length : WORD_SHOWN);
}

bool argtype_missing(struct argtype_parser *p, const struct spec_item *item)
{
  char what[128], name[32];
  size_t end = p->at;
  while (end > 0 && text_is_space(p->text[end - 1])) {
    end--;
  }
  size_t at = end ? end + 1 : 0;
  spec_describe(item, what, sizeof what);
  if (item->type == ARG_LITERAL || item->name == item->choices) { /* it has no name */
    return record_usage(p->r, at, "%s is missing", what);
  }
  return record_usage(p->r, at, "%s is missing: %s", spec_capitals(item, name, sizeof name), what);
}

static bool argtype_wrong(struct argtype_parser *p, size_t at, const struct spec_item *item)
{
  char what[128];
  const char *word = p->text + at;
  return record_usage(p->r, at, "'%.*s' is not %s", shown(text_word(word)), word, spec_describe(item, what, sizeof what));
}

void argtype_note(struct argtype_parser *p, const struct spec_item *item)
{
  size_t at = text_skip_space(p->text, p->at);
  if (at != p->tried_at) {
    p->tried = 0;
  }
  p->tried_at = at;
  p->tried |= 1u << (item - p->spec.item);
}

/* ---- expressions */

/* Behind an expression must come white space or something that the spec may have next to it. */
static bool number_ends(struct argtype_parser *p)
{
  char c = p->text[p->at];
  p->behind_number = p->at;
  if (c == 0 || text_is_space(c) || c == '=' || c == '{') {
    return true;
  }
  size_t length = text_word(p->text + p->at);
  if (c == '/') {
    return record_usage(p->r, p->at, "'%.*s': a level is not expected here; to divide, put blanks on both sides of '/'", shown(length),
                        p->text + p->at);
  }
  return record_usage(p->r, p->at, "'%.*s' cannot stand right behind a number", shown(length), p->text + p->at);
}

static bool parse_value(struct argtype_parser *p, struct args_value *v)
{
  return expression_parse(p->text, &p->at, p->names, &v->number, p->r);
}

static bool in_range(struct argtype_parser *p, const struct args_value *v)
{
  if (p->names && p->names->linear_bits == 32 && v->number > 0xffffffffu) {
    return record_usage(p->r, v->at, "0x%llx is out of range: linear addresses have 32 bits in this mode", (unsigned long long)v->number);
  }
  return true;
}

static bool parse_linear(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  (void)item;
  return parse_value(p, v) && number_ends(p) && in_range(p, v);
}

static bool parse_num(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  (void)item;
  return parse_value(p, v) && number_ends(p);
}

static bool skip_physical(struct argtype_parser *p)
{
  bool physical = text_lower(p->text[p->at]) == 'p' && p->text[p->at + 1] == ':';
  p->at += physical ? 2 : 0;
  return physical;
}

static bool parse_phys(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  skip_physical(p);
  return parse_num(p, item, v);
}

static bool at_least_once(struct argtype_parser *p, const struct spec_item *item, const struct args_value *v)
{
  char name[32];
  spec_capitals(item, name, sizeof name);
  if (v->number == 0) {
    return record_usage(p->r, v->at, "%s must be at least 1", name);
  }
  return v->number <= COUNT_MAX || record_usage(p->r, v->at, "%s must be at most %u", name, COUNT_MAX);
}

static bool parse_count(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  return parse_num(p, item, v) && at_least_once(p, item, v);
}

static bool parse_times(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  if (text_lower(p->text[p->at]) != 'x' || !expression_begins(p->text + p->at + 1)) {
    return argtype_wrong(p, p->at, item);
  }
  p->at++;
  return parse_count(p, item, v);
}

static bool parse_level(struct argtype_parser *p, struct args_value *v)
{
  const char *name = p->text + p->at + 1;
  size_t length = 0;
  while (text_is_name(name[length])) {
    length++;
  }
  int level = p->names && p->names->level ? p->names->level(name, length) : -1;
  if (level < 0) {
    return record_usage(p->r, p->at + 1, "'%.*s' is not a level of this mode's page walk", shown(length), name);
  }
  v->number2 = (uint64_t)level + 1;
  p->at += 1 + length;
  return true;
}

static bool parse_entry(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  (void)item;
  if (!parse_value(p, v)) {
    return false;
  }
  if (p->text[p->at] == '/' && text_is_letter(p->text[p->at + 1]) && !parse_level(p, v)) {
    return false;
  }
  return number_ends(p) && in_range(p, v);
}

static bool parse_place(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  v->number2 = skip_physical(p);
  return v->number2 ? parse_num(p, item, v) : parse_linear(p, item, v);
}

/* ---- words */

static bool parse_size(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  const char *word = p->text + p->at;
  size_t length = text_word(word);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    if (text_is_anycase(word, length, sizes[i].word)) {
      v->number = sizes[i].shift;
      p->at += length;
      return true;
    }
  }
  return argtype_wrong(p, p->at, item);
}

static const struct flag *find_flag(const char *word, size_t length)
{
  for (size_t i = 0; i < FLAGS; i++) {
    if (text_is_anycase(word, length, flags[i].word)) {
      return &flags[i];
    }
  }
  return NULL;
}

static bool is_key(const char *word)
{
  return text_lower(word[0]) == 'k' && text_lower(word[1]) == 'e' && text_lower(word[2]) == 'y' && word[3] == '=';
}

static bool is_flag(const char *word)
{
  return is_key(word) || find_flag(word, text_word(word));
}

static bool is_change(const char *word)
{
  return (*word == '+' || *word == '-') && text_is_letter(word[1]);
}

static bool contradicts(struct argtype_parser *p, size_t length)
{
  return record_usage(p->r, p->at, "'%.*s' contradicts a word before it", shown(length), p->text + p->at);
}

static bool parse_key(struct argtype_parser *p, struct args_value *v)
{
  size_t word = p->at;
  p->at += strlen("key=");
  if (!expression_begins(p->text + p->at)) {
    return record_usage(p->r, p->at, "behind key= a protection key from 0 to 15 is missing");
  }
  if (!expression_parse(p->text, &p->at, p->names, &v->number2, p->r) || !number_ends(p)) {
    return false;
  }
  return v->number2 <= 15 || record_usage(p->r, word, "protection keys go from 0 to 15");
}

static bool parse_flags(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  unsigned cleared = 0;
  if (!is_flag(p->text + p->at)) {
    return argtype_wrong(p, p->at, item);
  }
  for (size_t next = p->at; is_flag(p->text + next); next = text_skip_space(p->text, p->at)) {
    p->at = next;
    if (is_key(p->text + next)) {
      if (!parse_key(p, v)) {
        return false;
      }
      continue;
    }
    size_t length = text_word(p->text + next);
    const struct flag *flag = find_flag(p->text + next, length);
    if ((flag->clears ? v->number : cleared) & flag->mask) {
      return contradicts(p, length);
    }
    v->number |= flag->clears ? 0 : flag->mask;
    cleared |= flag->clears ? flag->mask : 0;
    p->at += length;
  }
  v->number |= EDIT_RW & ~cleared; /* a page is read-write unless it is said to be read-only */
  argtype_note(p, item);
  return true;
}

static bool parse_change(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  if (!is_change(p->text + p->at)) {
    return argtype_wrong(p, p->at, item);
  }
  for (size_t next = p->at; is_change(p->text + next); next = text_skip_space(p->text, p->at)) {
    p->at = next;
    const char *word = p->text + next;
    size_t length = text_word(word);
    const struct flag *flag = find_flag(word + 1, length - 1);
    if (!flag) {
      return argtype_wrong(p, next, item);
    }
    bool clears = (*word == '-') != flag->clears;
    if ((clears ? v->number : v->number2) & flag->mask) {
      return contradicts(p, length);
    }
    v->number |= clears ? 0 : flag->mask;
    v->number2 |= clears ? flag->mask : 0;
    p->at += length;
  }
  argtype_note(p, item);
  return true;
}

/* A word ends at white space, and before punctuation that the spec has behind it ("cr0.wp=1"). */
static bool parse_word(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  (void)v;
  const struct spec_item *next = item + 1;
  bool has_next = next < p->spec.item + p->spec.count && spec_is_punctuation(next);
  size_t from = p->at;
  while (p->text[p->at] && !text_is_space(p->text[p->at]) && !(has_next && p->text[p->at] == next->name[0])) {
    p->at++;
  }
  return p->at > from || argtype_missing(p, item);
}

static bool parse_choice(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  size_t length = text_word(p->text + p->at);
  int index = spec_choice(item, p->text + p->at, length);
  if (index < 0) {
    return argtype_wrong(p, p->at, item);
  }
  v->number = (uint64_t)index;
  p->at += length;
  return true;
}

static bool parse_rest(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  (void)item;
  (void)v;
  p->at += strlen(p->text + p->at);
  while (text_is_space(p->text[p->at - 1])) {
    p->at--;
  }
  return true;
}

static bool parse_block(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  size_t open = p->at;
  if (p->text[open] != '{') {
    return argtype_wrong(p, open, item);
  }
  unsigned depth = 0;
  do {
    char c = p->text[p->at];
    if (c == 0) {
      return record_usage(p->r, open, "this '{' has no '}'");
    }
    depth += c == '{' ? 1 : 0;
    depth -= c == '}' ? 1 : 0;
    p->at++;
  } while (depth);
  v->at = (uint16_t)text_skip_space(p->text, open + 1);
  size_t end = p->at - 1;
  while (end > v->at && text_is_space(p->text[end - 1])) {
    end--;
  }
  v->length = (uint16_t)(end > v->at ? end - v->at : 0);
  return true;
}

static bool is_literal(const struct spec_item *item, const char *word)
{
  if (spec_is_punctuation(item)) {
    return strncmp(word, item->name, item->name_length) == 0;
  }
  char name[32];
  text_copy(name, sizeof name, item->name, item->name_length);
  return text_is_anycase(word, text_word(word), name);
}

static bool parse_literal(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  (void)v;
  if (!is_literal(item, p->text + p->at)) {
    return argtype_wrong(p, p->at, item);
  }
  p->at += item->name_length;
  return true;
}

/* ---- by type */

// clang-format off
static bool (*const parsers[])(struct argtype_parser *p, const struct spec_item *item, struct args_value *v) = {
  [ARG_ADDR] = parse_linear,
  [ARG_PHYS] = parse_phys,
  [ARG_NUM] = parse_num,
  [ARG_COUNT] = parse_count,
  [ARG_ENTRY] = parse_entry,
  [ARG_PLACE] = parse_place,
  [ARG_SIZE] = parse_size,
  [ARG_FLAGS] = parse_flags,
  [ARG_CHANGE] = parse_change,
  [ARG_WORD] = parse_word,
  [ARG_CHOICE] = parse_choice,
  [ARG_REST] = parse_rest,
  [ARG_BLOCK] = parse_block,
  [ARG_LITERAL] = parse_literal,
  [ARG_TIMES] = parse_times,
};
// clang-format on

bool argtype_parse(struct argtype_parser *p, const struct spec_item *item, struct args_value *v)
{
  return parsers[item->type](p, item, v);
}

bool argtype_looks_like(const struct argtype_parser *p, const struct spec_item *item)
{
  const char *word = p->text + p->at;
  bool physical = text_lower(word[0]) == 'p' && word[1] == ':';
  switch (item->type) {
  case ARG_LITERAL: return is_literal(item, word);
  case ARG_CHOICE: return spec_choice(item, word, text_word(word)) >= 0;
  case ARG_FLAGS: return is_flag(word);
  case ARG_CHANGE: return is_change(word);
  case ARG_BLOCK: return *word == '{';
  case ARG_TIMES: return text_lower(*word) == 'x' && expression_begins(word + 1);
  case ARG_PHYS:
  case ARG_PLACE: return physical || expression_begins(word);
  case ARG_WORD: return *word != '=' && *word != '{';
  case ARG_REST: return true;
  case ARG_SIZE: return text_is_digit(*word);
  default: return expression_begins(word);
  }
}

/* ---- completion */

static void complete_choices(const struct spec_item *item, args_add add, void *list)
{
  const char *end = item->choices + item->choices_length;
  for (const char *c = item->choices; c < end; c++) {
    const char *from = c;
    while (c < end && *c != '|') {
      c++;
    }
    add(list, from, (size_t)(c - from));
  }
}

static void complete_changes(args_add add, void *list)
{
  for (size_t i = 0; i < 2 * sizeof changes_offered / sizeof changes_offered[0]; i++) {
    char word[8];
    size_t length = (size_t)format(word, sizeof word, "%c%s", "+-"[i & 1], changes_offered[i / 2]);
    add(list, word, length);
  }
}

void argtype_complete(const struct spec_item *item, args_add add, void *list)
{
  switch (item->type) {
  case ARG_LITERAL: add(list, item->name, item->name_length); break;
  case ARG_CHOICE: complete_choices(item, add, list); break;
  case ARG_SIZE:
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
      add(list, sizes[i].word, strlen(sizes[i].word));
    }
    break;
  case ARG_FLAGS:
    for (size_t i = 0; i < FLAGS; i++) {
      if (flags[i].offered) {
        add(list, flags[i].word, strlen(flags[i].word));
      }
    }
    break;
  case ARG_CHANGE: complete_changes(add, list); break;
  default: break;
  }
}
