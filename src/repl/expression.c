#include "repl/expression.h"

#include "lib/text.h"

#include <string.h>

#define DEPTH_MAX 12  /* of parentheses and signs: the kernel's stack is small */
#define WORD_SHOWN 40 /* how much of a wrong word is repeated in a message */

struct expression {
  const char *text;
  size_t at;
  const struct args_names *names;
  struct record *r;
  unsigned depth;  /* of nested operands */
  unsigned parens; /* how many '(' are open */
};

static const struct op {
  const char *sign;
  unsigned rank; /* the higher, the tighter it binds */
} ops[] = {
  {"|", 1}, {"^", 2}, {"&", 3}, {"<<", 4}, {">>", 4}, {"+", 5}, {"-", 5}, {"*", 6}, {"/", 6}, {"%", 6},
};

static const struct {
  char letter;
  unsigned shift;
} suffixes[] = {{'k', 10}, {'m', 20}, {'g', 30}, {'t', 40}};

static size_t name_length(const char *text)
{
  size_t length = 0;
  while (text_is_name(text[length])) {
    length++;
  }
  return length;
}

static int shown(size_t length)
{
  return (int)(length < WORD_SHOWN ? length : WORD_SHOWN);
}

/* ---- numbers */

static int digit_value(char c)
{
  if (text_is_digit(c)) {
    return c - '0';
  }
  c = text_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static bool all_hex(const char *text, size_t length)
{
  for (size_t i = 0; i < length; i++) {
    if (digit_value(text[i]) > 15) {
      return false;
    }
  }
  return length > 0;
}

static unsigned number_base(const char *word, size_t length)
{
  if (length < 2 || word[0] != '0') {
    return 10;
  }
  char c = text_lower(word[1]);
  return c == 'x' ? 16 : c == 'b' ? 2 : 10;
}

/* The binary multiple that a decimal number ends with, as a shift. */
static unsigned number_suffix(const char *word, size_t length)
{
  char last = text_lower(word[length - 1]);
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    if (suffixes[i].letter == last) {
      return suffixes[i].shift;
    }
  }
  return 0;
}

static bool not_a_number(const struct expression *e, const char *word, size_t length)
{
  if (all_hex(word, length)) {
    return record_usage(e->r, e->at, "'%.*s' is not a decimal number; for hexadecimal write 0x%.*s", shown(length), word, shown(length),
                        word);
  }
  return record_usage(e->r, e->at, "'%.*s' is not a number; right are 0x1000, 0b101, 4096, 4k, $name or a frame name", shown(length), word);
}

static bool does_not_fit(const struct expression *e, const char *word, size_t length)
{
  return record_usage(e->r, e->at, "'%.*s' does not fit in 64 bits", shown(length), word);
}

static bool parse_number(struct expression *e, uint64_t *value)
{
  const char *word = e->text + e->at;
  size_t length = name_length(word);
  unsigned base = number_base(word, length);
  unsigned shift = base == 10 ? number_suffix(word, length) : 0;
  size_t end = shift ? length - 1 : length;
  bool any = false;
  uint64_t number = 0;
  for (size_t i = base == 10 ? 0 : 2; i < end; i++) {
    unsigned digit = (unsigned)digit_value(word[i]);
    if (word[i] == '_') {
      continue;
    }
    if (digit >= base) {
      return not_a_number(e, word, length);
    }
    any = true;
    if (number > (UINT64_MAX - digit) / base) {
      return does_not_fit(e, word, length);
    }
    number = number * base + digit;
  }
  if (!any) {
    return not_a_number(e, word, length);
  }
  if (shift && number >> (64 - shift)) {
    return does_not_fit(e, word, length);
  }
  *value = number << shift;
  e->at += length;
  return true;
}

/* ---- names */

static bool parse_variable(struct expression *e, uint64_t *value)
{
  const char *name = e->text + e->at + 1;
  size_t length = name_length(name);
  if (length == 0) {
    return record_usage(e->r, e->at, "'$' needs the name of a variable right behind it");
  }
  if (!e->names || !e->names->variable || !e->names->variable(name, length, value)) {
    return record_usage(e->r, e->at, "there is no variable $%.*s; let %.*s = 0x1000 makes one", shown(length), name, shown(length), name);
  }
  e->at += 1 + length;
  return true;
}

static bool parse_frame(struct expression *e, uint64_t *value)
{
  const char *name = e->text + e->at;
  size_t length = name_length(name);
  if (!e->names || !e->names->frame || !e->names->frame(name, length, value)) {
    return record_usage(e->r, e->at, "there is no frame '%.*s'; frames lists them", shown(length), name);
  }
  e->at += length;
  return true;
}

/* ---- operators */

