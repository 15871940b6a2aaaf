#include "repl/completion.h"

#include "lib/text.h"
#include "repl/buffer.h"

#include <string.h>

#define COMMON_MAX 64 /* of what candidates have in common */

struct candidates {
  size_t count;
  size_t common; /* length of what all begin with */
  char text[COMMON_MAX];
};

static void candidates_add(void *list, const char *candidate, size_t length)
{
  struct candidates *c = list;
  size_t same = 0;
  if (c->count++ == 0) {
    text_copy(c->text, sizeof c->text, candidate, length);
    c->common = strlen(c->text);
    return;
  }
  while (same < c->common && same < length && c->text[same] == candidate[same]) {
    same++;
  }
  c->common = same;
}

struct listing {
  struct editor *editor;
  size_t column;
};

static void listing_add(void *list, const char *candidate, size_t length)
{
  struct listing *l = list;
  if (l->column && l->column + 2 + length >= l->editor->columns) {
    buffer_write(l->editor, "\r\n");
    l->column = 0;
  }
  if (l->column) {
    buffer_write(l->editor, "  ");
    l->column += 2;
  }
  buffer_put(l->editor, candidate, length);
  l->column += length;
}

static const char *ask_candidates(struct editor *e, size_t *start, editor_add add, void *list)
{
  *start = e->cursor;
  e->line[e->length] = 0;
  return e->callbacks.complete(e->callbacks.context, e->line, e->cursor, start, add, list);
}

static void list_candidates(struct editor *e)
{
  struct listing listing = {e, 0};
  size_t start;
  buffer_write(e, "\r\n");
  ask_candidates(e, &start, listing_add, &listing);
  buffer_write(e, "\r\n");
  buffer_redraw(e);
}

static void show_hint(struct editor *e, const char *hint)
{
  buffer_write(e, "\r\n  ");
  buffer_write(e, hint);
  buffer_write(e, "\r\n");
  buffer_redraw(e);
}

void completion_key(struct editor *e)
{
  if (!e->echo || !e->callbacks.complete) {
    buffer_insert(e, " ", 1);
    return;
  }
  struct candidates found;
  memset(&found, 0, sizeof found);
  size_t start;
  const char *hint = ask_candidates(e, &start, candidates_add, &found);
  size_t typed = e->cursor - start;
  if (found.count == 0) {
    if (hint) {
      show_hint(e, hint);
    }
    return;
  }
  if (found.common > typed) {
    buffer_insert(e, found.text + typed, found.common - typed);
  } else if (found.count > 1) {
    list_candidates(e);
  }
  if (found.count == 1) {
    buffer_insert(e, " ", 1);
  }
}
