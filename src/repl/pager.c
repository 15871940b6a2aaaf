#include "repl/pager.h"

#include "lib/text.h"
#include "machine/console.h"

#include <stdbool.h>
#include <string.h>

static struct {
  size_t lines; /* of a screenful, the last one not counted: there it asks */
  size_t shown;
  bool enough; /* the rest of this output is not wanted */
  bool typed;  /* a byte that is not for us */
  unsigned char byte;
} pager;

static void say(const char *text)
{
  console_write(text, strlen(text));
}

static void stop_asking(void)
{
  pager.lines = 0;
}

/* What is no answer was typed or pasted ahead for the prompt: the output goes on, and the line editor gets it. */
static void ask(void)
{
  say("-- more: Space; Enter: a line; q: enough --");
  int byte = console_read();
  say("\r\x1b[K");
  pager.shown = 0;
  switch (byte) {
  case ' ': break;
  case '\r':
  case '\n': pager.shown = pager.lines - 1; break;
  case 'q':
  case CONSOLE_CTRL_C: pager.enough = true; break;
  case -1: stop_asking(); break;
  default:
    pager.byte = (unsigned char)byte;
    pager.typed = true;
    stop_asking();
  }
}

void pager_begin(size_t lines)
{
  pager.lines = lines ? lines - 1 : 0;
  pager.shown = 1; /* the line that was typed */
  pager.enough = false;
  pager.typed = false;
}

void pager_next(void)
{
  pager.enough = false;
}

void pager_write(const char *text, size_t length)
{
  while (length && !pager.enough) {
    const char *newline = pager.lines ? text_find(text, length, '\n') : NULL;
    size_t part = newline ? (size_t)(newline - text) + 1 : length;
    if (pager.lines && pager.shown >= pager.lines)
      ask();
    if (pager.enough)
      return;
    console_write(text, part);
    pager.shown += newline != NULL;
    text += part;
    length -= part;
  }
}

int pager_end(void)
{
  pager.lines = 0;
  bool typed = pager.typed;
  pager.typed = false;
  return typed ? pager.byte : -1;
}