/* The operator at the next place, if the white space around it makes it one. */
static const struct op *next_op(const struct expression *e, size_t *where)
{
  const char *text = e->text;
  size_t at = text_skip_space(text, e->at);
  *where = at;
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
    size_t length = strlen(ops[i].sign);
    if (strncmp(text + at, ops[i].sign, length) != 0) {
      continue;
    }
    char behind = text[at + length];
    if (e->parens == 0 && at > e->at && behind && !text_is_space(behind)) {
      return NULL;
    }
    if (e->parens == 0 && ops[i].sign[0] == '/' && text_is_letter(behind)) {
      return NULL;
    }
    return &ops[i];
  }
  return NULL;
}

static bool apply(const struct expression *e, const struct op *op, size_t where, uint64_t right, uint64_t *left)
{
  char sign = op->sign[0];
  if ((sign == '/' || sign == '%') && right == 0) {
    return record_usage(e->r, where, "division by zero");
  }
  if ((sign == '<' || sign == '>') && right > 63) {
    return record_usage(e->r, where, "a shift by %llu: 0 to 63 bits are possible", (unsigned long long)right);
  }
  switch (sign) {
  case '|': *left |= right; break;
  case '^': *left ^= right; break;
  case '&': *left &= right; break;
  case '<': *left <<= right; break;
  case '>': *left >>= right; break;
  case '+': *left += right; break;
  case '-': *left -= right; break;
  case '*': *left *= right; break;
  case '/': *left /= right; break;
  case '%': *left %= right; break;
  default: break;
  }
  return true;
}

static bool parse_operand(struct expression *e, const char *behind, uint64_t *value);

static bool parse_binary(struct expression *e, unsigned rank, const char *behind, uint64_t *value)
{
  if (!parse_operand(e, behind, value)) {
    return false;
  }
  for (;;) {
    size_t where;
    const struct op *op = next_op(e, &where);
    if (!op || op->rank < rank) {
      return true;
    }
    e->at = where + strlen(op->sign);
    uint64_t right = 0;
    if (!parse_binary(e, op->rank + 1, op->sign, &right) || !apply(e, op, where, right, value)) {
      return false;
    }
  }
}

static bool parse_parens(struct expression *e, uint64_t *value)
{
  size_t open = e->at++;
  e->parens++;
  if (!parse_binary(e, 1, "(", value)) {
    return false;
  }
  e->parens--;
  size_t at = text_skip_space(e->text, e->at);
  if (e->text[at] == 0) {
    return record_usage(e->r, open, "this '(' has no ')'");
  }
  if (e->text[at] != ')') {
    size_t length = text_word(e->text + at);
    return record_usage(e->r, at, "'%.*s' cannot stand here: an operator or ')' is missing", shown(length), e->text + at);
  }
  e->at = at + 1;
  return true;
}

static bool parse_sign(struct expression *e, uint64_t *value)
{
  char sign = e->text[e->at++];
  if (!parse_operand(e, sign == '-' ? "-" : "~", value)) {
    return false;
  }
  *value = sign == '-' ? 0 - *value : ~*value;
  return true;
}

static bool parse_stray(const struct expression *e, const char *behind)
{
  const char *word = e->text + e->at;
  size_t length = name_length(word);
  if (*word == 0 && behind) {
    return record_usage(e->r, e->at, "a number is missing behind '%s'", behind);
  }
  if (*word == 0) {
    return record_usage(e->r, e->at, "a number is missing");
  }
  return length ? not_a_number(e, word, length) : record_usage(e->r, e->at, "'%c' cannot stand here: a number is missing", *word);
}

static bool parse_operand(struct expression *e, const char *behind, uint64_t *value)
{
  e->at = text_skip_space(e->text, e->at);
  char c = e->text[e->at];
  if (e->depth == DEPTH_MAX) {
    return record_usage(e->r, e->at, "more than %d parentheses and signs in one another", DEPTH_MAX);
  }
  e->depth++;
  bool good;
  if (text_is_digit(c)) {
    good = parse_number(e, value);
  } else if (c == '$') {
    good = parse_variable(e, value);
  } else if (text_is_upper(c)) {
    good = parse_frame(e, value);
  } else if (c == '(') {
    good = parse_parens(e, value);
  } else if (c == '-' || c == '~') {
    good = parse_sign(e, value);
  } else {
    good = parse_stray(e, behind);
  }
  e->depth--;
  return good;
}

bool expression_parse(const char *text, size_t *at, const struct args_names *names, uint64_t *value, struct record *r)
{
  struct expression e = {text, *at, names, r, 0, 0};
  *value = 0;
  bool good = parse_binary(&e, 1, NULL, value);
  *at = e.at;
  return good;
}

bool expression_begins(const char *text)
{
  while (*text == '-' || *text == '~') {
    text++;
  }
  return text_is_digit(*text) || text_is_upper(*text) || *text == '$' || *text == '(';
}
