#include "repl/lesson_text.h"

#include "lib/text.h"
#include "machine/lessons.h"

#include <string.h>

#define COUNT_BYTES 4  /* "016\n" */
#define OFFSET_BYTES 8 /* "0012345\n" */

unsigned lesson_text_number(const char *text)
{
  unsigned number = 0;
  while (text_is_digit(*text))
    number = number * 10 + (unsigned)(*text++ - '0');
  return number;
}

unsigned lesson_text_count(void)
{
  return lesson_text_number(machine_lessons);
}

const char *lesson_text_lesson(unsigned index)
{
  if (index >= lesson_text_count())
    return NULL;
  return machine_lessons + lesson_text_number(machine_lessons + COUNT_BYTES + OFFSET_BYTES * index);
}

/* The line at @p at, whatever it is; NULL at the end of everything, else where the next one begins. */
static const char *read_line(const char *at, struct lesson_line *line)
{
  if (*at == '\0')
    return NULL;
  line->tag = *at++;
  if (*at == ' ')
    at++;
  line->text = at;
  while (*at != '\0' && *at != '\n')
    at++;
  line->length = (size_t)(at - line->text);
  return *at == '\n' ? at + 1 : at;
}

bool lesson_text_line(const char **at, struct lesson_line *line)
{
  const char *next = read_line(*at, line);
  if (next == NULL || line->tag == 'L' || line->tag == 'P')
    return false;
  *at = next;
  return true;
}

const char *lesson_text_inside(const char *at)
{
  struct lesson_line line;
  const char *next = read_line(at, &line);
  return next ? next : at;
}

const char *lesson_text_page(const char *lesson, unsigned page)
{
  struct lesson_line line;
  for (const char *at = lesson_text_inside(lesson), *next; (next = read_line(at, &line)) != NULL && line.tag != 'L'; at = next)
    if (line.tag == 'P' && page-- == 0)
      return at;
  return NULL;
}

unsigned lesson_text_pages(const char *lesson)
{
  unsigned pages = 0;
  struct lesson_line line;
  for (const char *at = lesson_text_inside(lesson), *next; (next = read_line(at, &line)) != NULL && line.tag != 'L'; at = next)
    pages += line.tag == 'P';
  return pages;
}

bool lesson_text_find(const char *at, char tag, struct lesson_line *line)
{
  if (read_line(at, line) == NULL)
    return false;
  if (line->tag == tag)
    return true;
  at = lesson_text_inside(at);
  while (lesson_text_line(&at, line))
    if (line->tag == tag)
      return true;
  return false;
}

bool lesson_text_word(const struct lesson_line *line, unsigned index, struct lesson_line *word)
{
  const char *at = line->text, *end = line->text + line->length;
  for (;;) {
    while (at < end && *at == ' ')
      at++;
    if (at == end)
      return false;
    const char *start = at;
    while (at < end && *at != ' ')
      at++;
    if (index-- == 0) {
      *word = (struct lesson_line){.tag = line->tag, .text = start, .length = (size_t)(at - start)};
      return true;
    }
  }
}

void lesson_text_copy(const char *at, char tag, char *text, size_t size)
{
  struct lesson_line line;
  text[0] = '\0';
  if (lesson_text_find(at, tag, &line))
    text_copy(text, size, line.text, line.length);
}

/* ---- lessons ---- */

const char *lesson_text_numbered(unsigned number)
{
  struct lesson_line line;
  const char *at;
  for (unsigned i = 0; (at = lesson_text_lesson(i)) != NULL; i++)
    if (lesson_text_find(at, 'L', &line) && lesson_text_number(line.text) == number)
      return at;
  return NULL;
}

void lesson_text_title(const char *lesson, char *text, size_t size)
{
  struct lesson_line line, number;
  text[0] = '\0';
  if (lesson_text_find(lesson, 'L', &line) && lesson_text_word(&line, 0, &number))
    text_copy(text, size, number.text + number.length + 1, (size_t)(line.text + line.length - number.text) - number.length - 1);
}

static unsigned figure(const char *lesson, unsigned word)
{
  struct lesson_line line, number;
  return lesson_text_find(lesson, 'I', &line) && lesson_text_word(&line, word, &number) ? lesson_text_number(number.text) : 0;
}

unsigned lesson_text_minutes(const char *lesson)
{
  return figure(lesson, 0);
}

unsigned lesson_text_questions(const char *lesson)
{
  return figure(lesson, 1);
}
