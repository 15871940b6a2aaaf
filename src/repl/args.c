#include "repl/args.h"

#include "lib/format.h"
#include "lib/text.h"
#include "repl/argtype.h"
#include "repl/expression.h"

#include <string.h>

#define WORD_SHOWN 40

static const char operators[] = "+-*/%&|^<>";

/* A word that nothing takes. What could have stood there, if anything, is in p->tried. */
static bool too_many(struct argtype_parser *p)
{
  const char *word = p->text + p->at;
  size_t whole = text_word(word);
  int length = (int)(whole < WORD_SHOWN ? whole : WORD_SHOWN);
  char what[128];
  bool behind_number = p->behind_number && text_skip_space(p->text, p->behind_number) == p->at;
  if (behind_number && text_find(operators, sizeof operators - 1, *word)) {
    return record_usage(p->r, p->at, "'%.*s' is not expected here; to calculate, put blanks on both sides of '%c' or on none", length, word,
                        *word);
  }
  uint32_t tried = p->tried_at == p->at ? p->tried : 0;
  if (tried == 0) {
    return record_usage(p->r, p->at, "'%.*s' is one word too many", length, word);
  }
  char list[160];
  size_t used = 0;
  list[0] = 0;
  for (size_t i = 0; i < p->spec.count && used + 1 < sizeof list; i++) {
    if (tried & (1u << i)) {
      int added = format(list + used, sizeof list - used, "%s%s", used ? "; or " : "", spec_describe(&p->spec.item[i], what, sizeof what));
      used += (size_t)added;
    }
  }
  return record_usage(p->r, p->at, "'%.*s' is not expected here; possible is %s", length, word, list);
}

/* ---- the parser */

static struct args_value *find_value(const struct args *args, const char *name, size_t length)
{
  for (size_t i = 0; i < args->count; i++) {
    const struct args_value *v = &args->value[i];
    if (v->name_length == length && memcmp(v->name, name, length) == 0) {
      return (struct args_value *)v;
    }
  }
  return NULL;
}

/* Flags that come in two places are one argument. */
static struct args_value *take_value(struct argtype_parser *p, const struct spec_item *item)
{
  struct args_value *v = find_value(p->args, item->name, item->name_length);
  if (v && item->type != ARG_FLAGS && item->type != ARG_CHANGE) {
    v = NULL;
  }
  if (!v && p->args->count < ARGS_MAX) {
    v = &p->args->value[p->args->count++];
    memset(v, 0, sizeof *v);
    v->name = item->name;
    v->name_length = item->name_length;
    v->type = item->type;
  }
  return v;
}

static bool parse_item(struct argtype_parser *p, const struct spec_item *item)
{
  struct args_value none;
  memset(&none, 0, sizeof none);
  struct args_value *v = spec_is_punctuation(item) ? NULL : take_value(p, item);
  v = v ? v : &none;
  size_t from = p->at;
  v->at = (uint16_t)from;
  if (!argtype_parse(p, item, v)) {
    return false;
  }
  if (item->type != ARG_BLOCK) {
    v->length = (uint16_t)(p->at - from);
  }
  return true;
}

/* Goes to the next word, where @p item could stand. */
static void look_at(struct argtype_parser *p, const struct spec_item *item)
{
  p->at = text_skip_space(p->text, p->at);
  argtype_note(p, item);
}

static bool parse_unit(struct argtype_parser *p, size_t first)
{
  for (size_t i = first; i < first + p->spec.item[first].size; i++) {
    const struct spec_item *item = &p->spec.item[i];
    look_at(p, item);
    if (i > first && item->optional && (p->text[p->at] == 0 || !argtype_looks_like(p, item))) {
      continue;
    }
    if (p->text[p->at] == 0) {
      return argtype_missing(p, item);
    }
    if (!parse_item(p, item)) {
      return false;
    }
  }
  return true;
}

