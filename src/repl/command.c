#include "repl/command.h"

#include "lib/format.h"
#include "lib/text.h"
#include "repl/editor.h"

#include <string.h>

#define NAME_MAX 31 /* names longer than this are not compared for likeness */
#define NEAR 2      /* how many slips of the finger still look like a name */
#define WORD_SHOWN 40

/* ---- going through all commands */

struct each {
  const struct command_family *const *family;
  const struct command *command;
};

static struct each each_begin(const struct command_family *const *families)
{
  struct each each = {families, NULL};
  return each;
}

static const struct command *each_next(struct each *each)
{
  while (*each->family && (*each->family)->commands) {
    each->command = each->command ? each->command + 1 : (*each->family)->commands;
    if (each->command->name) {
      return each->command;
    }
    each->family++;
    each->command = NULL;
  }
  return NULL;
}

static bool begins_with(const char *name, const char *prefix, size_t length)
{
  return name[0] == prefix[0] && strncmp(name, prefix, length) == 0;
}

/* ---- did you mean */

static unsigned least(unsigned a, unsigned b)
{
  return a < b ? a : b;
}

/* Damerau-Levenshtein distance (of neighbours swapped once): how many characters were added, left out, changed or swapped. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
  uint8_t rows[3][NAME_MAX + 1];
  uint8_t *before = rows[0], *above = rows[1], *row = rows[2];
  if (a_length > NAME_MAX || b_length > NAME_MAX) {
    return NAME_MAX;
  }
  for (size_t j = 0; j <= b_length; j++) {
    row[j] = (uint8_t)j;
  }
  for (size_t i = 1; i <= a_length; i++) {
    uint8_t *oldest = before;
    before = above;
    above = row;
    row = oldest;
    row[0] = (uint8_t)i;
    for (size_t j = 1; j <= b_length; j++) {
      char x = text_lower(a[i - 1]), y = text_lower(b[j - 1]);
      unsigned best = least(least(above[j] + 1u, row[j - 1] + 1u), above[j - 1] + (x == y ? 0u : 1u));
      if (i > 1 && j > 1 && x == text_lower(b[j - 2]) && y == text_lower(a[i - 2])) {
        best = least(best, before[j - 2] + 1u);
      }
      row[j] = (uint8_t)best;
    }
  }
  return row[b_length];
}

/* The command that looks most like @p name; a name of two letters looks like nothing when both are wrong. */
static const struct command *nearest(const struct command_family *const *families, const char *name, size_t length)
{
  const struct command *found = NULL;
  unsigned best = length > NEAR ? NEAR + 1 : (unsigned)length;
  struct each each = each_begin(families);
  for (const struct command *c; (c = each_next(&each));) {
    unsigned d = distance(name, length, c->name, strlen(c->name));
    if (d < best) {
      best = d;
      found = c;
    }
  }
  return found;
}

/* ---- finding */

static bool unknown(const struct command_family *const *families, const char *name, size_t length, size_t at, struct record *r)
{
  const struct command *near = nearest(families, name, length);
  int shown = (int)(length < WORD_SHOWN ? length : WORD_SHOWN);
  if (near) {
    return record_usage(r, at, "no command '%.*s'; did you mean '%s'?", shown, name, near->name);
  }
  return record_usage(r, at, "no command '%.*s'; help lists them all", shown, name);
}

static bool ambiguous(const struct command_family *const *families, const char *name, size_t length, size_t at, struct record *r)
{
  char names[160];
  size_t used = 0;
  struct each each = each_begin(families);
  names[0] = 0;
  for (const struct command *c; (c = each_next(&each)) && used < sizeof names;) {
    if (begins_with(c->name, name, length)) {
      used += (size_t)format(names + used, sizeof names - used, "%s%s", used ? ", " : "", c->name);
    }
  }
  return record_usage(r, at, "'%.*s' could be %s", (int)length, name, names);
}

const struct command *command_search(const struct command_family *const *families, const char *name, size_t length, size_t at,
                                     struct record *r)
{
  const struct command *found = NULL;
  unsigned count = 0;
  struct each each = each_begin(families);
  for (const struct command *c; (c = each_next(&each));) {
    if (text_is(name, length, c->name)) {
      return c;
    }
    if (length && begins_with(c->name, name, length)) {
      found = c;
      count++;
    }
  }
  if (count == 1) {
    return found;
  }
  if (count == 0) {
    unknown(families, name, length, at, r);
  } else {
    ambiguous(families, name, length, at, r);
  }
  return NULL;
}

const struct command *command_find(const char *name, size_t length, size_t at, struct record *r)
{
  return command_search(command_families, name, length, at, r);
}

char *command_usage(const struct command *command, char *buffer, size_t size)
{
  char arguments[160];
  args_usage(command->args ? command->args : "", arguments, sizeof arguments);
  format(buffer, size, "%s%s%s", command->name, arguments[0] ? " " : "", arguments);
  return buffer;
}

/* ---- completion */

/* Hands on the candidates that begin with what was typed. */
struct filter {
  const char *typed;
  size_t length;
  args_add add;
  void *list;
};

static void filter_add(void *context, const char *candidate, size_t length)
{
  const struct filter *filter = context;
  if (length >= filter->length && memcmp(candidate, filter->typed, filter->length) == 0) {
    filter->add(filter->list, candidate, length);
  }
}

/* Where the command begins in which the cursor stands. */
static size_t command_start(const char *line, size_t cursor)
{
  size_t start = 0;
  for (size_t i = 0; i < cursor; i++) {
    if (line[i] == ';' || line[i] == '{' || line[i] == '}') {
      start = i + 1;
    }
  }
  return text_skip_space(line, start);
}

static void complete_name(const struct command_family *const *families, struct filter *filter)
{
  struct each each = each_begin(families);
  for (const struct command *c; (c = each_next(&each));) {
    filter_add(filter, c->name, strlen(c->name));
  }
}

static bool takes_command(const struct command *command)
{
  return command->args && (strcmp(command->args, "command:rest") == 0 || strcmp(command->args, "cmd:rest") == 0);
}

const char *command_complete(const struct command_family *const *families, const char *line, size_t cursor, size_t *start, args_add add,
                             void *list)
{
  static char usage[192];
  char words[EDITOR_LINE_MAX];
  if (cursor >= sizeof words || text_find(line, cursor, '#')) {
    return NULL;
  }
  text_copy(words, sizeof words, line, cursor);
  size_t word = cursor;
  while (word > 0 && !text_is_space(words[word - 1]) && words[word - 1] != ';' && words[word - 1] != '{' && words[word - 1] != '}') {
    word--;
  }
  *start = word;
  struct filter filter = {line + word, cursor - word, add, list};
  size_t name = command_start(words, cursor);
  words[word] = 0; /* what is before the word at the cursor */
  const struct command *command = NULL;
  while (name < word) {
    size_t length = text_word(words + name);
    command = command_search(families, words + name, length, name, NULL);
    if (!command) {
      return NULL;
    }
    name += length;
    if (!takes_command(command)) {
      args_complete(command->args ? command->args : "", words, name, filter_add, &filter);
      return command_usage(command, usage, sizeof usage);
    }
    name = text_skip_space(words, name);
  }
  complete_name(families, &filter);
  return command ? command_usage(command, usage, sizeof usage) : NULL;
}
