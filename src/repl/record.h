/* The record: what a command's handler fills in. render.c shows it as text or as one JSON line; handlers
 * print nothing. A record is a small ordered tree in a fixed arena: objects and arrays of strings, hex numbers, counts and
 * truth values. When the arena is full the record says so itself ("truncated": true): nothing is lost in silence. */
#ifndef REPL_RECORD_H
#define REPL_RECORD_H

#include "lib/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_status { STATUS_OK, STATUS_USAGE, STATUS_REFUSED, STATUS_FAULT, STATUS_ERROR, STATUS_INTERRUPTED };

enum record_type { RECORD_OBJECT, RECORD_ARRAY, RECORD_STRING, RECORD_HEX, RECORD_COUNT, RECORD_BOOL };

struct record_node {
  const char *key;  /* NULL for an element of an array */
  uint8_t type;     /* enum record_type */
  uint64_t number;  /* RECORD_HEX, RECORD_COUNT, RECORD_BOOL */
  const char *text; /* RECORD_STRING; for an array: its text template, or NULL for a table with a heading (render.h) */
  struct record_node *child, *last, *next;
};

struct record {
  enum record_status status;
  struct record_node root; /* RECORD_OBJECT; "cmd", "status" and "mode" are not in it: the renderer puts them first */
  char cmd[24];
  const char *text; /* the command's text template for render.h, or NULL */
  bool truncated;
  bool later; /* it is not to be shown: another comes in its place, when what the command runs has ended */
  size_t used;
};

/** Empties the one record there is and gives it back. */
struct record *record_begin(const char *cmd);

/** Each adds a member to @p parent (an object: with @p key; an array: key NULL). Strings are copied. Keys must be literals.
 * Where the arena is full they set record->truncated and give back a node that swallows what is added to it. */
struct record_node *record_object(struct record *r, struct record_node *parent, const char *key);
struct record_node *record_array(struct record *r, struct record_node *parent, const char *key, const char *row_template);
void record_string(struct record *r, struct record_node *parent, const char *key, const char *value);
void record_format(struct record *r, struct record_node *parent, const char *key, const char *fmt, ...)
  __attribute__((format(printf, 4, 5)));
void record_hex(struct record *r, struct record_node *parent, const char *key, uint64_t value);
void record_count(struct record *r, struct record_node *parent, const char *key, uint64_t value);
void record_bool(struct record *r, struct record_node *parent, const char *key, bool value);

/** Gives the count @p key of @p parent, which was added before, another value. */
void record_count_set(struct record_node *parent, const char *key, uint64_t value);

/** The member @p key of object @p parent, or NULL. */
const struct record_node *record_find(const struct record_node *parent, const char *key);

/** Ends a command early: sets the status and the member "reason". Returns false, so that a handler can `return record_refuse(...)`. */
bool record_refuse(struct record *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool record_error(struct record *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** A usage error; @p at is the column in the command's text where the wrong word starts. @p r may be NULL: then nobody wants to know. */
bool record_usage(struct record *r, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
