#include "repl/explain.h"

#include "lib/format.h"
#include "repl/common.h"
#include "repl/journal.h"
#include "repl/state.h"

/* What was done last. */
static struct {
  enum { DID_NOTHING, DID_ACCESS, DID_EDIT, DID_OPERATION } what;
  uint32_t command;
  struct lab_touch touch; /* what it points to stays as it is until the next access */
  struct advice advice;
  enum rule_operation operation;
} last;

const char *explain_outcome_name(const struct predict_outcome *outcome)
{
  if (outcome->fault)
    return "fault";
  return outcome->fresh ? "fresh" : "stale";
}

static const char *const operation_names[OPERATIONS] = {
  [OPERATION_NONE] = "nothing",
  [OPERATION_INVLPG] = "invlpg",
  [OPERATION_MOV_CR3] = "cr3",
  [OPERATION_MOV_CR3_KEEP] = "cr3 noflush",
  [OPERATION_CR4_PGE] = "pge",
  [OPERATION_CR4_PCIDE] = "set cr4.pcide=0",
  [OPERATION_CR4_PAE] = "cr4.pae",
  [OPERATION_CR4_PSE] = "set cr4.pse",
  [OPERATION_CR4_SMEP] = "set cr4.smep=1",
  [OPERATION_CR4_SMEP_OFF] = "set cr4.smep=0",
  [OPERATION_CR0_PG] = "pg",
  [OPERATION_INVPCID_ADDRESS] = "invpcid 0",
  [OPERATION_INVPCID_CONTEXT] = "invpcid 1",
  [OPERATION_INVPCID_ALL] = "invpcid 2",
  [OPERATION_INVPCID_NONGLOBAL] = "invpcid 3",
  [OPERATION_TASK_SWITCH] = "task-switch",
  [OPERATION_PAGE_FAULT] = "page fault",
};

const char *explain_operation_name(enum rule_operation operation)
{
  return operation_names[operation];
}

/* ---- predictions ---- */

static void say_outcome(struct record *r, struct record_node *list, const struct prediction *p, const struct predict_outcome *o)
{
  char text[64];
  struct record_node *row = record_object(r, list, NULL);
  record_string(r, row, "outcome", explain_outcome_name(o));
  if (!o->fault)
    record_string(r, row, "frame", lab_frame_name(o->pa, text, sizeof text));
  else if (o->vector == VECTOR_PF) {
    record_hex(r, row, "error", o->error);
    record_string(r, row, "flags", rights_error_flags(o->error, text, sizeof text));
  } else
    record_string(r, row, "exception", common_vector_name(o->vector));
  record_string(r, row, "class", rules_class_name(predict_class(p, o)));
  record_string(r, row, "rule", o->rule->name);
}

#define OUTCOME_TEXT "{class%-4} {outcome}[ from frame {frame}][ error {error}][ ({flags})][ {exception}] ({rule})"

void explain_prediction(struct record *r, const struct prediction *prediction, bool always)
{
  if (!always && !state_get()->json)
    return;
  struct record_node *list = record_array(r, &r->root, "predicted", OUTCOME_TEXT);
  for (unsigned i = 0; i < prediction->count; i++)
    say_outcome(r, list, prediction, &prediction->outcome[i]);
  if (!prediction->complete)
    record_string(r, &r->root, "incomplete", "more is possible: too much has changed since the last full flush to know all");
}

void explain_violation(struct record *r, const struct predict_violation *violation)
{
  char name[80];
  if (violation->rule == NULL)
    return;
  struct record_node *node = record_object(r, &r->root, "violation");
  record_string(r, node, "rule", violation->rule->name);
  record_string(r, node, "says", violation->rule->says);
  record_string(r, node, "sdm", violation->rule->sdm);
  if (violation->drop.time != 0)
    record_string(r, node, "dropped_by", journal_name(violation->drop.command, name, sizeof name));
}

/* ---- advice ---- */

char *explain_remedy(const struct advice *advice, char *text, unsigned size)
{
  static const char *const words[] = {[HOW_NOT] = "", [HOW_INVLPG] = "invlpg", [HOW_CR3] = "cr3", [HOW_ALL] = "pge"};
  if (advice->how == HOW_INVLPG)
    format(text, size, "invlpg 0x%llx", (unsigned long long)advice->va.v);
  else
    format(text, size, "%s", words[advice->how]);
  return text;
}

/* The table that a directory's entry refers to has a page of its own in the recursive mapping, with a translation of its own. */
static void second_window(const struct advice *advice, char *text, unsigned size)
{
  laddr_t window;
  text[0] = '\0';
  bool concerned = advice->table && advice->how == HOW_INVLPG && advice->level + 1u < lab_paging()->format->levels && lab_recursive();
  if (concerned && lab_recursive_address(advice->va, advice->level + 1u, &window))
    format(text, size, " and invlpg 0x%llx, the table's recursive window", (unsigned long long)(window.v & ~(uint64_t)(PAGE_SIZE - 1)));
}

