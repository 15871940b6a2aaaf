/* Commands that say what the architecture permits, and why something happened: predict, why, rules, watch, lazy. */
#include "lib/format.h"
#include "lib/text.h"
#include "repl/common.h"
#include "repl/diff.h"
#include "repl/explain.h"
#include "repl/shell.h"
#include "repl/state.h"
#include "repl/watch.h"

#include <string.h>

/* ---- predict ---- */

/* A planned entry as the diff would show it, with the address of the command as its own. */
static struct lab_change change_of(const struct edit_write *write, laddr_t va)
{
  unsigned shift = lab_paging()->format->level[write->level].shift;
  return (struct lab_change){.va = laddr(va.v & ~address_mask(shift)),
                             .level = write->level,
                             .at = write->at,
                             .before = write->before,
                             .after = write->after};
}

static void say_plan(struct record *r, laddr_t va)
{
  const struct edit_write *writes;
  struct advice advice = {0};
  unsigned count = lab_planned(&writes);
  struct record_node *list = record_array(r, &r->root, "plan", DIFF_ROW_TEXT);
  for (unsigned i = 0; i < count && i < LAB_PLAN_MAX; i++) {
    const struct lab_change change = change_of(&writes[i], va);
    const struct advice_change of = {.va = change.va, .level = change.level, .before = change.before, .after = change.after};
    advice_add(&advice, lab_model(), lab_paging(), &of);
    if (change.before != change.after)
      diff_row(r, list, &change);
  }
  if (count > LAB_PLAN_MAX)
    record_count(r, record_object(r, list, NULL), "more", count - LAB_PLAN_MAX);
  if (advice.rule)
    explain_advice(r, &advice);
}

/* Runs the edit with tables that take no writes. What its handler says is of a world that did not change, and is thrown away. */
static bool plan(const struct command *command, const struct args *args, const char *text, struct record *r)
{
  lab_plan(true);
  bool possible = command->run(args, r);
  lab_plan(false);
  if (!possible)
    return false;
  r = record_begin("predict");
  r->text = "{of}: it would write[; then it needs {needs}]";
  record_string(r, &r->root, "of", text);
  say_plan(r, laddr(args_number(args, "va", 0)));
  return true;
}

static bool cmd_predict(const struct args *args, struct record *r)
{
  static struct args inner;
  const struct args_value *rest = args_get(args, "command");
  const char *text = args->text;
  size_t at = rest->at, length = text_word(text + at);
  const struct command *command = command_find(text + at, length, at, r);
  if (command == NULL || !args_parse(command->args, text, at + length, shell_names(), &inner, r))
    return false;
  record_string(r, &r->root, "of", text + at);
  if (command->predict)
    return command->predict(&inner, r);
  if (!(command->flags & COMMAND_EDITS) || strcmp(command->name, "recursive") == 0)
    return record_refuse(r, "'%s' is nothing to predict: an access, an edit or an invalidation is", command->name);
  return plan(command, &inner, text + at, r);
}

static bool cmd_why(const struct args *args, struct record *r)
{
  (void)args;
  return explain_why(r);
}

/* ---- rules ---- */

static bool contains(const char *text, const char *word)
{
  size_t length = strlen(word);
  for (; text && *text; text++) {
    size_t same = 0;
    while (same < length && text_lower(text[same]) == text_lower(word[same]) && text[same])
      same++;
    if (same == length)
      return true;
  }
  return false;
}

static bool concerns(const struct rule *rule, const char *word)
{
  return contains(rule->name, word) || contains(rule->says, word) || contains(rule->sdm, word) || contains(rule->amd, word) ||
         contains(rules_class_name((enum rule_class)rule->class), word);
}

static void rule_row(struct record *r, struct record_node *list, const struct rule *rule, bool whole)
{
  struct record_node *row = record_object(r, list, NULL);
  record_string(r, row, "class", rules_class_name((enum rule_class)rule->class));
  record_string(r, row, "rule", rule->name);
  record_string(r, row, "says", rule->says);
  if (!whole)
    return;
  record_string(r, row, "sdm", rule->sdm);
  if (rule->amd)
    record_string(r, row, "amd", rule->amd);
  if (!(rule->vendors & lab_model()->vendor))
    record_string(r, row, "elsewhere", "not a rule for this CPU's maker");
}

