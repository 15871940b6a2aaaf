#include "repl/record.h"

#include "lib/format.h"
#include "lib/text.h"

#include <string.h>

#define ARENA_BYTES (192u * 1024u)
/* The last part of the arena is for direct members of the root only, so that the totals a command adds at its end survive a list
 * that was too long. */
#define ROOT_BYTES (4u * 1024u)
#define REASON_BYTES 512

static _Alignas(16) uint8_t arena[ARENA_BYTES];
static struct record the_record;
/* What does not fit is added to this node, which is in no tree. */
static struct record_node swallower;
/* A reason must always fit, so it has memory of its own. */
static struct record_node reason_node, at_node;
static char reason_text[REASON_BYTES];

struct record *record_begin(const char *cmd)
{
  struct record *r = &the_record;
  memset(r, 0, sizeof *r);
  memset(&swallower, 0, sizeof swallower);
  r->root.type = RECORD_OBJECT;
  text_copy(r->cmd, sizeof r->cmd, cmd, strlen(cmd));
  return r;
}

static size_t room_for(const struct record *r, const struct record_node *parent)
{
  size_t limit = parent == &r->root ? ARENA_BYTES : ARENA_BYTES - ROOT_BYTES;
  return parent == &swallower || r->used >= limit ? 0 : limit - r->used;
}

static void *take(struct record *r, const struct record_node *parent, size_t bytes)
{
  size_t whole = (bytes + 7) & ~(size_t)7;
  if (whole > room_for(r, parent)) {
    r->truncated = true;
    return NULL;
  }
  void *taken = arena + r->used;
  r->used += whole;
  return taken;
}

static void append(struct record_node *parent, struct record_node *node)
{
  if (parent->last) {
    parent->last->next = node;
  } else {
    parent->child = node;
  }
  parent->last = node;
}

static struct record_node *add(struct record *r, struct record_node *parent, const char *key, enum record_type type)
{
  struct record_node *node = take(r, parent, sizeof *node);
  if (!node) {
    return &swallower;
  }
  memset(node, 0, sizeof *node);
  node->key = key;
  node->type = (uint8_t)type;
  append(parent, node);
  return node;
}

struct record_node *record_object(struct record *r, struct record_node *parent, const char *key)
{
  return add(r, parent, key, RECORD_OBJECT);
}

struct record_node *record_array(struct record *r, struct record_node *parent, const char *key, const char *row_template)
{
  struct record_node *node = add(r, parent, key, RECORD_ARRAY);
  node->text = row_template;
  return node;
}

static void add_text(struct record *r, struct record_node *parent, const char *key, const char *text)
{
  add(r, parent, key, RECORD_STRING)->text = text;
}

void record_string(struct record *r, struct record_node *parent, const char *key, const char *value)
{
  const char *source = value ? value : "";
  size_t bytes = strlen(source) + 1;
  char *text = take(r, parent, bytes);
  if (text) {
    memcpy(text, source, bytes);
    add_text(r, parent, key, text);
  }
}

void record_format(struct record *r, struct record_node *parent, const char *key, const char *fmt, ...)
{
  size_t room = room_for(r, parent);
  char *text = (char *)arena + r->used;
  va_list ap;
  va_start(ap, fmt);
  int length = room ? format_args(text, room, fmt, ap) : -1;
  va_end(ap);
  if (length < 0 || (size_t)length >= room) {
    r->truncated = true;
    return;
  }
  if (take(r, parent, (size_t)length + 1)) {
    add_text(r, parent, key, text);
  }
}

void record_hex(struct record *r, struct record_node *parent, const char *key, uint64_t value)
{
  add(r, parent, key, RECORD_HEX)->number = value;
}

void record_count(struct record *r, struct record_node *parent, const char *key, uint64_t value)
{
  add(r, parent, key, RECORD_COUNT)->number = value;
}

void record_bool(struct record *r, struct record_node *parent, const char *key, bool value)
{
  add(r, parent, key, RECORD_BOOL)->number = value;
}

void record_count_set(struct record_node *parent, const char *key, uint64_t value)
{
  for (struct record_node *node = parent->child; node; node = node->next)
    if (strcmp(node->key, key) == 0)
      node->number = value;
}

const struct record_node *record_find(const struct record_node *parent, const char *key)
{
  for (const struct record_node *node = parent->child; node; node = node->next) {
    if (node->key == key || (node->key && strcmp(node->key, key) == 0)) {
      return node;
    }
  }
  return NULL;
}

/* Puts one of the two static nodes into the root, where it may already be: the last reason given is the one that counts. */
static void set_static(struct record *r, struct record_node *node, const char *key, enum record_type type, uint64_t number,
                       const char *text)
{
  if (record_find(&r->root, key) != node) {
    memset(node, 0, sizeof *node);
    append(&r->root, node);
  }
  node->key = key;
  node->type = (uint8_t)type;
  node->number = number;
  node->text = text;
}

static bool end_early(struct record *r, enum record_status status, const char *fmt, va_list ap)
{
  r->status = status;
  int length = format_args(reason_text, sizeof reason_text, fmt, ap);
  if (length >= (int)sizeof reason_text) {
    r->truncated = true;
  }
  set_static(r, &reason_node, "reason", RECORD_STRING, 0, reason_text);
  return false;
}

bool record_refuse(struct record *r, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  end_early(r, STATUS_REFUSED, fmt, ap);
  va_end(ap);
  return false;
}

bool record_error(struct record *r, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  end_early(r, STATUS_ERROR, fmt, ap);
  va_end(ap);
  return false;
}

bool record_usage(struct record *r, size_t at, const char *fmt, ...)
{
  if (!r) {
    return false;
  }
  va_list ap;
  va_start(ap, fmt);
  set_static(r, &at_node, "at", RECORD_COUNT, at, NULL);
  end_early(r, STATUS_USAGE, fmt, ap);
  va_end(ap);
  return false;
}