void explain_advice(struct record *r, const struct advice *advice)
{
  char remedy[40], window[80];
  explain_remedy(advice, remedy, sizeof remedy);
  second_window(advice, window, sizeof window);
  if (advice->need == NEED_NOTHING)
    record_format(r, &r->root, "needs", "nothing: %s", advice->rule->says);
  else if (advice->older)
    record_format(r, &r->root, "needs", "%s: an older translation may still be cached", remedy);
  else
    record_format(r, &r->root, "needs", "%s%s%s: %s", advice->need == NEED_OPTIONAL ? "nothing, or " : "", remedy, window,
                  advice->rule->says);
  record_string(r, &r->root, "rule", advice->rule->name);
}

/* ---- why ---- */

void explain_did_access(const struct lab_touch *touch)
{
  last.what = DID_ACCESS;
  last.command = journal_now();
  last.touch = *touch;
}

const struct lab_touch *explain_last_access(void)
{
  return last.what == DID_ACCESS ? &last.touch : NULL;
}

void explain_did_edit(const struct advice *advice)
{
  last.what = DID_EDIT;
  last.command = journal_now();
  last.advice = *advice;
}

void explain_did_operation(enum rule_operation operation)
{
  last.what = DID_OPERATION;
  last.command = journal_now();
  last.operation = operation;
}

static void say_rule(struct record *r, const struct rule *rule)
{
  record_string(r, &r->root, "rule", rule->name);
  record_string(r, &r->root, "says", rule->says);
  record_string(r, &r->root, "section", rule->sdm);
  if (rule->amd)
    record_string(r, &r->root, "amd", rule->amd);
}

/* What would have forbidden it: an invalidation behind the change. */
static const char *prevention(const struct predict_outcome *o)
{
  bool page = !o->walked && o->past_level != MODEL_ROOT;
  if (o->rule->class == RULE_PLATFORM || !page)
    return page ? "invlpg of this page" : "invlpg of any page, or cr3,";
  return o->walk.global ? "invlpg of this page, or pge," : "invlpg of this page, or cr3,";
}

static void why_stale(struct record *r, const struct predict_outcome *o)
{
  char name[96];
  journal_name(o->past.command, name, sizeof name);
  const struct paging *paging = lab_paging();
  const char *what = o->past_level == MODEL_ROOT ? "CR3" : paging->format->level[o->past_level].name;
  record_format(r, &r->root, "because", "%s changed the %s%s, from 0x%llx, and nothing since then had to drop the older translation", name,
                what, o->past_level == MODEL_ROOT ? "" : " on its way", (unsigned long long)o->past.value);
  record_format(r, &r->root, "prevent", "%s after %s would have forbidden it", prevention(o),
                journal_text(o->past.command) ? name : "that");
}

/* For the only permitted outcome: the drop that forbids all others, where there would be others without it. */
static void why_must(struct record *r)
{
  static struct prediction undropped;
  char name[96];
  predict_ignoring(lab_model(), lab_paging(), last.touch.predicted, MODEL_NO_DROPS, &undropped);
  struct model_drop drop = model_dropped(lab_model(), last.touch.predicted->va, false, PAGE_SHIFT, MODEL_PERMITTED);
  if (drop.command == last.command) { /* by its own page fault, which came too late to matter: what had dropped it before? */
    drop = model_dropped(lab_model(), last.touch.predicted->va, false, PAGE_SHIFT, OPERATION_PAGE_FAULT);
    if (drop.time < lab_model()->newest)
      return;
  }
  if (undropped.count > last.touch.predicted->count && drop.operation != OPERATION_NONE)
    record_format(r, &r->root, "because", "%s dropped every older translation", journal_name(drop.command, name, sizeof name));
}

static void why_access(struct record *r)
{
  const struct predict_outcome *o = last.touch.matched;
  record_string(r, &r->root, "outcome", last.touch.outcome == LAB_FRESH ? "fresh" : last.touch.outcome == LAB_STALE ? "stale" : "fault");
  if (o) {
    record_string(r, &r->root, "class", rules_class_name(predict_class(last.touch.predicted, o)));
    say_rule(r, o->rule);
    if (o->from_past && !o->fresh)
      why_stale(r, o);
    else if (last.touch.predicted->count == 1)
      why_must(r);
  }
  if (last.touch.outcome == LAB_FAULT && !last.touch.expected.allowed)
    record_string(r, &r->root, "tables", last.touch.expected.reason);
  explain_violation(r, &last.touch.violation);
  explain_prediction(r, last.touch.predicted, last.touch.predicted->count > 1);
}

bool explain_why(struct record *r)
{
  const char *text = journal_text(last.command);
  if (last.what == DID_NOTHING)
    return record_refuse(r, "nothing has been accessed, changed or invalidated yet");
  record_string(r, &r->root, "of", text ? text : "an earlier command");
  if (last.what == DID_ACCESS)
    why_access(r);
  else if (last.what == DID_EDIT) {
    explain_advice(r, &last.advice);
    record_string(r, &r->root, "section", last.advice.rule->sdm);
  } else {
    const struct rule *rule = rules_of_operation(last.operation, lab_model()->vendor);
    record_string(r, &r->root, "class", rules_class_name((enum rule_class)rule->class));
    say_rule(r, rule);
  }
  return true;
}
