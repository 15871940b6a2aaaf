/* Typed arguments, as a command's row describes them.
 *
 * A spec is words with spaces between:
 *   va:addr          a linear address: an expression                     (required)
 *   pa:phys          a physical address: an expression; frame names (A, M0) stand for their address; a leading "p:" is allowed
 *   n:num  n:count   an expression; count is decimal-sized and at least 1
 *   entry:entry      a linear address with an optional level: VA or VA/PDE
 *   at:place         a linear address, or p:PHYSICAL
 *   n:times          xN: how often, at least once ("x100")
 *   size:size        4k 2m 4m 1g
 *   flags:flags      words of a mapping: rw ro user g nx pwt pcd pat a d key=N; any number of them, as one argument
 *   change:change    words that start with + or -: +w -w +u -nx ...; any number, at least one
 *   name:word        one word
 *   state:on|off     one of these words
 *   text:rest        the rest of the command, untouched
 *   body:block       { ... } with what is inside, untouched
 *   =                this character itself
 *   user             (a bare name) this word itself; args_has() tells whether it was there
 *   ( ... )          a group, in order: "(seg base:num limit:num)"
 * A `?` behind a word or a group makes it optional: "count:count?" "user?" "(seg base:num limit:num?)?". The optional arguments at the
 * end of a spec may come in any order: each word goes to the first one not yet given that it looks like, bare words first. (So `word` and
 * `rest`, which take anything, belong last, and of two numbers the first is the first.) Words of choices, sizes, flags and bare words are
 * taken in capitals and small letters alike. The text that is parsed is one command: who calls has split the line at ';' and '#'. */
#ifndef REPL_ARGS_H
#define REPL_ARGS_H

#include "repl/record.h"

#define ARGS_MAX 12

enum args_type {
  ARG_ADDR,
  ARG_PHYS,
  ARG_NUM,
  ARG_COUNT,
  ARG_ENTRY,
  ARG_PLACE,
  ARG_SIZE,
  ARG_FLAGS,
  ARG_CHANGE,
  ARG_WORD,
  ARG_CHOICE,
  ARG_REST,
  ARG_BLOCK,
  ARG_LITERAL,
  ARG_TIMES,
};

struct args_value {
  const char *name; /* points into the spec, name_length long */
  uint8_t name_length;
  uint8_t type;        /* enum args_type */
  uint16_t at, length; /* where it stands in the command's text */
  uint64_t number;     /* ADDR PHYS NUM COUNT ENTRY PLACE TIMES; SIZE: log2; CHOICE: index; FLAGS: edit_flag mask; CHANGE: mask to set */
  uint64_t number2;    /* ENTRY: level index + 1, or 0 for none named; PLACE: 1 when physical; FLAGS: key; CHANGE: mask to clear */
};

struct args {
  const char *text; /* the command's text, NUL-terminated */
  uint8_t count;
  struct args_value value[ARGS_MAX];
};

/** What the names in an expression stand for. */
struct args_names {
  bool (*variable)(const char *name, size_t length, uint64_t *value);
  bool (*frame)(const char *name, size_t length, uint64_t *physical);
  /** The level of the current format that is called so, or -1. */
  int (*level)(const char *name, size_t length);
  unsigned linear_bits; /* 32, 48 or 57: addresses beyond what the mode can express at all are refused as out of range (32-bit modes) */
};

/** Parses @p text from @p start by @p spec. On a mistake fills @p r as a usage error (the column of the wrong word; what would be right)
 * and returns false. */
bool args_parse(const char *spec, const char *text, size_t start, const struct args_names *names, struct args *args, struct record *r);

/** The value called @p name (for a choice without a name: its words, "on|off"), or NULL when it was left out. For a block, text and length
 * are those of what stands between the braces. */
const struct args_value *args_get(const struct args *args, const char *name);
bool args_has(const struct args *args, const char *name);
/** The number of @p name, or @p otherwise when it was left out. */
uint64_t args_number(const struct args *args, const char *name, uint64_t otherwise);
/** Copies the text of @p name; "" when it was left out. */
const char *args_text(const struct args *args, const char *name, char *buffer, size_t size);

/** The spec as a person reads it: "VA FRAME|PA [FLAGS] [SIZE]". Returns @p buffer. */
char *args_usage(const char *spec, char *buffer, size_t size);

/** Takes a candidate for completion, which is good only during the call. */
typedef void (*args_add)(void *list, const char *candidate, size_t length);

/** For completion: calls @p add for each fixed word (bare words, choices, sizes, flags) that could come next behind @p text, which holds
 * whole words only. */
void args_complete(const char *spec, const char *text, size_t start, args_add add, void *list);

/** Evaluates one expression at @p *at and moves past it. Same error behaviour as args_parse. */
bool args_expression(const char *text, size_t *at, const struct args_names *names, uint64_t *value, struct record *r);

#endif
