#include "repl/search.h"

#include "repl/buffer.h"

#include <string.h>

static void search_draw(struct editor *e)
{
  size_t sought = e->search_length < e->columns / 2 ? e->search_length : e->columns / 2; /* what is longer shows its end */
  size_t room = e->columns - 16 - sought;
  size_t visible = e->length < room ? e->length : room;
  buffer_write(e, e->found ? "\r(search) '" : "\r(no such) '");
  buffer_put(e, e->search + e->search_length - sought, sought);
  buffer_write(e, "': ");
  buffer_put(e, e->line, visible);
  buffer_write(e, "\x1b[K");
}

static bool contains(const char *text, const char *part, size_t length)
{
  for (; *text; text++) {
    if (strncmp(text, part, length) == 0) {
      return true;
    }
  }
  return length == 0;
}

/* Looks for a line that is at least @p back lines old. */
static void search_from(struct editor *e, uint32_t back)
{
  e->found = false;
  for (; back <= e->history->lines; back++) {
    const char *line = back ? history_line(e->history, e->history->lines - back) : "";
    if (back && contains(line, e->search, e->search_length)) {
      e->found = true;
      e->search_at = back;
      e->length = strlen(line) < BUFFER_CAPACITY ? strlen(line) : BUFFER_CAPACITY;
      memcpy(e->line, line, e->length);
      e->cursor = e->length;
      break;
    }
  }
  search_draw(e);
}

void search_key(struct editor *e)
{
  buffer_save(e);
  e->searching = true;
  e->found = true;
  e->search_length = 0;
  e->search_at = 0;
  e->shown = 0;
  search_draw(e);
}

static void search_end(struct editor *e)
{
  e->searching = false;
  e->history_at = 0;
  buffer_redraw(e);
}

bool search_feed(struct editor *e, uint8_t byte)
{
  if (byte >= 0x20 && byte < 0x7f) {
    if (e->search_length < sizeof e->search) {
      e->search[e->search_length++] = (char)byte;
    }
    search_from(e, e->search_at ? e->search_at : 1);
    return true;
  }
  switch (byte) {
  case 'R' - '@': search_from(e, e->search_at + 1); return true;
  case 0x08:
  case 0x7f:
    e->search_length -= e->search_length ? 1 : 0;
    search_from(e, 1);
    return true;
  case 'G' - '@':
    search_end(e);
    buffer_line(e, e->saved);
    return true;
  default: search_end(e); return false;
  }
}
