#include "repl/line.h"

#include "repl/value.h"

#include <string.h>

#define HANG 2 /* how much further right a broken line goes on, where nothing else is said */

const char line_red[] = "\x1b[31m", line_yellow[] = "\x1b[33m", line_bold[] = "\x1b[1m", line_plain[] = "\x1b[0m";
static const char green[] = "\x1b[32m", bold_red[] = "\x1b[1;31m";

/* Which values get a colour: by the value itself, or by the key, perhaps only in the elements of one array. */
static const struct paint {
  const char *array, *key, *value, *code;
} paints[] = {
  {NULL, NULL, "stale", line_yellow},  {NULL, NULL, "fresh", green}, {NULL, NULL, "fault", line_red},
  {NULL, NULL, "violation", bold_red}, {NULL, NULL, "pass", green},  {NULL, NULL, "fail", line_red},
  {"diff", "flags", NULL, line_bold},
};

static void begin(struct line *line)
{
  if (line->begun) {
    return;
  }
  line->begun = true;
  line->column = 0;
  line->hang = 0;
  line->hang_set = false;
  line->blanks = line->indent;
}

/* Goes to where the word under way begins: on a line of its own where this one has no room for it. */
static void place_word(struct line *line)
{
  if (line->hang == 0) {
    line->hang = line->blanks + HANG;
  }
  if (line->columns && line->column + line->blanks + line->width > line->columns && line->column > line->hang) {
    out_text(line->out, "\r\n");
    line->column = 0;
    line->blanks = line->hang;
  }
  if (line->hang_set && line->column + line->blanks <= line->columns / 2) {
    line->hang = line->column + line->blanks;
  }
  line->hang_set = false;
  line->column += line->blanks + line->width;
  for (; line->blanks; line->blanks--) {
    out_char(line->out, ' ');
  }
}

static void end_word(struct line *line)
{
  if (line->width) { /* a colour alone takes no room; blanks before it wait for what follows */
    place_word(line);
  }
  out_bytes(line->out, line->word, line->used);
  line->used = 0;
  line->width = 0;
}

static void word_bytes(struct line *line, const char *bytes, size_t length)
{
  if (line->used + length > LINE_WORD_BYTES) {
    end_word(line);
  }
  memcpy(line->word + line->used, bytes, length);
  line->used += length;
}

static void new_line(struct line *line)
{
  end_word(line);
  out_text(line->out, "\r\n");
  line->begun = false;
  line->blanks = 0;
}

void line_char(struct line *line, char c)
{
  if (c == '\n') {
    new_line(line);
    return;
  }
  begin(line);
  if (c == ' ') {
    end_word(line);
    line->blanks++;
    return;
  }
  char shown = (uint8_t)c < 0x20 || (uint8_t)c >= 0x7f ? '?' : c; /* nothing in a record may steer the terminal */
  word_bytes(line, &shown, 1);
  line->width++;
}

void line_text(struct line *line, const char *text)
{
  while (*text) {
    line_char(line, *text++);
  }
}

void line_blanks(struct line *line, size_t count)
{
  while (count--) {
    line_char(line, ' ');
  }
}

void line_end(struct line *line)
{
  if (line->begun) {
    new_line(line);
  }
}

void line_hang(struct line *line)
{
  begin(line);
  line->hang_set = true;
}

void line_code(struct line *line, const char *code)
{
  if (line->color) {
    begin(line);
    word_bytes(line, code, strlen(code));
  }
}

static const char *paint_of(const char *array, const char *key, const char *value)
{
  for (size_t i = 0; i < sizeof paints / sizeof paints[0]; i++) {
    const struct paint *p = &paints[i];
    if ((!p->array || (array && strcmp(p->array, array) == 0)) && (!p->key || (key && strcmp(p->key, key) == 0)) &&
        (!p->value || strcmp(p->value, value) == 0)) {
      return p->code;
    }
  }
  return NULL;
}

void line_value(struct line *line, const struct record_node *node, const char *array)
{
  char digits[VALUE_DIGITS_MAX];
  if (!value_is_plain(node)) {
    for (const struct record_node *child = node->child; child; child = child->next) {
      line_value(line, child, array);
      line_text(line, child->next ? ", " : "");
    }
    return;
  }
  const char *text = value_text(node, digits);
  const char *code = line->color && node->type == RECORD_STRING ? paint_of(array, node->key, text) : NULL;
  if (!code) {
    line_text(line, text);
    return;
  }
  line_code(line, code);
  line_text(line, text);
  line_code(line, line_plain);
}

void line_pair(struct line *line, const char *prefix, const struct record_node *node, size_t width)
{
  size_t length = strlen(prefix) + strlen(node->key) + (prefix[0] ? 1 : 0);
  line_text(line, prefix);
  line_text(line, prefix[0] ? "." : "");
  line_text(line, node->key);
  line_blanks(line, (length < width ? width - length : 0) + 2);
  line_hang(line);
  line_value(line, node, NULL);
  line_end(line);
}
