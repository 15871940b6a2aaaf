#include "repl/compare.h"

#include "lib/format.h"
#include "repl/state.h"

#include <string.h>

static struct state_compare *now(void)
{
  return &state_get()->compare;
}

bool compare_active(void)
{
  return now()->active;
}

void compare_stop(void)
{
  now()->active = 0;
}

bool compare_begin(struct record *r, size_t start, size_t end)
{
  static const uint8_t modes[] = {MACHINE_32, MACHINE_PAE, MACHINE_4LEVEL, MACHINE_5LEVEL};
  struct state_compare *c = now();
  enum machine_feature missing;
  if (c->active)
    return record_refuse(r, "a comparison cannot hold another");
  memset(c, 0, sizeof *c);
  for (unsigned i = 0; i < sizeof modes; i++)
    if (machine_mode_supported((enum machine_mode)modes[i], &missing))
      c->mode[c->columns++] = modes[i];
  c->home = (uint8_t)machine_mode();
  c->start = (uint32_t)start;
  c->end = (uint32_t)end;
  c->active = 1;
  return true;
}

void compare_command(void)
{
  struct state_compare *c = now();
  if (c->row < STATE_COMPARE_ROWS)
    c->row++;
}

static const char *text_of(const struct record *r, const char *key)
{
  const struct record_node *node = record_find(&r->root, key);
  return node && node->type == RECORD_STRING ? node->text : NULL;
}

static bool true_of(const struct record *r, const char *key)
{
  const struct record_node *node = record_find(&r->root, key);
  return node && node->type == RECORD_BOOL && node->number;
}

static void summary(const struct record *r, char *text, size_t size)
{
  static const char *const statuses[] = {"ok", "usage", "refused", "fault", "error", "interrupted"};
  const char *outcome = text_of(r, "outcome"), *frame = text_of(r, "frame");
  const struct record_node *fault = record_find(&r->root, "fault");
  const struct record_node *name = fault ? record_find(fault, "name") : NULL, *error = fault ? record_find(fault, "error") : NULL;
  const char *mark = record_find(&r->root, "violation") ? " !" : "";
  if (name && error)
    format(text, size, "%s 0x%x%s%s", name->text, (unsigned)error->number, true_of(r, "spurious") ? " spurious" : "", mark);
  else if (name)
    format(text, size, "%s%s", name->text, mark);
  else if (outcome)
    format(text, size, "%s%s%s%s", outcome, frame ? " " : "", frame ? frame : "", mark);
  else
    format(text, size, "%s", statuses[r->status]);
}

void compare_note(const struct record *r)
{
  struct state_compare *c = now();
  if (c->row > 0)
    summary(r, c->cell[c->column][c->row - 1], sizeof c->cell[0][0]);
}

bool compare_next(unsigned *next)
{
  struct state_compare *c = now();
  c->rows = c->row > c->rows ? c->row : c->rows;
  c->row = 0;
  c->column++;
  if (c->column >= c->columns)
    return false;
  *next = c->mode[c->column];
  return true;
}

/* The script's commands again, for the first column: number @p row, or "" past the end. */
static void command_text(const struct state_compare *c, unsigned row, char *text, size_t size)
{
  const char *at = state_get()->text + c->start, *end = state_get()->text + c->end;
  unsigned depth = 0;
  for (; row > 0 && at < end; at++) {
    depth += *at == '{';
    depth -= *at == '}' && depth > 0;
    row -= *at == ';' && depth == 0;
  }
  while (at < end && *at == ' ')
    at++;
  size_t length = 0;
  while (at + length < end && (depth > 0 || at[length] != ';') && length + 1 < size) {
    depth += at[length] == '{';
    depth -= at[length] == '}' && depth > 0;
    length++;
  }
  memcpy(text, at, length);
  text[length] = '\0';
}

unsigned compare_end(struct record *r)
{
  static const char *const keys[MACHINE_MODES] = {"off", "32", "pae", "4level", "5level"};
  struct state_compare *c = now();
  struct record_node *table = record_array(r, &r->root, "table", NULL);
  for (unsigned row = 0; row < c->rows; row++) {
    char text[64];
    struct record_node *node = record_object(r, table, NULL);
    command_text(c, row, text, sizeof text);
    record_string(r, node, "command", text);
    for (unsigned column = 0; column < c->columns; column++)
      record_string(r, node, keys[c->mode[column]], c->cell[column][row]);
  }
  c->active = 0;
  return c->home;
}
