/* Commands of the shell itself: help, history, json, let, repeat. */
#include "lib/format.h"
#include "repl/common.h"
#include "repl/recorder.h"
#include "repl/shell.h"
#include "repl/state.h"

#include <string.h>

static void help_family(struct record *r, const struct command_family *family)
{
  struct record_node *list = record_array(r, &r->root, family->name, "[{family%-10}][?!family:          ] {name%-12} {brief}");
  for (const struct command *c = family->commands; c->name; c++) {
    char usage[128];
    struct record_node *row = record_object(r, list, NULL);
    if (c == family->commands)
      record_string(r, row, "family", family->name);
    record_string(r, row, "name", c->name);
    record_string(r, row, "usage", command_usage(c, usage, sizeof usage));
    record_string(r, row, "brief", c->brief);
  }
}

static bool help_one(struct record *r, const struct command *command)
{
  char usage[128];
  r->text = "{usage}\n  {brief}[\n  {more}][\n  example: {example}][\n  SDM: {sdm}]";
  record_string(r, &r->root, "usage", command_usage(command, usage, sizeof usage));
  record_string(r, &r->root, "brief", command->brief);
  if (command->more)
    record_string(r, &r->root, "more", command->more);
  if (command->example[0])
    record_string(r, &r->root, "example", command->example);
  if (command->sdm)
    record_string(r, &r->root, "sdm", command->sdm);
  return true;
}

static bool cmd_help(const struct args *args, struct record *r)
{
  const struct args_value *name = args_get(args, "command");
  if (name) {
    const struct command *command = command_find(args->text + name->at, name->length, name->at, r);
    return command ? help_one(r, command) : false;
  }
  r->text = "'help COMMAND' tells more. ';' stands between commands, '#' before a comment.\n"
            "Numbers are expressions: 0x40000000 + 4k*3, $name, frames A..Z, M0, M1.\n"
            "Try this, a line at a time:\n"
            "  map 0x40000000 A; read 0x40000000; map 0x40000000 B; read 0x40000000\n"
            "  invlpg 0x40000000; read 0x40000000";
  for (const struct command_family *const *family = command_families; (*family)->commands; family++)
    help_family(r, *family);
  return true;
}

static bool cmd_history(const struct args *args, struct record *r)
{
  (void)args;
  const struct editor_history *history = &state_get()->history;
  struct record_node *list = record_array(r, &r->root, "lines", "{n%5}  {line}");
  for (uint32_t i = 0; history_line(history, i); i++) {
    struct record_node *row = record_object(r, list, NULL);
    record_count(r, row, "n", history->dropped + i + 1);
    record_string(r, row, "line", history_line(history, i));
  }
  return true;
}

static bool cmd_json(const struct args *args, struct record *r)
{
  state_get()->json = args_number(args, "state", 0) == 0;
  record_bool(r, &r->root, "json", state_get()->json);
  return true;
}

/* ---- let ---- */

static bool name_ok(const char *name)
{
  for (const char *c = name; *c; c++) {
    bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
    if (!letter && !(c != name && *c >= '0' && *c <= '9'))
      return false;
  }
  return name[0] != '\0';
}

static bool let_list(struct record *r)
{
  const struct state *state = state_get();
  struct record_node *list = record_array(r, &r->root, "variables", "${name%-15} {value}");
  for (unsigned i = 0; i < STATE_VARIABLES; i++) {
    if (!state->variable[i].name[0])
      continue;
    struct record_node *row = record_object(r, list, NULL);
    record_string(r, row, "name", state->variable[i].name);
    record_hex(r, row, "value", state->variable[i].value);
  }
  return true;
}

static bool cmd_let(const struct args *args, struct record *r)
{
  char name[64];
  const struct args_value *word = args_get(args, "name");
  if (word == NULL)
    return let_list(r);
  args_text(args, "name", name, sizeof name);
  if (!name_ok(name))
    return record_usage(r, word->at, "'%s' is no name: letters, digits and _ with a letter first", name);
  if (strlen(name) >= STATE_NAME_MAX)
    return record_usage(r, word->at, "'%s' is too long: a name has at most %u characters", name, STATE_NAME_MAX - 1);
  if (!args_has(args, "value"))
    return record_usage(r, word->at, "give '%s' a value: let %s = EXPRESSION", name, name);
  if (!state_variable_set(name, args_number(args, "value", 0)))
    return record_refuse(r, "there are %u variables already; give one of them a new value", STATE_VARIABLES);
  record_string(r, &r->root, "name", name);
  record_hex(r, &r->root, "value", args_number(args, "value", 0));
  return true;
}

static bool cmd_repeat(const struct args *args, struct record *r)
{
  const struct args_value *body = args_get(args, "body");
  uint64_t count = args_number(args, "times", 1);
  if (count > 0xffffffff)
    return record_usage(r, args_get(args, "times")->at, "that is too often: at most 4294967295 times");
  size_t start = shell_command_start() + body->at;
  if (!shell_push(start, start + body->length, (uint32_t)count))
    return record_refuse(r, "repeats can be nested %u deep", STATE_FRAMES - 1);
  return true;
}

/* ---- record, replay ---- */

static bool cmd_record(const struct args *args, struct record *r)
{
  if (!args_has(args, "state"))
    return recorder_show(r);
  if (args_number(args, "state", 0) == 0)
    recorder_start();
  else
    recorder_stop();
  return recorder_say(r);
}

static bool cmd_replay(const struct args *args, struct record *r)
{
  (void)args;
  return recorder_replay(r);
}

static const struct command commands[] = {
  {.name = "help", .args = "command:word?", .brief = "list the commands, or explain one", .example = "help; help map", .run = cmd_help},
  {.name = "history", .args = "", .brief = "list the lines typed before", .example = "history", .text = "", .run = cmd_history},
  {.name = "json",
   .args = "state:on|off",
   .brief = "answer in JSON, one line a command; or in text again",
   .example = "json on; json off",
   .text = "",
   .more = "In JSON nothing else is printed but that line and the prompt: what is typed is not shown, unless 'set echo=1'.",
   .run = cmd_json},
  {.name = "let",
   .args = "name:word? (= value:num)?",
   .brief = "give a number a name, used as $name; alone, list them",
   .example = "let va = 0x40000000; map $va A; read $va + 8",
   .text = "[${name} = {value}]",
   .run = cmd_let},
  {.name = "repeat",
   .args = "times:count body:block",
   .brief = "run commands several times; Ctrl-C stops it",
   .example = "map 0x40000000 A; repeat 3 { read 0x40000000; invlpg 0x40000000 }",
   .text = "",
   .flags = COMMAND_QUIET,
   .run = cmd_repeat},
  {.name = "record",
   .args = "state:on|off?",
   .brief = "keep the lines that are typed; alone, show them",
   .example = "record on; record off; record",
   .text = "[?on:recording][?!on:not recording][?full:; it is full], {lines} {lines%?line|lines}",
   .more = "What is kept survives 'mode'. What it shows can be handed in, and 'tools/grade' reads it.",
   .flags = COMMAND_ASIDE,
   .run = cmd_record},
  {.name = "replay",
   .args = "",
   .brief = "do again what was recorded, from fresh tables",
   .example = "replay",
   .text = "",
   .run = cmd_replay},
  {.name = NULL},
};

const struct command_family cmd_shell = {"shell", "the shell itself", commands};
