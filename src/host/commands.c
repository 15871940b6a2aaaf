/* Prints docs/commands.md from the command rows, or (--lint) finds fault with the rows.
 *
 * It links exactly the pure objects and absent.c: that it links is the proof that nothing in them needs a machine. */
#include "paging/format.h"
#include "repl/command.h"
#include "repl/settings.h"
#include "repl/spec.h"

#include <stdio.h>
#include <string.h>

#define BRIEF_MAX 54 /* `help` has a line of 80 characters for it, its family and its name */
#define USAGE_MAX 256
#define LINE_MAX_BYTES 1024
#define VARIABLES_MAX 16

/* Calls @p each for every command of every family. */
static void for_each(void (*each)(const struct command *command))
{
  for (const struct command_family *const *family = command_families; (*family)->commands; family++)
    for (const struct command *c = (*family)->commands; c->name; c++)
      each(c);
}

/* ---- the page ---- */

static const char intro[] =
  "# Commands\n"
  "\n"
  "Made by `make docs` from the command rows (`src/repl/cmd_*.c`), which the shell itself reads; in the shell, `help` and `help COMMAND`\n"
  "say the same.\n"
  "\n"
  "- **A line** is one command, or several with `;` between. `#` starts a comment. A name may be shortened while only one command begins\n"
  "  so. Tab completes, lists what is possible, or shows the arguments. Ctrl-C stops anything.\n"
  "- **A number** is an expression: decimal, `0x` hexadecimal or `0b` binary, the suffixes `k` `m` `g` `t` (`4k`), the operators of C\n"
  "  (`| ^ & << >> + - * / %`, `~`, parentheses) in 64 bits, `$name` for what `let` named, and a frame's name for its physical address.\n"
  "- **Frames** are pages of memory for experiments: `A` to `Z` of 4 KiB, each full of its own letter, and `M0` and `M1` of 4 MiB (where\n"
  "  there is RAM for them), each of whose pages is full of its own physical address. A value that is read so tells whose page it came\n"
  "  from. A physical address without a name is a number, or `p:` and a number.\n"
  "- **Flags** of a mapping: `rw` or `ro`, `user` or `sup`, `g` (global), `nx` or `x`, `pwt`, `pcd`, `pat`, `a`, `d`, `key=N`. In short:\n"
  "  `w`, `r`, `u`, `s`. A change of flags has a sign: `+w`, `-nx`. A page's size is `4k`, `2m`, `4m` or `1g`, as the mode has it.\n"
  "- **A level** is the SDM's name of the entry: `PML5E`, `PML4E`, `PDPTE`, `PDE`, `PTE`, behind a slash: `pte 0x40000000/PDE`.\n"
  "- **After every command** the shell compares all paging structures with what they were, and shows each entry that changed, whoever\n"
  "  changed it: the command, or the CPU that set A and D. No command invalidates more than it says; an edit tells what it `needs`.\n"
  "- **An access** is `fresh` (what the tables now say), `stale` (what they said before: a TLB still had it) or a `fault`.\n"
  "- **JSON**: after `json on`, or with `json=1` on the boot command line, each command answers with one line, an object with `cmd`,\n"
  "  `status`, `mode`, what the command found, and `diff`, the entries that changed. `status` is `ok`, `usage`, `refused`, `fault`, `error`\n"
  "  or `interrupted`. Addresses and entries are strings (`\"0x40000000\"`), counts and ticks are numbers.\n";

static void print_paragraph(const char *text)
{
  if (text)
    printf("%s\n\n", text);
}

/* A brief, as a sentence. */
static void print_sentence(const char *text)
{
  char first = text[0];
  if (first >= 'a' && first <= 'z' && text[1] != '.')
    first = (char)(first - 'a' + 'A');
  printf("%c%s.\n\n", first, text + 1);
}

static void print_flags(unsigned flags)
{
  if (flags & COMMAND_PAGED)
    printf("- needs paging: refused in mode `off`\n");
  if (flags & COMMAND_EDITS)
    printf("- edits paging structures: `undo` puts them back\n");
  if (flags & COMMAND_UNDOES)
    printf("- edits paging structures; is not itself undone\n");
}

static void print_command(const struct command *c)
{
  char usage[USAGE_MAX];
  printf("### %s\n\n", c->name);
  print_sentence(c->brief);
  print_paragraph(c->more);
  printf("- usage: `%s`\n", command_usage(c, usage, sizeof usage));
  if (c->example && c->example[0])
    printf("- example: `%s`\n", c->example);
  if (c->sdm)
    printf("- SDM: %s\n", c->sdm);
  print_flags(c->flags);
  printf("\n");
}

static void print_contents(void)
{
  printf("\n| family | commands |\n|---|---|\n");
  for (const struct command_family *const *family = command_families; (*family)->commands; family++) {
    printf("| [%s](#%s): %s |", (*family)->name, (*family)->name, (*family)->brief);
    for (const struct command *c = (*family)->commands; c->name; c++)
      printf(" `%s`", c->name);
    printf(" |\n");
  }
}

static void print_settings(void)
{
  printf(
    "## settings\n\n`set` alone lists them, `set NAME=VALUE` changes one; all are 0 or 1. A setting that the mode or the CPU lacks stays 0.\n\n");
  printf("| name | 1 means |\n|---|---|\n");
  for (unsigned i = 0; settings_name(i); i++)
    printf("| `%s` | %s |\n", settings_name(i), settings_brief(i));
}

static void print_page(void)
{
  fputs(intro, stdout);
  print_contents();
  printf("\n");
  for (const struct command_family *const *family = command_families; (*family)->commands; family++) {
    printf("## %s\n\n", (*family)->name);
    print_sentence((*family)->brief);
    for (const struct command *c = (*family)->commands; c->name; c++)
      print_command(c);
  }
  print_settings();
}

