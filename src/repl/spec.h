/* A command's argument spec (args.h), taken apart into items, and how its items are named to a person. */
#ifndef REPL_SPEC_H
#define REPL_SPEC_H

#include "repl/args.h"

#define SPEC_ITEMS_MAX 16

struct spec_item {
  const char *name;
  const char *choices; /* CHOICE: "on|off", choices_length long */
  uint8_t name_length, choices_length;
  uint8_t type;  /* enum args_type */
  uint8_t size;  /* how many items the group has that starts here: 1 for a single item, 0 within a group */
  bool optional; /* on the first item of a group: the whole group */
};

struct spec {
  size_t count;
  size_t tail; /* from here on all is optional and may come in any order */
  struct spec_item item[SPEC_ITEMS_MAX];
};

void spec_read(const char *text, struct spec *spec);

/** A literal that is no word: "=". */
bool spec_is_punctuation(const struct spec_item *item);
/** Which of a choice's words @p word is, or -1. */
int spec_choice(const struct spec_item *item, const char *word, size_t length);

/** What would be right for @p item, as the end of a sentence: "a number, at least 1", "on or off". Both return @p buffer. */
const char *spec_describe(const struct spec_item *item, char *buffer, size_t size);
char *spec_capitals(const struct spec_item *item, char *buffer, size_t size);
/** The whole spec as args_usage() shows it. */
char *spec_usage(const char *text, char *buffer, size_t size);

#endif
