#include "repl/editor.h"

#include "lib/text.h"
#include "repl/completion.h"
#include "repl/buffer.h"
#include "repl/search.h"

#include <string.h>

#define ESCAPE 0x1b

/* ---- what keys do */

static void key_home(struct editor *e)
{
  buffer_cursor(e, 0);
}

static void key_end(struct editor *e)
{
  buffer_cursor(e, e->length);
}

static void key_left(struct editor *e)
{
  if (e->cursor > 0) {
    buffer_cursor(e, e->cursor - 1);
  }
}

static void key_right(struct editor *e)
{
  if (e->cursor < e->length) {
    buffer_cursor(e, e->cursor + 1);
  }
}

static void key_word_left(struct editor *e)
{
  buffer_cursor(e, buffer_word_start(e));
}

static void key_word_right(struct editor *e)
{
  buffer_cursor(e, buffer_word_end(e));
}

static void key_erase(struct editor *e)
{
  if (e->cursor > 0) {
    buffer_erase(e, e->cursor - 1, e->cursor);
  }
}

static void key_delete(struct editor *e)
{
  if (e->cursor < e->length) {
    buffer_erase(e, e->cursor, e->cursor + 1);
  }
}

static void key_kill_end(struct editor *e)
{
  buffer_kill(e, e->cursor, e->length);
}

static void key_kill_start(struct editor *e)
{
  buffer_kill(e, 0, e->cursor);
}

static void key_kill_blank_word(struct editor *e)
{
  buffer_kill(e, buffer_blank_word_start(e), e->cursor);
}

static void key_kill_word_left(struct editor *e)
{
  buffer_kill(e, buffer_word_start(e), e->cursor);
}

static void key_kill_word_right(struct editor *e)
{
  buffer_kill(e, e->cursor, buffer_word_end(e));
}

static void key_yank(struct editor *e)
{
  buffer_insert(e, e->killed, strlen(e->killed));
}

static void key_swap(struct editor *e)
{
  if (e->length < 2 || e->cursor == 0) {
    return;
  }
  size_t right = e->cursor == e->length ? e->cursor - 1 : e->cursor;
  char c = e->line[right];
  e->line[right] = e->line[right - 1];
  e->line[right - 1] = c;
  e->cursor = right + 1;
  buffer_redraw(e);
}

static void key_clear_screen(struct editor *e)
{
  buffer_write(e, "\x1b[H\x1b[2J");
  buffer_redraw(e);
}

static void key_up(struct editor *e)
{
  if (e->history_at >= e->history->lines) {
    return;
  }
  if (e->history_at == 0) {
    buffer_save(e);
  }
  e->history_at++;
  buffer_line(e, history_line(e->history, e->history->lines - e->history_at));
}

static void key_down(struct editor *e)
{
  if (e->history_at == 0) {
    return;
  }
  e->history_at--;
  buffer_line(e, e->history_at ? history_line(e->history, e->history->lines - e->history_at) : e->saved);
}

/* ---- keys */

// clang-format off
static const struct {
  uint8_t byte;
  void (*act)(struct editor *e);
} keys[] = {
  {'A' - '@', key_home},     {'B' - '@', key_left},         {'D' - '@', key_delete},     {'E' - '@', key_end},
  {'F' - '@', key_right},    {0x08, key_erase},             {0x7f, key_erase},           {'\t', completion_key},
  {'K' - '@', key_kill_end}, {'L' - '@', key_clear_screen}, {'N' - '@', key_down},       {'P' - '@', key_up},
  {'R' - '@', search_key},   {'T' - '@', key_swap},         {'U' - '@', key_kill_start}, {'W' - '@', key_kill_blank_word},
  {'Y' - '@', key_yank},
};
// clang-format on

/* What follows ESC, in the spellings of xterm, the Linux console, tmux, rxvt and PuTTY. */
// clang-format off
static const struct {
  const char *sequence;
  void (*act)(struct editor *e);
} escapes[] = {
  {"[A", key_up},               {"OA", key_up},               {"[B", key_down},         {"OB", key_down},
  {"[C", key_right},            {"OC", key_right},            {"[D", key_left},         {"OD", key_left},
  {"[H", key_home},             {"OH", key_home},             {"[1~", key_home},        {"[7~", key_home},
  {"[F", key_end},              {"OF", key_end},              {"[4~", key_end},         {"[8~", key_end},
  {"[3~", key_delete},          {"[1;5C", key_word_right},    {"[1;5D", key_word_left}, {"[1;3C", key_word_right},
  {"[1;3D", key_word_left},     {"[5C", key_word_right},      {"[5D", key_word_left},   {"Oc", key_word_right},
  {"Od", key_word_left},        {"f", key_word_right},        {"b", key_word_left},     {"d", key_kill_word_right},
  {"\x7f", key_kill_word_left}, {"\x08", key_kill_word_left},
};
// clang-format on

