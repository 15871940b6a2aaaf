#include "repl/buffer.h"

#include "lib/text.h"

#include <string.h>

#define ESCAPE 0x1b

/* ---- writing */

void buffer_put(struct editor *e, const char *text, size_t length)
{
  if (e->echo && length) {
    e->callbacks.write(e->callbacks.context, text, length);
  }
}

void buffer_write(struct editor *e, const char *text)
{
  buffer_put(e, text, strlen(text));
}

/* How many columns a text takes: all its characters but colours (ESC [ ... letter). */
static size_t columns_of(const char *text)
{
  size_t columns = 0;
  while (*text) {
    if (*text == ESCAPE) {
      while (*text && !text_is_letter(*text)) {
        text++;
      }
      text += *text ? 1 : 0;
      continue;
    }
    columns++;
    text++;
  }
  return columns;
}

/* How much of the line fits beside the prompt. Terminals wrap in the last column, and ^C wants room at the end. */
static size_t window(const struct editor *e)
{
  size_t prompt = columns_of(e->prompt);
  return prompt + 18 > e->columns ? 16 : e->columns - prompt - 2;
}

/* Where the line is to be scrolled to so that the cursor shows: by half a window at a time, so that a long paste redraws seldom. */
static size_t scrolled(const struct editor *e)
{
  size_t width = window(e);
  size_t half = width / 2;
  if ((e->cursor > e->shown || e->shown == 0) && e->cursor <= e->shown + width) {
    return e->shown;
  }
  return e->cursor <= half ? 0 : e->cursor - half;
}

/* Moves right by @p columns without a number for the terminal to get wrong when it is 0. */
static void put_right(struct editor *e, size_t columns)
{
  char text[] = "\x1b[000C";
  if (columns) {
    text[2] = (char)('0' + columns / 100 % 10);
    text[3] = (char)('0' + columns / 10 % 10);
    text[4] = (char)('0' + columns % 10);
    buffer_write(e, text);
  }
}

void buffer_redraw(struct editor *e)
{
  size_t width = window(e);
  e->shown = scrolled(e);
  size_t visible = e->length - e->shown < width ? e->length - e->shown : width;
  buffer_write(e, "\r");
  buffer_write(e, e->prompt);
  buffer_put(e, e->line + e->shown, visible);
  buffer_write(e, "\x1b[K");
  if (e->cursor - e->shown < visible) {
    buffer_write(e, "\r");
    put_right(e, columns_of(e->prompt) + e->cursor - e->shown);
  }
}

/* ---- the line */

void buffer_cursor(struct editor *e, size_t cursor)
{
  size_t before = e->cursor;
  e->cursor = cursor;
  if (scrolled(e) != e->shown) {
    buffer_redraw(e);
  } else if (cursor + 1 == before) {
    buffer_write(e, "\b");
  } else if (cursor == before + 1) {
    buffer_put(e, e->line + before, 1);
  } else if (cursor != before) {
    buffer_write(e, "\r");
    put_right(e, columns_of(e->prompt) + cursor - e->shown);
  }
}

void buffer_insert(struct editor *e, const char *text, size_t length)
{
  if (length > BUFFER_CAPACITY - e->length) {
    return;
  }
  bool at_end = e->cursor == e->length;
  if (!at_end) {
    memmove(e->line + e->cursor + length, e->line + e->cursor, e->length - e->cursor);
  }
  for (size_t i = 0; i < length; i++) {
    e->line[e->cursor + i] = text[i];
  }
  e->length += length;
  e->cursor += length;
  if (!e->echo) {
    return; /* a program is typing: nothing is on the screen that could scroll */
  }
  if (at_end && scrolled(e) == e->shown) {
    buffer_put(e, text, length);
  } else {
    buffer_redraw(e);
  }
}

void buffer_erase(struct editor *e, size_t from, size_t to)
{
  bool last = to == e->length && from + 1 == to && e->cursor == to;
  if (from == to) {
    return;
  }
  memmove(e->line + from, e->line + to, e->length - to);
  e->length -= to - from;
  e->cursor = from;
  if (last && scrolled(e) == e->shown) {
    buffer_write(e, "\b \b");
  } else {
    buffer_redraw(e);
  }
}

void buffer_kill(struct editor *e, size_t from, size_t to)
{
  if (from != to) {
    text_copy(e->killed, sizeof e->killed, e->line + from, to - from);
    buffer_erase(e, from, to);
  }
}

void buffer_line(struct editor *e, const char *text)
{
  e->length = strlen(text) < BUFFER_CAPACITY ? strlen(text) : BUFFER_CAPACITY;
  memcpy(e->line, text, e->length);
  e->cursor = e->length;
  buffer_redraw(e);
}

void buffer_clear(struct editor *e)
{
  e->length = 0;
  e->cursor = 0;
  e->shown = 0;
  e->dropped = 0;
  e->history_at = 0;
  e->searching = false;
  e->ended = false;
}

/* Words: runs of what is not blank, for killing backwards; runs of letters and digits, for moving. */
size_t buffer_blank_word_start(const struct editor *e)
{
  size_t at = e->cursor;
  while (at > 0 && e->line[at - 1] == ' ') {
    at--;
  }
  while (at > 0 && e->line[at - 1] != ' ') {
    at--;
  }
  return at;
}

size_t buffer_word_start(const struct editor *e)
{
  size_t at = e->cursor;
  while (at > 0 && !text_is_name(e->line[at - 1])) {
    at--;
  }
  while (at > 0 && text_is_name(e->line[at - 1])) {
    at--;
  }
  return at;
}

size_t buffer_word_end(const struct editor *e)
{
  size_t at = e->cursor;
  while (at < e->length && !text_is_name(e->line[at])) {
    at++;
  }
  while (at < e->length && text_is_name(e->line[at])) {
    at++;
  }
  return at;
}

void buffer_save(struct editor *e)
{
  text_copy(e->saved, sizeof e->saved, e->line, e->length);
}
