#include "repl/lesson_lab.h"

#include "lib/format.h"
#include "lib/text.h"
#include "machine/machine.h"
#include "repl/state.h"

#include <string.h>

static struct state_lesson *now(void)
{
  return &state_get()->lesson;
}

/* ---- modes and needs ---- */

int lesson_lab_mode_named(const struct lesson_line *word)
{
  for (unsigned m = 0; m < MACHINE_MODES; m++)
    if (text_is(word->text, word->length, state_mode_name_of((enum machine_mode)m)))
      return (int)m;
  return -1;
}

static bool mode_here(unsigned mode)
{
  enum machine_feature missing;
  return machine_mode_supported((enum machine_mode)mode, &missing);
}

static bool is_simulated(void)
{
  struct machine_tlb_array array;
  return machine_tlb_array(0, &array);
}

static bool need_met(const struct lesson_line *word)
{
  if (text_is(word->text, word->length, "sim"))
    return is_simulated();
  if (text_is(word->text, word->length, "clock"))
    return strcmp(state_clock(), "none") != 0;
  for (unsigned f = 0; f < FEATURES; f++)
    if (text_is(word->text, word->length, machine_features[f].name))
      return machine_features_have(machine_cpu()->features, (enum machine_feature)f);
  return false;
}

/* The mode that a line with modes asks for when the machine is in @p mode: that one if it is among them, else the first that the CPU has.
 * -1: the CPU has none of them; @p mode too where the line names no mode. */
int lesson_lab_mode(const struct lesson_line *line, int mode)
{
  struct lesson_line word;
  int first = -1;
  bool named = false;
  for (unsigned i = 0; lesson_text_word(line, i, &word); i++) {
    int m = lesson_lab_mode_named(&word);
    named = named || m >= 0;
    if (m == mode)
      return mode;
    if (m >= 0 && first < 0 && mode_here((unsigned)m))
      first = m;
  }
  return named ? first : mode;
}

/* Whether @p page can be worked through here, the machine being in *@p mode; that becomes the mode that the page's set-up switches to. */
bool lesson_lab_fits(const char *page, int *mode, char *why, size_t size)
{
  struct lesson_line needs, word, lab;
  if (size > 0)
    why[0] = '\0';
  if (!lesson_text_find(page, 'N', &needs))
    return true;
  for (unsigned i = 0; lesson_text_word(&needs, i, &word); i++)
    if (lesson_lab_mode_named(&word) < 0 && !need_met(&word)) {
      if (text_is(word.text, word.length, "sim"))
        format(why, size, "is for the simulated machine, 'make sim'");
      else
        format(why, size, "needs '%.*s', which this machine lacks", (int)word.length, word.text);
      return false;
    }
  int wanted = lesson_lab_mode(&needs, *mode);
  if (wanted == *mode)
    return true;
  if (wanted >= 0 && lesson_text_find(page, '=', &lab)) {
    *mode = wanted;
    return true;
  }
  format(why, size, wanted < 0 ? "is for %.*s, which this CPU lacks" : "is for %.*s", (int)needs.length, needs.text);
  return false;
}

static bool names_a_mode(const char *page)
{
  struct lesson_line needs, word;
  if (!lesson_text_find(page, 'N', &needs))
    return false;
  for (unsigned i = 0; lesson_text_word(&needs, i, &word); i++)
    if (lesson_lab_mode_named(&word) >= 0)
      return true;
  return false;
}

/* ---- effects ---- */

/* What a lesson is about and not every machine shows: the experiment of `platform` that tells, and what it must have seen. */
static const struct effect {
  const char *name;
  uint8_t experiment;
  const char *saw, *is, *elsewhere;
} effects[] = {
  {"stale", 0, "stays stale", "a translation that is used after its entry has changed", "QEMU, Bochs, real CPUs, 'make sim'"},
  {"global", 2, "survives", "a global page that stays cached over MOV CR3", "Bochs, real CPUs, 'make sim'"},
  {"not-present", 3, "remembered", "a CPU that remembers 'not present'", "'make sim PROFILE=cyrix'"},
  {"structures", 4, "there is one", "a paging-structure cache", "real CPUs, 'make sim'"},
  {"ad", 5, "stays clear on a hit", "an A flag that stays clear because no walk was needed", "QEMU, Bochs, real CPUs, 'make sim'"},
};

#define EFFECTS (sizeof effects / sizeof effects[0])

