/* A command is one row. Its parsing, usage, caret, completion, help, docs/commands.md and JSON input all come from the row. */
#ifndef REPL_COMMAND_H
#define REPL_COMMAND_H

#include "repl/args.h"
#include "repl/record.h"

enum command_flag {
  COMMAND_EDITS = 1 << 0,  /* may change paging structures: undo can take it back */
  COMMAND_PAGED = 1 << 1,  /* needs paging: refused in mode off */
  COMMAND_QUIET = 1 << 2,  /* prints no record of its own (repeat) */
  COMMAND_UNDOES = 1 << 3, /* an edit that undo does not take back: undo itself */
  COMMAND_ASIDE = 1 << 4,  /* does nothing to the lab, and is not counted where `why` says how long ago something was */
};

struct command {
  const char *name;
  const char *args;    /* spec, args.h */
  const char *brief;   /* one line, lower case, no full stop */
  const char *example; /* one command line, or several with ";" */
  const char *sdm;     /* the SDM section's title, or NULL */
  const char *text;    /* text template, render.h, or NULL */
  const char *more;    /* further help, a few sentences; or NULL */
  unsigned flags;
  /** Fills the record. Returns true when the command did what it was asked; false after record_refuse() and its like. */
  bool (*run)(const struct args *args, struct record *r);
  /** For `predict`: fills in what run() may come to, and does nothing. NULL where that is no question; edits are planned instead. */
  bool (*predict)(const struct args *args, struct record *r);
};

/** A family of commands: one file, its table at the bottom. */
struct command_family {
  const char *name; /* "see" "edit" "invalidate" "access" ... */
  const char *brief;
  const struct command *commands; /* ends with a row whose name is NULL */
};

/** The one ordered list of families (registry.c); ends with a family whose commands are NULL. */
extern const struct command_family *const command_families[];

/** The command called @p name: the name itself or a prefix that only one command has. NULL otherwise, with the reason in @p r (did you
 * mean; or which ones it could be) as a usage error at column @p at. */
const struct command *command_find(const char *name, size_t length, size_t at, struct record *r);

/** The same in any list of families. */
const struct command *command_search(const struct command_family *const *families, const char *name, size_t length, size_t at,
                                     struct record *r);

/** "map VA FRAME [FLAGS] [SIZE]". Returns @p buffer. */
char *command_usage(const struct command *command, char *buffer, size_t size);

/** What Tab offers at @p cursor of @p line, in the manner of editor_callbacks.complete: names of commands at the start of a command (behind
 * a ';' or a '{' too), then the fixed words that the command's arguments allow there. Returns the command's usage as a hint, or NULL where
 * none is known; it is good until the next call. A spec that is just "command:rest" or "cmd:rest" makes what follows a command again. */
const char *command_complete(const struct command_family *const *families, const char *line, size_t cursor, size_t *start, args_add add,
                             void *list);

#endif
