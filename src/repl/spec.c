#include "repl/spec.h"

#include "lib/format.h"
#include "lib/text.h"

#include <string.h>

static const struct type {
  const char *word;  /* in a spec */
  const char *what;  /* what would be right */
  const char *usage; /* how args_usage shows it; NULL: its name in capitals */
} types[] = {
  [ARG_ADDR] = {"addr", "a linear address such as 0x40000000", NULL},
  [ARG_PHYS] = {"phys", "a frame name such as A, or a physical address", NULL},
  [ARG_NUM] = {"num", "a number", NULL},
  [ARG_COUNT] = {"count", "a number, at least 1", NULL},
  [ARG_ENTRY] = {"entry", "a linear address, perhaps with a level: 0x40000000/PDE", "%s[/LEVEL]"},
  [ARG_PLACE] = {"place", "a linear address, or p: and a physical one", "VA|p:PA"},
  [ARG_SIZE] = {"size", "a page size: 4k, 2m, 4m or 1g", NULL},
  [ARG_FLAGS] = {"flags", "a flag: rw ro user sup g nx x pwt pcd pat a d key=N", NULL},
  [ARG_CHANGE] = {"change", "a change of flags: + or - and one of w u g nx a d pwt pcd pat", "+|-FLAG..."},
  [ARG_WORD] = {"word", "a word", NULL},
  [ARG_CHOICE] = {"", "", NULL},
  [ARG_REST] = {"rest", "the rest of the line", "%s..."},
  [ARG_BLOCK] = {"block", "a block: { commands }", "{ COMMANDS }"},
  [ARG_LITERAL] = {"", "", NULL},
  [ARG_TIMES] = {"times", "a repeat count: x and a number, such as x100", "xN"},
};

/* ---- reading */

bool spec_is_punctuation(const struct spec_item *item)
{
  return item->type == ARG_LITERAL && !text_is_letter(item->name[0]);
}

static uint8_t read_type(const char *word, size_t length)
{
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (types[i].word[0] && text_is(word, length, types[i].word)) {
      return (uint8_t)i;
    }
  }
  return ARG_CHOICE; /* one word alone is a choice of one */
}

static void read_item(const char *word, size_t length, struct spec_item *item)
{
  const char *colon = text_find(word, length, ':');
  const char *type = colon ? colon + 1 : word;
  size_t type_length = length - (size_t)(type - word);
  item->name = word;
  item->name_length = (uint8_t)(colon ? (size_t)(colon - word) : length);
  if (colon) {
    item->type = read_type(type, type_length);
  } else {
    item->type = text_find(word, length, '|') ? ARG_CHOICE : ARG_LITERAL;
  }
  item->choices = type;
  item->choices_length = (uint8_t)type_length;
}

static size_t read_unit_end(const char *spec, size_t at)
{
  bool group = spec[at] == '(';
  while (spec[at] && (group || spec[at] != ' ')) {
    group = group && spec[at] != ')';
    at++;
  }
  return at;
}

/* Reads one word, or a group in parentheses, from @at to @end. */
static void read_unit(const char *text, size_t at, size_t end, struct spec *spec)
{
  bool optional = end - at > 1 && text[end - 1] == '?';
  size_t first = spec->count;
  end -= optional ? 1 : 0;
  if (text[at] == '(') {
    at++;
    end--;
  }
  while (at < end && spec->count < SPEC_ITEMS_MAX) {
    size_t from = text_skip_space(text, at);
    at = from;
    while (at < end && text[at] != ' ') {
      at++;
    }
    if (at > from) {
      struct spec_item *item = &spec->item[spec->count++];
      size_t length = at - from;
      memset(item, 0, sizeof *item);
      item->optional = length > 1 && text[at - 1] == '?';
      read_item(text + from, length - (item->optional ? 1 : 0), item);
    }
  }
  if (spec->count > first) {
    spec->item[first].size = (uint8_t)(spec->count - first);
    spec->item[first].optional = optional;
  }
}

void spec_read(const char *text, struct spec *spec)
{
  spec->count = 0;
  spec->tail = 0;
  for (size_t at = text_skip_space(text, 0); text[at]; at = text_skip_space(text, at)) {
    size_t first = spec->count;
    size_t end = read_unit_end(text, at);
    read_unit(text, at, end, spec);
    if (spec->count > first && !spec->item[first].optional) {
      spec->tail = spec->count;
    }
    at = end;
  }
}

int spec_choice(const struct spec_item *item, const char *word, size_t length)
{
  const char *end = item->choices + item->choices_length;
  int index = 0;
  for (const char *c = item->choices; c < end; index++) {
    const char *from = c;
    while (c < end && *c != '|') {
      c++;
    }
    char choice[32];
    text_copy(choice, sizeof choice, from, (size_t)(c - from));
    if (text_is_anycase(word, length, choice)) {
      return index;
    }
    c += c < end ? 1 : 0;
  }
  return -1;
}

/* ---- telling */

/* "on|off|auto" as "on, off or auto". */
static void describe_choices(const struct spec_item *item, char *buffer, size_t size)
{
  size_t used = 0;
  const char *last = NULL;
  for (size_t i = 0; i < item->choices_length; i++) {
    last = item->choices[i] == '|' ? item->choices + i : last;
  }
  for (size_t i = 0; i < item->choices_length && used + 6 < size; i++) {
    const char *c = item->choices + i;
    const char *text = c == last ? " or " : ", ";
    size_t length = *c == '|' ? strlen(text) : 1;
    memcpy(buffer + used, *c == '|' ? text : c, length);
    used += length;
  }
  buffer[used] = 0;
}

const char *spec_describe(const struct spec_item *item, char *buffer, size_t size)
{
  if (item->type == ARG_CHOICE) {
    describe_choices(item, buffer, size);
  } else if (item->type == ARG_LITERAL) {
    format(buffer, size, "'%.*s'", item->name_length, item->name);
  } else {
    text_copy(buffer, size, types[item->type].what, strlen(types[item->type].what));
  }
  return buffer;
}

char *spec_capitals(const struct spec_item *item, char *buffer, size_t size)
{
  text_copy(buffer, size, item->name, item->name_length);
  for (char *c = buffer; *c; c++) {
    *c = text_upper(*c);
  }
  return buffer;
}

static void usage_item(const struct spec_item *item, char *buffer, size_t size)
{
  char name[32];
  const char *usage = types[item->type].usage;
  if (item->type == ARG_LITERAL || item->type == ARG_CHOICE) {
    text_copy(buffer, size, item->choices, item->choices_length);
  } else {
    spec_capitals(item, name, sizeof name);
    format(buffer, size, usage ? usage : "%s", name);
  }
}

char *spec_usage(const char *text, char *buffer, size_t size)
{
  struct spec spec;
  spec_read(text, &spec);
  size_t used = 0, left = 0; /* left: of the group */
  bool group_optional = false;
  if (size) {
    buffer[0] = 0;
  }
  for (size_t i = 0; i < spec.count && used < size; i++) {
    const struct spec_item *item = &spec.item[i];
    char word[64];
    bool opens = item->size != 0;
    left = opens ? item->size : left;
    group_optional = opens ? item->optional : group_optional;
    usage_item(item, word, sizeof word);
    left--;
    used += (size_t)format(buffer + used, size - used, "%s%s%s%s%s", i ? " " : "", item->optional ? "[" : "", word,
                           item->optional && !opens ? "]" : "", left == 0 && group_optional ? "]" : "");
  }
  return buffer;
}
