#include "repl/editor.h"

#include "lib/text.h"

#include <string.h>

#define ESCAPE 0x1b
#define CAPACITY (EDITOR_LINE_MAX - 1)
#define COMMON_MAX 64 /* of what candidates for completion have in common */

/* ---- writing */

static void put(struct editor *e, const char *text, size_t length)
{
  if (e->echo && length) {
    e->callbacks.write(e->callbacks.context, text, length);
  }
}

static void put_text(struct editor *e, const char *text)
{
  put(e, text, strlen(text));
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
  return prompt + 18 > EDITOR_COLUMNS ? 16 : EDITOR_COLUMNS - prompt - 2;
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
  char text[] = "\x1b[00C";
  if (columns) {
    text[2] = (char)('0' + columns / 10 % 10);
    text[3] = (char)('0' + columns % 10);
    put_text(e, text);
  }
}

static void redraw(struct editor *e)
{
  size_t width = window(e);
  e->shown = scrolled(e);
  size_t visible = e->length - e->shown < width ? e->length - e->shown : width;
  put_text(e, "\r");
  put_text(e, e->prompt);
  put(e, e->line + e->shown, visible);
  put_text(e, "\x1b[K");
  if (e->cursor - e->shown < visible) {
    put_text(e, "\r");
    put_right(e, columns_of(e->prompt) + e->cursor - e->shown);
  }
}

/* ---- the line */

static void set_cursor(struct editor *e, size_t cursor)
{
  size_t before = e->cursor;
  e->cursor = cursor;
  if (scrolled(e) != e->shown) {
    redraw(e);
  } else if (cursor + 1 == before) {
    put_text(e, "\b");
  } else if (cursor == before + 1) {
    put(e, e->line + before, 1);
  } else if (cursor != before) {
    put_text(e, "\r");
    put_right(e, columns_of(e->prompt) + cursor - e->shown);
  }
}

static void insert(struct editor *e, const char *text, size_t length)
{
  if (length > CAPACITY - e->length) {
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
    put(e, text, length);
  } else {
    redraw(e);
  }
}

static void erase(struct editor *e, size_t from, size_t to)
{
  bool last = to == e->length && from + 1 == to && e->cursor == to;
  if (from == to) {
    return;
  }
  memmove(e->line + from, e->line + to, e->length - to);
  e->length -= to - from;
  e->cursor = from;
  if (last && scrolled(e) == e->shown) {
    put_text(e, "\b \b");
  } else {
    redraw(e);
  }
}

static void kill(struct editor *e, size_t from, size_t to)
{
  if (from != to) {
    text_copy(e->killed, sizeof e->killed, e->line + from, to - from);
    erase(e, from, to);
  }
}

static void set_line(struct editor *e, const char *text)
{
  e->length = strlen(text) < CAPACITY ? strlen(text) : CAPACITY;
  memcpy(e->line, text, e->length);
  e->cursor = e->length;
  redraw(e);
}

static void clear_line(struct editor *e)
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
static size_t blank_word_start(const struct editor *e)
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

static size_t word_start(const struct editor *e)
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

static size_t word_end(const struct editor *e)
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

/* ---- what keys do */

static void key_home(struct editor *e)
{
  set_cursor(e, 0);
}

static void key_end(struct editor *e)
{
  set_cursor(e, e->length);
}

static void key_left(struct editor *e)
{
  if (e->cursor > 0) {
    set_cursor(e, e->cursor - 1);
  }
}

static void key_right(struct editor *e)
{
  if (e->cursor < e->length) {
    set_cursor(e, e->cursor + 1);
  }
}

static void key_word_left(struct editor *e)
{
  set_cursor(e, word_start(e));
}

static void key_word_right(struct editor *e)
{
  set_cursor(e, word_end(e));
}

static void key_erase(struct editor *e)
{
  if (e->cursor > 0) {
    erase(e, e->cursor - 1, e->cursor);
  }
}

static void key_delete(struct editor *e)
{
  if (e->cursor < e->length) {
    erase(e, e->cursor, e->cursor + 1);
  }
}

static void key_kill_end(struct editor *e)
{
  kill(e, e->cursor, e->length);
}

static void key_kill_start(struct editor *e)
{
  kill(e, 0, e->cursor);
}

static void key_kill_blank_word(struct editor *e)
{
  kill(e, blank_word_start(e), e->cursor);
}

static void key_kill_word_left(struct editor *e)
{
  kill(e, word_start(e), e->cursor);
}

static void key_kill_word_right(struct editor *e)
{
  kill(e, e->cursor, word_end(e));
}