/* The set-up's `platform` has answered. */
void lesson_lab_see(const struct record *r)
{
  const struct record_node *list = record_find(&r->root, "experiments");
  unsigned lacks = 0;
  for (unsigned i = 0; list && i < EFFECTS; i++) {
    const struct record_node *row = list->child;
    for (unsigned n = effects[i].experiment; row && n > 0; n--)
      row = row->next;
    const struct record_node *ring0 = row ? record_find(row, "ring0") : NULL;
    if (ring0 == NULL || strcmp(ring0->text, effects[i].saw) != 0)
      lacks |= 1u << i;
  }
  now()->lacks = (uint8_t)lacks;
}

void lesson_lab_lacks(struct record *r, const char *lesson)
{
  struct lesson_line line, word;
  struct record_node *list = NULL;
  if (!lesson_text_find(lesson, 'E', &line))
    return;
  for (unsigned w = 0; lesson_text_word(&line, w, &word); w++)
    for (unsigned i = 0; i < EFFECTS; i++)
      if (text_is(word.text, word.length, effects[i].name) && now()->lacks >> i & 1) {
        bool first = list == NULL;
        if (first)
          list = record_array(r, &r->root, "lacks", "[?first:\n]  | This machine does not show {effect}:\n  | {elsewhere} would.");
        struct record_node *row = record_object(r, list, NULL);
        record_bool(r, row, "first", first);
        record_string(r, row, "effect", effects[i].is);
        record_string(r, row, "elsewhere", effects[i].elsewhere);
      }
}

/* ---- scripts ---- */

static void script_add(struct lesson_lab_script *s, const char *text, size_t length)
{
  if (s->length + length + 3 > sizeof s->text) {
    s->full = true;
    return;
  }
  memcpy(s->text + s->length, text, length);
  memcpy(s->text + s->length + length, "; ", 3);
  s->length += length + 2;
}

void lesson_lab_script_say(struct lesson_lab_script *s, const char *text)
{
  script_add(s, text, strlen(text));
}

/* The lines of @p page with one of @p tags. */
static void script_lines(struct lesson_lab_script *s, const char *page, const char *tags)
{
  struct lesson_line line;
  const char *at = lesson_text_inside(page);
  while (lesson_text_line(&at, &line))
    if (text_find(tags, strlen(tags), line.tag))
      script_add(s, line.text, line.length);
}

static void script_mode(struct lesson_lab_script *s, int from, int to)
{
  char text[16];
  format(text, sizeof text, "mode %s", state_mode_name_of((enum machine_mode)to));
  if (from != to)
    lesson_lab_script_say(s, text);
}

bool lesson_lab_begins(const char *lesson, unsigned page)
{
  struct lesson_line line;
  return lesson_text_find(lesson_text_page(lesson, page), '=', &line);
}

/* The page at or before @p page where a lab is set up; 0 at the latest. */
static unsigned lab_page(const char *lesson, unsigned page)
{
  while (page > 0 && !lesson_lab_begins(lesson, page))
    page--;
  return page;
}

/* What the lesson is for: the mode that the machine is in, if that is one of its modes. */
static int mode_of_lesson(const char *lesson, int mode)
{
  struct lesson_line modes;
  int wanted = lesson_text_find(lesson, 'M', &modes) ? lesson_lab_mode(&modes, mode) : mode;
  return wanted < 0 ? mode : wanted;
}

/* The page's own set-up. The first page's looks what the machine shows. Where a lab is set up, the mode is one of the lesson's: a step for
 * one mode, or the student, may have gone to another. */
void lesson_lab_script_page(struct lesson_lab_script *s, const char *lesson, unsigned number, int *mode)
{
  const char *page = lesson_text_page(lesson, number);
  int before = *mode;
  if (number == 0) {
    *mode = mode_of_lesson(lesson, *mode);
    script_mode(s, before, *mode);
    lesson_lab_script_say(s, "set autoflush=0; lazy off; reset; platform; reset");
    before = *mode;
  } else if (lesson_lab_begins(lesson, number) && !names_a_mode(page)) {
    *mode = mode_of_lesson(lesson, *mode);
  }
  if (!lesson_lab_fits(page, mode, NULL, 0))
    return;
  script_mode(s, before, *mode);
  script_lines(s, page, "=");
}

/* All that brings the lab to where @p page finds it: from the last set-up on, what was to be done and what was asked. */
void lesson_lab_script_again(struct lesson_lab_script *s, const char *lesson, unsigned page)
{
  int mode = (int)machine_mode();
  unsigned from = lab_page(lesson, page);
  lesson_lab_script_page(s, lesson, from, &mode);
  for (unsigned i = from; i < page; i++) {
    const char *at = lesson_text_page(lesson, i);
    int same = mode;
    if (lesson_lab_fits(at, &same, NULL, 0) && same == mode)
      script_lines(s, at, ">!");
  }
}