static void act_escape(struct editor *e)
{
  for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
    if (text_is((const char *)e->escape + 1, e->escape_length - 1u, escapes[i].sequence)) {
      escapes[i].act(e);
      return;
    }
  }
}

/* Whether @p byte is the last one of the sequence that it was just appended to. */
static bool escape_complete(const struct editor *e, uint8_t byte)
{
  bool first = e->escape_length == 2;
  uint8_t kind = e->escape[1];
  if (first) {
    return byte != '[' && byte != 'O';
  }
  if (kind == 'O') {
    return !text_is_digit((char)byte) && byte != ';';
  }
  if (byte == '[' && e->escape_length == 3) { /* the function keys of the Linux console: ESC [ [ A */
    return false;
  }
  return byte >= 0x40 && byte <= 0x7e;
}

/* Takes a byte of an escape sequence; false when the byte has cut the sequence short and means itself. */
static bool feed_escape(struct editor *e, uint8_t byte)
{
  bool erases = byte == 0x08 || byte == 0x7f;
  if (byte == ESCAPE) {
    e->escape_length = 1;
    return true;
  }
  if ((byte < 0x20 || byte == 0x7f) && !(erases && e->escape_length == 1)) {
    e->escape_length = 0;
    return false;
  }
  if (e->escape_length < sizeof e->escape) {
    e->escape[e->escape_length++] = byte;
  }
  if (byte >= 0x80) {
    e->escape_length = 0;
  } else if (escape_complete(e, byte)) {
    if (e->escape_length < sizeof e->escape && e->dropped == 0) {
      act_escape(e);
    }
    e->escape_length = 0;
  }
  return true;
}

static enum editor_event key_enter(struct editor *e)
{
  buffer_write(e, "\r\n");
  e->ended = true;
  if (e->dropped) {
    e->length = 0;
    e->line[0] = 0;
    return EDITOR_TOO_LONG;
  }
  e->line[e->length] = 0;
  return EDITOR_LINE;
}

static enum editor_event key_cancel(struct editor *e)
{
  buffer_cursor(e, e->length);
  buffer_write(e, "^C\r\n");
  buffer_clear(e);
  e->line[0] = 0;
  e->ended = true;
  return EDITOR_CANCEL;
}

static void type_char(struct editor *e, char c)
{
  if (e->dropped) {
    e->dropped++;
  } else if (e->length == BUFFER_CAPACITY) {
    e->dropped = e->length + 1;
  } else {
    buffer_insert(e, &c, 1);
  }
}

/* On a line that is too long already, only what makes it shorter has a meaning. */
static void feed_too_long(struct editor *e, uint8_t byte)
{
  if (byte == 0x08 || byte == 0x7f) {
    e->dropped--;
    e->dropped = e->dropped > BUFFER_CAPACITY ? e->dropped : 0;
  } else if (byte == 'U' - '@') {
    buffer_clear(e);
    buffer_redraw(e);
  }
}

static void feed_key(struct editor *e, uint8_t byte)
{
  if (byte >= 0x20 && byte < 0x7f) {
    type_char(e, (char)byte);
    return;
  }
  if (e->dropped) {
    feed_too_long(e, byte);
    return;
  }
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    if (keys[i].byte == byte) {
      keys[i].act(e);
      return;
    }
  }
}

enum editor_event editor_feed(struct editor *e, uint8_t byte)
{
  bool after_cr = e->last_was_cr;
  e->last_was_cr = byte == '\r';
  if (after_cr && byte == '\n') {
    return EDITOR_MORE;
  }
  if (e->ended) {
    buffer_clear(e);
  }
  if (e->escape_length && feed_escape(e, byte)) {
    return EDITOR_MORE;
  }
  if (e->searching && search_feed(e, byte)) {
    return EDITOR_MORE;
  }
  switch (byte) {
  case ESCAPE:
    e->escape[0] = byte;
    e->escape_length = 1;
    return EDITOR_MORE;
  case '\r':
  case '\n': return key_enter(e);
  case 'C' - '@': return key_cancel(e);
  case 'D' - '@':
    if (e->length == 0 && e->dropped == 0) {
      return EDITOR_EOF;
    }
    break;
  default: break;
  }
  feed_key(e, byte);
  return EDITOR_MORE;
}

void editor_init(struct editor *e, struct editor_history *history, const struct editor_callbacks *callbacks)
{
  memset(e, 0, sizeof *e);
  e->callbacks = *callbacks;
  e->history = history;
  e->prompt = "";
  e->echo = true;
  e->columns = EDITOR_COLUMNS;
}

void editor_prompt(struct editor *e, const char *prompt, size_t columns)
{
  buffer_clear(e);
  e->prompt = prompt;
  e->columns = columns >= EDITOR_COLUMNS_LEAST && columns < EDITOR_COLUMNS_END ? columns : EDITOR_COLUMNS;
  e->callbacks.write(e->callbacks.context, prompt, strlen(prompt));
}