static void key_yank(struct editor *e)
{
  insert(e, e->killed, strlen(e->killed));
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
  redraw(e);
}

static void key_clear_screen(struct editor *e)
{
  put_text(e, "\x1b[H\x1b[2J");
  redraw(e);
}

static void save_line(struct editor *e)
{
  text_copy(e->saved, sizeof e->saved, e->line, e->length);
}

static void key_up(struct editor *e)
{
  if (e->history_at >= e->history->lines) {
    return;
  }
  if (e->history_at == 0) {
    save_line(e);
  }
  e->history_at++;
  set_line(e, history_line(e->history, e->history->lines - e->history_at));
}

static void key_down(struct editor *e)
{
  if (e->history_at == 0) {
    return;
  }
  e->history_at--;
  set_line(e, e->history_at ? history_line(e->history, e->history->lines - e->history_at) : e->saved);
}

/* ---- completion */

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
  if (l->column && l->column + 2 + length >= EDITOR_COLUMNS) {
    put_text(l->editor, "\r\n");
    l->column = 0;
  }
  if (l->column) {
    put_text(l->editor, "  ");
    l->column += 2;
  }
  put(l->editor, candidate, length);
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
  put_text(e, "\r\n");
  ask_candidates(e, &start, listing_add, &listing);
  put_text(e, "\r\n");
  redraw(e);
}

static void show_hint(struct editor *e, const char *hint)
{
  put_text(e, "\r\n  ");
  put_text(e, hint);
  put_text(e, "\r\n");
  redraw(e);
}

static void key_tab(struct editor *e)
{
  if (!e->echo || !e->callbacks.complete) {
    insert(e, " ", 1);
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
    insert(e, found.text + typed, found.common - typed);
  } else if (found.count > 1) {
    list_candidates(e);
  }
  if (found.count == 1) {
    insert(e, " ", 1);
  }
}

/* ---- incremental search backwards */

static void search_draw(struct editor *e)
{
  size_t room = EDITOR_COLUMNS - 16 - e->search_length;
  size_t visible = e->length < room ? e->length : room;
  put_text(e, e->found ? "\r(search) '" : "\r(no such) '");
  put(e, e->search, e->search_length);
  put_text(e, "': ");
  put(e, e->line, visible);
  put_text(e, "\x1b[K");
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
      e->length = strlen(line) < CAPACITY ? strlen(line) : CAPACITY;
      memcpy(e->line, line, e->length);
      e->cursor = e->length;
      break;
    }
  }
  search_draw(e);
}

static void key_search(struct editor *e)
{
  save_line(e);
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
  redraw(e);
}

/* Returns false when the key ends the search and is to be acted on. */
static bool search_feed(struct editor *e, uint8_t byte)
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
    set_line(e, e->saved);
    return true;
  default: search_end(e); return false;
  }
}

/* ---- keys */

// clang-format off
static const struct {
  uint8_t byte;
  void (*act)(struct editor *e);
} keys[] = {
  {'A' - '@', key_home},     {'B' - '@', key_left},         {'D' - '@', key_delete},     {'E' - '@', key_end},
  {'F' - '@', key_right},    {0x08, key_erase},             {0x7f, key_erase},           {'\t', key_tab},
  {'K' - '@', key_kill_end}, {'L' - '@', key_clear_screen}, {'N' - '@', key_down},       {'P' - '@', key_up},
  {'R' - '@', key_search},   {'T' - '@', key_swap},         {'U' - '@', key_kill_start}, {'W' - '@', key_kill_blank_word},
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
  put_text(e, "\r\n");
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
  set_cursor(e, e->length);
  put_text(e, "^C\r\n");
  clear_line(e);
  e->line[0] = 0;
  e->ended = true;
  return EDITOR_CANCEL;
}

static void type_char(struct editor *e, char c)
{
  if (e->dropped) {
    e->dropped++;
  } else if (e->length == CAPACITY) {
    e->dropped = e->length + 1;
  } else {
    insert(e, &c, 1);
  }
}

/* On a line that is too long already, only what makes it shorter has a meaning. */
static void feed_too_long(struct editor *e, uint8_t byte)
{
  if (byte == 0x08 || byte == 0x7f) {
    e->dropped--;
    e->dropped = e->dropped > CAPACITY ? e->dropped : 0;
  } else if (byte == 'U' - '@') {
    clear_line(e);
    redraw(e);
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
    clear_line(e);
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
}

void editor_prompt(struct editor *e, const char *prompt)
{
  clear_line(e);
  e->prompt = prompt;
  e->callbacks.write(e->callbacks.context, prompt, strlen(prompt));
}
