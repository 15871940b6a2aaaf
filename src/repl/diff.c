#include "repl/diff.h"

#include "repl/common.h"
#include "repl/explain.h"
#include "repl/state.h"

/* A command like split can change a thousand entries. Nobody reads more than a few; a program gets more. */
#define DIFF_ROWS_TEXT 8
#define DIFF_ROWS_JSON 64

struct rows {
  struct record *record;
  struct record_node *array;
  unsigned count, most;
  bool edited;
  struct advice advice;
  struct predict_violation violation;
};

/* SDM, Accessed and Dirty Flags: that is all the CPU writes. One entry can serve at several levels, so that D may be set where it means
 * nothing; a PDPTE of PAE paging has no A (but a root may have been made a directory, or a page table, by hand). Whatever else changed
 * while the CPU made an access, and was not the access itself, it did wrong. */
static void check_cpu(struct rows *rows, const struct lab_change *change)
{
  const uint64_t a_and_d = 1u << 5 | 1u << 6;
  bool in_root = change->at.v >> PAGE_SHIFT == machine_layout()->root.v >> PAGE_SHIFT;
  bool pdpte = in_root && lab_paging()->format->root_latched && !lab_tables_refer(machine_layout()->root);
  uint64_t changed = change->before ^ change->after;
  bool set_only = change->before & 1 && !pdpte && (changed & a_and_d & change->after) == changed;
  if (lab_touch_since() && change->watched && !set_only && !lab_touch_wrote(change->at))
    rows->violation.rule = rules_named("flags-only");
}

static void judge(struct rows *rows, const struct lab_change *change)
{
  const struct advice_change of = {.va = change->va, .level = change->level, .before = change->before, .after = change->after};
  if (rows->edited)
    advice_add(&rows->advice, lab_model(), lab_paging(), &of);
  else
    check_cpu(rows, change);
}

void diff_row(struct record *r, struct record_node *array, const struct lab_change *change)
{
  const struct paging *paging = lab_paging();
  char flags[96];
  struct record_node *row = record_object(r, array, NULL);
  record_hex(r, row, "va", change->va.v);
  record_string(r, row, "level", paging->format->level[change->level].name);
  record_hex(r, row, "at", change->at.v);
  record_hex(r, row, "before", change->before);
  record_hex(r, row, "after", change->after);
  record_string(r, row, "flags", format_difference(paging, change->level, change->before, change->after, flags, sizeof flags));
}

static void add_row(void *context, const struct lab_change *change)
{
  struct rows *rows = context;
  rows->count++;
  judge(rows, change);
  if (rows->count <= rows->most)
    diff_row(rows->record, rows->array, change);
}

static void flush_now(struct record *r, const struct advice *advice)
{
  char remedy[40];
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  const struct machine_invlpg operand = {.va = advice->va};
  if (advice->how == HOW_INVLPG)
    lab_invlpg(&operand);
  else if (advice->how == HOW_CR3)
    lab_register_write(REGISTER_CR3, machine_register_read(REGISTER_CR3));
  else {
    lab_register_write(REGISTER_CR4, cr4 ^ CR4_PGE);
    lab_register_write(REGISTER_CR4, cr4);
  }
  record_string(r, &r->root, "flushed", explain_remedy(advice, remedy, sizeof remedy));
}

/* What can be left to the page-fault handler is left to it with `lazy on`. */
static void say_needs(struct record *r, const struct advice *advice)
{
  const struct state *state = state_get();
  explain_advice(r, advice);
  explain_did_edit(advice);
  bool left_out = advice->need == NEED_OPTIONAL && state->lazy;
  if (left_out)
    lab_counts_change()->saved++;
  if (state->autoflush && advice->need != NEED_NOTHING && !left_out)
    flush_now(r, advice);
}

/* As Linux's tracepoint tlb_flush: what was invalidated, and what it took. */
static void trace_record(struct record *r)
{
  struct record_node *list = record_array(r, &r->root, "trace", "flush {with}[ {va}][, PCID {pcid}][, {ticks} ticks][... and {more} more]");
  unsigned count = lab_trace_count();
  for (unsigned i = 0; lab_trace(i); i++) {
    const struct lab_traced *t = lab_trace(i);
    const struct rule *rule = rules_of_operation((enum rule_operation)t->operation, lab_model()->vendor);
    struct record_node *row = record_object(r, list, NULL);
    record_string(r, row, "with", explain_operation_name((enum rule_operation)t->operation));
    if (rule->tlb == SCOPE_PAGE)
      record_hex(r, row, "va", t->va.v);
    if (machine_register_read(REGISTER_CR4) & CR4_PCIDE)
      record_count(r, row, "pcid", t->pcid);
    if (t->ticks)
      common_ticks_count(r, row, "ticks", t->ticks);
  }
  if (count > LAB_TRACE_MAX)
    record_count(r, record_object(r, list, NULL), "more", count - LAB_TRACE_MAX);
}

void diff_record(struct record *r, bool edited)
{
  struct rows rows = {.record = r, .most = state_get()->json ? DIFF_ROWS_JSON : DIFF_ROWS_TEXT, .edited = edited};
  rows.array = record_array(r, &r->root, "diff", DIFF_ROW_TEXT);
  lab_diff(add_row, &rows);
  if (rows.advice.rule)
    say_needs(r, &rows.advice);
  if (rows.violation.rule && !record_find(&r->root, "violation")) {
    explain_violation(r, &rows.violation);
    lab_counts_change()->violations++;
  }
  if (rows.count > rows.most)
    record_count(r, record_object(r, rows.array, NULL), "more", rows.count - rows.most);
  if (state_get()->trace && lab_trace_count() > 0)
    trace_record(r);
}
