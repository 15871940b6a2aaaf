/* The conformance suite as a command. In text it speaks TAP 14, a line as each case ends; in JSON it answers with the counts and what
 * failed. */
#include "check/check.h"
#include "lib/format.h"
#include "lib/text.h"
#include "machine/console.h"
#include "repl/common.h"
#include "repl/shell.h"
#include "repl/state.h"

#include <string.h>

#define ROWS_MAX 600

struct report {
  struct record *record;
  struct record_node *failures, *cases;
  unsigned number, rows;
  bool json, every; /* every case is listed, not only failures */
};

static const char *const verdict_names[CHECK_VERDICTS] = {"pass", "fail", "observed", "skip"};

static void say(const char *line)
{
  console_write(line, strlen(line));
  console_write("\r\n", 2);
}

/* TAP 14: "ok N - description # SKIP reason"; what follows another "#" is a remark. */
static void tap(const struct report *report, const struct check_result *result)
{
  char line[512];
  bool bad = result->verdict == CHECK_FAIL;
  const char *directive = result->verdict == CHECK_SKIP ? " # SKIP " : result->verdict == CHECK_OBSERVED ? " # OBSERVED " : "";
  bool note = result->verdict == CHECK_SKIP || result->verdict == CHECK_OBSERVED;
  format(line, sizeof line, "%sok %u - %s: %s%s%s", bad ? "not " : "", report->number, result->group, result->name, directive,
         note ? result->note : "");
  say(line);
  if (!bad)
    return;
  format(line, sizeof line, "  ---\r\n  message: \"%s\"\r\n  sdm: \"%s\"\r\n  ...", result->note, result->sdm);
  say(line);
}

static void row(struct report *report, struct record_node *list, const struct check_result *result)
{
  if (report->rows++ >= ROWS_MAX)
    return;
  struct record_node *node = record_object(report->record, list, NULL);
  if (!report->every)
    record_string(report->record, node, "group", result->group);
  record_string(report->record, node, "name", result->name);
  record_string(report->record, node, "verdict", verdict_names[result->verdict]);
  if (result->note[0])
    record_string(report->record, node, "note", result->note);
}

/* A comment, in TAP. */
static void progress(const struct report *report, const char *note)
{
  char line[128];
  if (report->json || note[0] == '\0')
    return;
  format(line, sizeof line, "# %s", note);
  say(line);
}

static bool each(void *context, const struct check_result *result)
{
  struct report *report = context;
  if (result->verdict == CHECK_PROGRESS) {
    progress(report, result->note);
    return !console_interrupted();
  }
  report->number++;
  if (!report->json)
    tap(report, result);
  else if (report->every || result->verdict == CHECK_FAIL)
    row(report, report->every ? report->cases : report->failures, result);
  return !console_interrupted();
}

static bool list(struct record *r)
{
  const char *name, *brief, *sdm;
  struct record_node *groups = record_array(r, &r->root, "groups", NULL);
  for (unsigned i = 0; check_group(i, &name, &brief, &sdm); i++) {
    struct record_node *node = record_object(r, groups, NULL);
    record_string(r, node, "check", name);
    record_string(r, node, "what", brief);
    record_string(r, node, "sdm", sdm);
  }
  return true;
}

/* The counts stand before the cases, so that there is room for them. */
static struct record_node *counts_begin(struct record *r)
{
  struct record_node *node = record_object(r, &r->root, "counts");
  for (unsigned i = 0; i < CHECK_VERDICTS; i++)
    record_count(r, node, verdict_names[i], 0);
  return node;
}

static void summary(struct record *r, struct record_node *node, const struct check_counts *counts, bool interrupted)
{
  for (unsigned i = 0; i < CHECK_VERDICTS; i++)
    record_count_set(node, verdict_names[i], counts->verdict[i]);
  if (interrupted)
    r->status = STATUS_INTERRUPTED;
}

static bool is_group(const char *name)
{
  const char *group, *brief, *sdm;
  for (unsigned i = 0; check_group(i, &group, &brief, &sdm); i++)
    if (strcmp(group, name) == 0)
      return true;
  return false;
}

static bool word_in(const struct args *args, const struct args_value *words, size_t *at, char *name, size_t size)
{
  if (words == NULL)
    return false;
  *at = *at < words->at ? words->at : text_skip_space(args->text, *at);
  if (*at >= (size_t)words->at + words->length)
    return false;
  size_t length = text_word(args->text + *at);
  text_copy(name, size, args->text + *at, length);
  *at += length;
  return true;
}