/* Which argument of the tail the next word goes to: bare words first; -1 for none. */
static int choose(struct argtype_parser *p)
{
  int chosen = -1;
  for (size_t i = p->spec.tail; i < p->spec.count; i++) {
    const struct spec_item *item = &p->spec.item[i];
    if (item->size == 0 || (p->used & (1u << i))) {
      continue;
    }
    look_at(p, item);
    if (p->text[p->at] == 0 || !argtype_looks_like(p, item)) {
      continue;
    }
    if (chosen < 0 || (item->type == ARG_LITERAL && p->spec.item[chosen].type != ARG_LITERAL)) {
      chosen = (int)i;
    }
  }
  return chosen;
}

static bool parse_tail(struct argtype_parser *p)
{
  for (;;) {
    int i = choose(p);
    p->at = text_skip_space(p->text, p->at);
    if (p->text[p->at] == 0) {
      return true;
    }
    if (i < 0) {
      return too_many(p);
    }
    const struct spec_item *item = &p->spec.item[i];
    if (item->type != ARG_FLAGS && item->type != ARG_CHANGE) {
      p->used |= 1u << i;
    }
    if (!parse_unit(p, (size_t)i)) {
      return false;
    }
  }
}

static bool parse_all(struct argtype_parser *p)
{
  for (size_t i = 0; i < p->spec.tail; i++) {
    const struct spec_item *item = &p->spec.item[i];
    if (item->size == 0) {
      continue;
    }
    look_at(p, item);
    if (item->optional && !argtype_looks_like(p, item)) {
      continue;
    }
    if (!parse_unit(p, i)) {
      return false;
    }
  }
  return parse_tail(p);
}

static void start_parser(struct argtype_parser *p, const char *spec, const char *text, size_t start, struct args *args)
{
  memset(p, 0, sizeof *p);
  p->text = text;
  p->at = start;
  p->args = args;
  args->text = text;
  args->count = 0;
  spec_read(spec, &p->spec);
}

bool args_parse(const char *spec, const char *text, size_t start, const struct args_names *names, struct args *args, struct record *r)
{
  struct argtype_parser p;
  start_parser(&p, spec, text, start, args);
  p.names = names;
  p.r = r;
  return parse_all(&p);
}

bool args_expression(const char *text, size_t *at, const struct args_names *names, uint64_t *value, struct record *r)
{
  return expression_parse(text, at, names, value, r);
}

/* ---- what was given */

const struct args_value *args_get(const struct args *args, const char *name)
{
  return find_value(args, name, strlen(name));
}

bool args_has(const struct args *args, const char *name)
{
  return args_get(args, name) != NULL;
}

uint64_t args_number(const struct args *args, const char *name, uint64_t otherwise)
{
  const struct args_value *v = args_get(args, name);
  return v ? v->number : otherwise;
}

const char *args_text(const struct args *args, const char *name, char *buffer, size_t size)
{
  const struct args_value *v = args_get(args, name);
  return v ? text_copy(buffer, size, args->text + v->at, v->length) : text_copy(buffer, size, "", 0);
}

/* ---- usage and completion */

char *args_usage(const char *spec, char *buffer, size_t size)
{
  return spec_usage(spec, buffer, size);
}

/* While completing, every name is taken to be right. */
static bool any_value(const char *name, size_t length, uint64_t *value)
{
  (void)name;
  (void)length;
  *value = 0;
  return true;
}

static int any_level(const char *name, size_t length)
{
  (void)name;
  (void)length;
  return 0;
}

void args_complete(const char *spec, const char *text, size_t start, args_add add, void *list)
{
  static const struct args_names any_names = {any_value, any_value, any_level, 64};
  struct args args;
  struct argtype_parser p;
  start_parser(&p, spec, text, start, &args);
  p.names = &any_names;
  parse_all(&p); /* that something is missing is just what is wanted */
  if (text[p.tried_at]) {
    return;
  }
  for (size_t i = 0; i < p.spec.count; i++) {
    if (p.tried & (1u << i)) {
      argtype_complete(&p.spec.item[i], add, list);
    }
  }
}
