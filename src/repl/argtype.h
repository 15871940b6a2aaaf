/* What each type of argument looks like, how it is parsed, and what completion offers for it. Only args.c uses this. */
#ifndef REPL_ARGTYPE_H
#define REPL_ARGTYPE_H

#include "repl/spec.h"

struct argtype_parser {
  const char *text;
  size_t at;
  const struct args_names *names;
  struct args *args;
  struct record *r;
  struct spec spec;
  uint32_t used;  /* which items of the tail were given */
  uint32_t tried; /* which items could stand at tried_at, the furthest place looked at */
  size_t tried_at;
  size_t behind_number; /* where an expression ended last */
};

/** Whether the word at p->at looks like @p item at all. */
bool argtype_looks_like(const struct argtype_parser *p, const struct spec_item *item);
/** Parses @p item at p->at, where some word is, into @p v. */
bool argtype_parse(struct argtype_parser *p, const struct spec_item *item, struct args_value *v);
/** Remembers that @p item could stand at the next word. */
void argtype_note(struct argtype_parser *p, const struct spec_item *item);
/** The usage error for an argument that was left out; returns false. */
bool argtype_missing(struct argtype_parser *p, const struct spec_item *item);
/** Offers the fixed words of @p item. */
void argtype_complete(const struct spec_item *item, args_add add, void *list);

#endif
