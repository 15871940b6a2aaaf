#include "repl/recorder.h"

#include "lib/format.h"
#include "lib/text.h"
#include "repl/shell.h"
#include "repl/state.h"

#include <string.h>

static struct state_recorder *now(void)
{
  return &state_get()->recorder;
}

void recorder_start(void)
{
  struct state_recorder *recorder = now();
  memset(recorder, 0, sizeof *recorder);
  recorder->on = 1;
  recorder->start_mode = (uint8_t)machine_mode();
}

void recorder_stop(void)
{
  now()->on = now()->replaying = 0;
}

/* Whether the line speaks to the recorder itself. */
static bool is_mine(const char *line)
{
  size_t start = text_skip_space(line, 0), length = text_word(line + start);
  return text_is(line + start, length, "record") || text_is(line + start, length, "replay");
}

void recorder_typed(const char *line)
{
  struct state_recorder *recorder = now();
  if (!recorder->on || line[text_skip_space(line, 0)] == '\0' || is_mine(line))
    return;
  size_t room = sizeof recorder->text - recorder->length;
  size_t length = (size_t)format(recorder->text + recorder->length, room, "%s> %s\n", state_mode_name(), line);
  if (length >= room) {
    recorder->text[recorder->length] = '\0';
    recorder->full = 1;
    recorder->on = 0;
    return;
  }
  recorder->length = (uint16_t)(recorder->length + length);
  recorder->lines++;
}

bool recorder_say(struct record *r)
{
  const struct state_recorder *recorder = now();
  record_bool(r, &r->root, "on", recorder->on);
  record_bool(r, &r->root, "full", recorder->full);
  record_count(r, &r->root, "lines", recorder->lines);
  return true;
}

bool recorder_show(struct record *r)
{
  const char *at = now()->text;
  recorder_say(r);
  struct record_node *list = record_array(r, &r->root, "typed", "{}");
  while (*at) {
    char line[EDITOR_LINE_MAX + 16];
    size_t length = 0;
    while (at[length] && at[length] != '\n')
      length++;
    record_string(r, list, NULL, text_copy(line, sizeof line, at, length));
    at += length + (at[length] == '\n');
  }
  return true;
}

bool recorder_replay(struct record *r)
{
  char first[32];
  struct state_recorder *recorder = now();
  if (recorder->length == 0)
    return record_refuse(r, "nothing is recorded: 'record on' begins");
  if (recorder->replaying)
    return record_refuse(r, "a replay cannot hold another");
  format(first, sizeof first, "mode %s; %s", state_mode_name_of((enum machine_mode)recorder->start_mode),
         recorder->start_mode == MACHINE_OFF ? "" : "reset");
  if (!shell_script(first))
    return record_refuse(r, "the line is too long for what has to be run with it: type the command alone");
  recorder->on = 0;
  recorder->replaying = 1;
  recorder->at = 0;
  record_count(r, &r->root, "lines", recorder->lines);
  return true;
}

bool recorder_next(char *line, size_t size)
{
  struct state_recorder *recorder = now();
  if (!recorder->replaying)
    return false;
  const char *at = recorder->text + recorder->at;
  size_t length = 0, skip = 0;
  while (at[length] && at[length] != '\n')
    length++;
  if (length == 0) {
    recorder->replaying = 0;
    return false;
  }
  while (at[skip] != '>') /* the prompt is its mode, "> " */
    skip++;
  skip += 2;
  text_copy(line, size, at + skip, length - skip);
  recorder->at = (uint16_t)(recorder->at + length + 1);
  return true;
}