static bool cmd_rules(const struct args *args, struct record *r)
{
  char word[32];
  bool all = !args_has(args, "word");
  args_text(args, "word", word, sizeof word);
  struct record_node *list =
    record_array(r, &r->root, "rules",
                 "{class%-8} {rule%-20} {says}[\n                                SDM: {sdm}][\n                                AMD: {amd}]"
                 "[\n                                ({elsewhere})]");
  unsigned count = 0;
  for (const struct rule *rule = rules; rule->name; rule++)
    if (all || concerns(rule, word)) {
      rule_row(r, list, rule, !all || state_get()->json);
      count++;
    }
  if (count == 0)
    return record_usage(r, args_get(args, "word")->at, "no rule speaks of '%s'; 'rules' lists them all", word);
  return true;
}

/* ---- watch, lazy ---- */

static bool cmd_watch(const struct args *args, struct record *r)
{
  bool off = args_has(args, "off");
  laddr_t va = laddr(args_number(args, "va", 0));
  watch_show();
  if (!args_has(args, "va"))
    return off ? record_usage(r, args_get(args, "off")->at, "which address? 'watch VA off'") : true;
  if (!format_canonical(lab_paging()->format, va))
    return record_refuse(r, "0x%llx is not canonical: it is never cached", (unsigned long long)va.v);
  return common_allowed(r, watch_set(va, !off));
}

static bool cmd_lazy(const struct args *args, struct record *r)
{
  struct state *state = state_get();
  if (args_has(args, "state"))
    state->lazy = args_number(args, "state", 0) == 0;
  record_bool(r, &r->root, "lazy", state->lazy);
  record_count(r, &r->root, "saved", lab_counts()->saved);
  record_count(r, &r->root, "repaired", lab_counts()->repaired);
  return true;
}

static const struct command commands[] = {
  {.name = "predict",
   .args = "command:rest",
   .brief = "say what a command may come to, without running it",
   .example = "map 0x40000000 A; read 0x40000000; map 0x40000000 B; predict read 0x40000000; predict unmap 0x40000000",
   .sdm = "Caching Translation Information",
   .text = "{of}:[ {class}: {says} ({section})][; it MAY {may}]",
   .more =
     "MUST: the architecture guarantees it. MAY: one of a permitted set. PLATFORM: some CPUs do so. For an edit: what it would write, and "
     "what that needs.",
   .flags = COMMAND_PAGED,
   .run = cmd_predict},
  {.name = "why",
   .args = "",
   .brief = "say why the last access came out so, by which rule",
   .example = "map 0x40000000 A; read 0x40000000; map 0x40000000 B; read 0x40000000; why",
   .sdm = "Caching Translation Information",
   .text =
     "{of}: [{outcome}, ][{class}, ][needs {needs}, ][by rule {rule}][?!rule:by no rule][\n  {says}][\n  SDM: {section}[; AMD APM: {amd}]]"
     "[\n  {because}][\n  {prevent}][\n  the tables: {tables}]"
     "[\n  VIOLATION of {violation.rule}: {violation.says} ({violation.sdm})[; dropped by {violation.dropped_by}]]",
   .more = "It tells which permitted outcome it was, which command made that possible and what would have prevented it. After an edit it "
           "tells what the edit needs, after an invalidation what that must drop.",
   .flags = COMMAND_PAGED,
   .run = cmd_why},
  {.name = "rules",
   .args = "word:word?",
   .brief = "list the rules of caching, or those with a word",
   .example = "rules; rules global",
   .sdm = "Caching Translation Information",
   .text = "",
   .run = cmd_rules},
  {.name = "watch",
   .args = "va:addr? off?",
   .brief = "after each command, tell what may be cached of a page",
   .example = "watch 0x40000000; map 0x40000000 A; read 0x40000000; unmap 0x40000000; watch; watch 0x40000000 off",
   .sdm = "Details of TLB Use",
   .text = "",
   .flags = COMMAND_PAGED,
   .run = cmd_watch},
  {.name = "lazy",
   .args = "state:on|off?",
   .brief = "repair spurious faults, and count the flushes saved",
   .example = "lazy on; map 0x40000000 A ro; read 0x40000000; protect 0x40000000 +w; write 0x40000000 1; lazy; lazy off",
   .sdm = "Optional Invalidation",
   .text = "[?lazy:on][?!lazy:off]: {saved} {saved%?flush|flushes} saved, {repaired} spurious {repaired%?fault|faults} repaired",
   .more = "An edit that only gives rights, or clears A or D, needs no invalidation then.",
   .run = cmd_lazy},
  {.name = NULL},
};

const struct command_family cmd_explain = {"explain", "what the architecture permits, and why something happened", commands};
