/* The conformance suite as a command. In text it speaks TAP 14, a line as each case ends; in JSON it answers with the counts and what
 * failed. */
#include "check/check.h"
#include "lib/format.h"
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

static bool cmd_check(const struct args *args, struct record *r)
{
  char name[24], plan[24];
  const char *why;
  struct check_counts counts;
  struct check_extent extent = {.full = args_has(args, "full") || args_has(args, "start"), .from = args_number(args, "start", 0)};
  struct report report = {.record = r, .json = state_get()->json != 0};
  args_text(args, "name", name, sizeof name);
  if (!args_has(args, "name") || strcmp(name, "list") == 0)
    return list(r);
  report.every = strcmp(name, "all") != 0;
  struct record_node *counted = counts_begin(r);
  if (report.json && report.every)
    report.cases = record_array(r, &r->root, "cases", NULL);
  else if (report.json)
    report.failures = record_array(r, &r->root, "failures", NULL);
  if (!report.json)
    say("TAP version 14");
  if (!check_run(name, &extent, each, &report, &counts, &why))
    return record_usage(r, args_get(args, "name")->at, "no check '%s'; 'check list' lists them", name);
  if (why)
    return record_refuse(r, "%s", why);
  format(plan, sizeof plan, "1..%u", report.number);
  if (!report.json)
    say(plan);
  summary(r, counted, &counts, console_interrupted());
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
   .args = "full? (from start:num)? name:word?",
   .brief = "judge this machine by the architecture: a group of checks, or all",
   .example = "check list; check invlpg; check rights from 0x1000",
   .sdm = "Caching Translation Information",
   .text = "[{counts.pass} passed, {counts.fail} failed, {counts.observed} observed, {counts.skip} skipped]",
   .more =
     "PASS: the architecture guarantees it, and it came. FAIL: it breaks a rule. OBSERVED: several outcomes are permitted, and this one "
     "came. SKIP: a feature is missing. The output is TAP 14. 'check rights' has more combinations than anybody waits for and tries a "
     "sample of them: 'full' tries all, 'from' all from that number on.",
   .run = cmd_check},
  {.name = "compare",
   .args = "script:rest",
   .brief = "run one script in every paging mode, and show one table",
   .example = "compare { map 0x40000000 A; read 0x40000000; map 0x40000000 B; read 0x40000000 }",
   .text = "",
   .more =
     "In each mode the lab starts afresh. The first 16 commands are shown; '!' marks a violation. Afterwards the mode is what it was, with a fresh lab.",
   .flags = COMMAND_QUIET,
   .run = cmd_compare},
  {.name = NULL},
};

const struct command_family cmd_prove = {"prove", "judge the machine", commands};