/* The next of the names that were given, from *@p at on; false behind the last. */
static bool next_name(const struct args *args, size_t *at, char *name, size_t size)
{
  const struct args_value *first = args_get(args, "name");
  if (first && *at <= first->at)
    return word_in(args, first, at, name, size);
  return word_in(args, args_get(args, "more"), at, name, size);
}

/* Whether all names mean something, so that nothing is run where one does not. */
static bool names_good(const struct args *args, struct record *r, bool *all, bool *listed)
{
  char name[24];
  size_t at = 0;
  *all = false;
  *listed = !args_has(args, "name");
  while (next_name(args, &at, name, sizeof name)) {
    *all = *all || strcmp(name, "all") == 0;
    *listed = *listed || strcmp(name, "list") == 0;
    if (!*all && !*listed && !is_group(name))
      return record_usage(r, at - strlen(name), "no check '%s'; 'check list' lists them", name);
  }
  return true;
}

static bool run_named(const struct args *args, struct report *report, struct check_counts *sum, bool all)
{
  char name[24];
  const char *why;
  struct check_counts counts;
  const struct check_extent extent = {.full = args_has(args, "full") || args_has(args, "start"), .from = args_number(args, "start", 0)};
  size_t at = 0;
  while (next_name(args, &at, name, sizeof name) && !console_interrupted()) {
    check_run(all ? "all" : name, &extent, each, report, &counts, &why);
    if (why)
      return record_refuse(report->record, "%s", why);
    for (unsigned i = 0; i < CHECK_VERDICTS; i++)
      sum->verdict[i] += counts.verdict[i];
    if (all)
      return true;
  }
  return true;
}

static bool cmd_check(const struct args *args, struct record *r)
{
  char plan[24];
  bool all, listed;
  struct check_counts sum = {{0}};
  struct report report = {.record = r, .json = state_get()->json != 0};
  if (!names_good(args, r, &all, &listed))
    return false;
  if (listed)
    return list(r);
  report.every = !all;
  struct record_node *counted = counts_begin(r);
  if (report.json && report.every)
    report.cases = record_array(r, &r->root, "cases", NULL);
  else if (report.json)
    report.failures = record_array(r, &r->root, "failures", NULL);
  if (!report.json)
    say("TAP version 14");
  if (!run_named(args, &report, &sum, all))
    return false;
  format(plan, sizeof plan, "1..%u", report.number);
  if (!report.json)
    say(plan);
  summary(r, counted, &sum, console_interrupted());
  return true;
}

/* The script may stand in quotes or braces, which keep its ';' from ending the command. */
static bool cmd_compare(const struct args *args, struct record *r)
{
  const struct args_value *script = args_get(args, "script");
  size_t start = script->at, end = start + script->length;
  while (end > start && args->text[end - 1] == ' ')
    end--;
  bool quoted = end > start + 1 && args->text[start] == '"' && args->text[end - 1] == '"';
  bool braced = end > start + 1 && args->text[start] == '{' && args->text[end - 1] == '}';
  if (quoted || braced) {
    start++;
    end--;
  }
  size_t base = shell_command_start();
  return shell_compare(r, base + start, base + end);
}

static const struct command commands[] = {
  {.name = "check",
   .args = "full? (from start:num)? name:word? more:rest?",
   .brief = "judge this machine by the architecture",
   .example = "check list; check invlpg ad; check rights from 0x1000",
   .sdm = "Caching Translation Information",
   .text = "[{counts.pass} passed, {counts.fail} failed, {counts.observed} observed, {counts.skip} skipped]",
   .more =
     "PASS: the architecture guarantees it, and it came. FAIL: it breaks a rule. OBSERVED: several outcomes are permitted, and this one "
     "came. SKIP: a feature is missing. The output is TAP 14. 'check rights' has more combinations than anybody waits for and tries a "
     "sample of them: 'full' tries all, 'from' all from that number on.",
   .run = cmd_check},
  {.name = "compare",
   .args = "script:rest",
   .brief = "run one script in every mode, and show one table",
   .example = "compare { map 0x40000000 A; read 0x40000000; map 0x40000000 B; read 0x40000000 }",
   .text = "",
   .more =
     "In each mode the lab starts afresh. The first 16 commands are shown; '!' marks a violation. Afterwards the mode is what it was, with a fresh lab.",
   .flags = COMMAND_QUIET,
   .run = cmd_compare},
  {.name = NULL},
};

const struct command_family cmd_prove = {"prove", "judge the machine", commands};