/* ---- the lint ---- */

static unsigned mistakes;

static void mistake(const struct command *c, const char *what, const char *detail)
{
  printf("command '%s': %s%s%s\n", c->name, what, detail ? ": " : "", detail ? detail : "");
  mistakes++;
}

/* What an example may name: any frame there can be, any level of any mode, and the variables that it has given a value. */
static char variables[VARIABLES_MAX][LINE_MAX_BYTES];
static unsigned variable_count;

static bool example_variable(const char *name, size_t length, uint64_t *value)
{
  *value = 0x40000000;
  for (unsigned i = 0; i < variable_count; i++)
    if (strlen(variables[i]) == length && memcmp(variables[i], name, length) == 0)
      return true;
  return false;
}

static bool example_frame(const char *name, size_t length, uint64_t *physical)
{
  *physical = 0x400000;
  bool letter = length == 1 && name[0] >= 'A' && name[0] <= 'Z';
  return letter || (length == 2 && name[0] == 'M' && (name[1] == '0' || name[1] == '1'));
}

static int example_level(const char *name, size_t length)
{
  char text[16];
  snprintf(text, sizeof text, "%.*s", (int)length, name);
  for (int mode = 0; mode < MACHINE_MODES; mode++) {
    const struct format *format = format_of((enum machine_mode)mode);
    int level = format ? format_level_named(format, text) : -1;
    if (level >= 0)
      return level;
  }
  return -1;
}

static const struct args_names example_names = {example_variable, example_frame, example_level, 57};

static void lint_line(const struct command *row, const char *line, size_t length);

/* One command of an example, and what is in its braces. */
static void lint_one(const struct command *row, const char *line, size_t length)
{
  char text[LINE_MAX_BYTES];
  struct args args;
  snprintf(text, sizeof text, "%.*s", (int)length, line);
  size_t word = strcspn(text, " {");
  struct record *r = record_begin("lint");
  const struct command *command = command_find(text, word, 0, r);
  if (!command || !args_parse(command->args, text, word, &example_names, &args, r)) {
    const struct record_node *reason = record_find(&r->root, "reason");
    printf("in '%s': ", text);
    mistake(row, "the example is wrong", reason ? reason->text : NULL);
    return;
  }
  if (strcmp(command->name, "let") == 0 && args_has(&args, "value") && variable_count < VARIABLES_MAX)
    args_text(&args, "name", variables[variable_count++], sizeof variables[0]);
  for (unsigned i = 0; i < args.count; i++)
    if (args.value[i].type == ARG_BLOCK)
      lint_line(row, text + args.value[i].at, args.value[i].length);
}

static void lint_line(const struct command *row, const char *line, size_t length)
{
  unsigned depth = 0;
  size_t start = 0;
  for (size_t at = 0; at <= length; at++) {
    if (at < length && line[at] == '{')
      depth++;
    if (at < length && line[at] == '}')
      depth--;
    if (at < length && (line[at] != ';' || depth > 0))
      continue;
    while (start < at && line[start] == ' ')
      start++;
    if (start < at)
      lint_one(row, line + start, at - start);
    start = at + 1;
  }
}

static void lint_brief(const struct command *c)
{
  if (!c->brief || !c->brief[0]) {
    mistake(c, "has no brief", NULL);
    return;
  }
  size_t length = strlen(c->brief);
  if (length > BRIEF_MAX)
    mistake(c, "its brief is longer than 54 characters", c->brief);
  if (c->brief[length - 1] == '.' && !(length > 3 && strcmp(c->brief + length - 3, "...") == 0))
    mistake(c, "its brief ends in a full stop", c->brief);
}

/* A misspelled type reads as a choice of one word, which no row means. */
static void lint_spec(const struct command *c)
{
  struct spec spec;
  unsigned words = 0, values = 0;
  if (!c->args) {
    mistake(c, "has no argument spec", NULL);
    return;
  }
  for (const char *at = c->args; *at; at++)
    words += *at != ' ' && (at == c->args || at[-1] == ' ');
  if (words > SPEC_ITEMS_MAX)
    mistake(c, "its spec has more than 16 items", c->args);
  spec_read(c->args, &spec);
  for (size_t i = 0; i < spec.count; i++) {
    const struct spec_item *item = &spec.item[i];
    values += !spec_is_punctuation(item);
    if (item->type == ARG_CHOICE && !memchr(item->choices, '|', item->choices_length))
      mistake(c, "its spec has a type that does not exist", item->choices);
  }
  if (values > ARGS_MAX)
    mistake(c, "its spec has more than 12 values", c->args);
}

static void lint_command(const struct command *c)
{
  unsigned of_that_name = 0;
  for (const struct command_family *const *family = command_families; (*family)->commands; family++)
    for (const struct command *other = (*family)->commands; other->name; other++)
      of_that_name += strcmp(other->name, c->name) == 0;
  if (!c->name[0] || of_that_name != 1)
    mistake(c, "has no name of its own", NULL);
  if (!c->run)
    mistake(c, "has no handler", NULL);
  lint_brief(c);
  lint_spec(c);
  variable_count = 0;
  if (!c->example)
    mistake(c, "has no example (\"\" where there can be none)", NULL);
  else if (c->args)
    lint_line(c, c->example, strlen(c->example));
}

int main(int argc, char **argv)
{
  if (argc == 1) {
    print_page();
    return 0;
  }
  if (argc == 2 && strcmp(argv[1], "--lint") == 0) {
    for_each(lint_command);
    return mistakes ? 1 : 0;
  }
  puts("usage: commands [--lint]   prints docs/commands.md; --lint looks for mistakes in the command rows instead");
  return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
}
