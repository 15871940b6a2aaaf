#include "repl/editor.h"

#include <string.h>

static const char *next_line(const char *line)
{
  return line + strlen(line) + 1;
}

static void drop_oldest(struct editor_history *history)
{
  uint32_t bytes = (uint32_t)strlen(history->text) + 1;
  memmove(history->text, history->text + bytes, history->used - bytes);
  history->used -= bytes;
  history->lines--;
  history->dropped++;
}

void history_add(struct editor_history *history, const char *line)
{
  size_t bytes = strlen(line) + 1;
  const char *newest = history->lines ? history_line(history, history->lines - 1) : "";
  if (bytes == 1 || bytes > HISTORY_BYTES || strcmp(newest, line) == 0) {
    return;
  }
  while (history->used + bytes > HISTORY_BYTES) {
    drop_oldest(history);
  }
  memcpy(history->text + history->used, line, bytes);
  history->used += (uint32_t)bytes;
  history->lines++;
}

const char *history_line(const struct editor_history *history, uint32_t index)
{
  if (index >= history->lines) {
    return NULL;
  }
  const char *line = history->text;
  while (index--) {
    line = next_line(line);
  }
  return line;
}
