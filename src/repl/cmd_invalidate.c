/* Commands that invalidate: exactly what their instruction does, and no more. */
#include "machine/console.h"
#include "repl/common.h"
#include "repl/explain.h"
#include "repl/state.h"

#define LIMIT_4G 0xffffffffu

/* A faulting instruction is an answer, not a failure of the command. */
static bool report(struct record *r, enum rule_operation operation, const struct machine_fault *fault)
{
  explain_did_operation(operation);
  if (!fault->raised)
    return true;
  r->status = STATUS_FAULT;
  common_fault(r, fault);
  return true;
}

static bool cmd_invlpg(const struct args *args, struct record *r)
{
  struct machine_invlpg operand = {.va = laddr(args_number(args, "va", 0)),
                                   .cpl = args_has(args, "user") ? 3 : 0,
                                   .segment = args_has(args, "base") || args_has(args, "null"),
                                   .null = args_has(args, "null"),
                                   .expand_down = args_has(args, "down"),
                                   .base = args_number(args, "base", 0),
                                   .limit = (uint32_t)args_number(args, "limit", LIMIT_4G)};
  if (args_number(args, "limit", 0) > LIMIT_4G)
    return record_usage(r, args_get(args, "limit")->at, "a segment limit has 32 bits");
  bool wide = lab_paging()->format != NULL && lab_paging()->format->linear_bits > 32;
  if (!wide && operand.base > LIMIT_4G)
    return record_usage(r, args_get(args, "base")->at, "a segment base has 32 bits in this mode");
  struct machine_result result = lab_invlpg(&operand);
  record_hex(r, &r->root, "va", operand.va.v);
  if (operand.segment) {
    uint64_t linear = operand.va.v + (operand.null ? 0 : operand.base);
    record_hex(r, &r->root, "linear", wide ? linear : linear & LIMIT_4G);
  }
  record_count(r, &r->root, "cpl", operand.cpl);
  if (!result.fault.raised)
    common_ticks(r, &result);
  return report(r, OPERATION_INVLPG, &result.fault);
}

static bool cmd_cr3(const struct args *args, struct record *r)
{
  const uint64_t no_flush = 1ULL << 63;
  uint64_t value = machine_register_read(REGISTER_CR3);
  bool keep = args_has(args, "noflush");
  if (keep && !(machine_register_read(REGISTER_CR4) & CR4_PCIDE))
    return record_refuse(r, "bit 63 of CR3 means 'keep' only while CR4.PCIDE is 1: set cr4.pcide=1");
  record_hex(r, &r->root, "cr3", value);
  struct machine_fault fault = lab_register_write(REGISTER_CR3, keep ? value | no_flush : value);
  return report(r, keep ? OPERATION_MOV_CR3_KEEP : OPERATION_MOV_CR3, &fault);
}

static bool cmd_pge(const struct args *args, struct record *r)
{
  (void)args;
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  if (common_lacks(r, FEATURE_PGE))
    return false;
  struct machine_fault fault = lab_register_write(REGISTER_CR4, cr4 ^ CR4_PGE);
  if (!fault.raised)
    fault = lab_register_write(REGISTER_CR4, cr4);
  record_count(r, &r->root, "pge", (cr4 & CR4_PGE) != 0);
  return report(r, OPERATION_CR4_PGE, &fault);
}

/* In 64-bit mode the CPU must refuse with a #GP. QEMU's TCG does not, and runs on in no mode at all: so it takes unsafe=1. */
static bool cmd_pg(const struct args *args, struct record *r)
{
  (void)args;
  if (lab_paging()->format->linear_bits > 32 && !state_get()->unsafe)
    return record_refuse(r, "64-bit mode cannot turn paging off: clearing CR0.PG there is a #GP; 'mode off' goes the long way round");
  struct machine_fault fault = lab_paging_toggle();
  return report(r, OPERATION_CR0_PG, &fault);
}

static bool cmd_task_switch(const struct args *args, struct record *r)
{
  unsigned to = (unsigned)args_number(args, "space", lab_space_current());
  if (lab_paging()->format->linear_bits > 32)
    return record_refuse(r, "64-bit mode has no hardware task switch: a far JMP to a TSS is a #GP there; 'mode 32' and 'mode pae' have it");
  if (lab_space(to) == NULL)
    return record_usage(r, args_get(args, "space")->at, "there is no space %u; 'space' lists them, 'space new' makes one", to);
  uint64_t cr3 = lab_space_cr3(to);
  bool same = cr3 == machine_register_read(REGISTER_CR3);
  record_hex(r, &r->root, "cr3", cr3);
  struct machine_fault fault = lab_task_switch(cr3);
  lab_space_entered(to);
  if (same && !fault.raised)
    record_string(r, &r->root, "note", "the same CR3: a CPU need not flush");
  return report(r, same ? OPERATION_MOV_CR3_KEEP : OPERATION_TASK_SWITCH, &fault);
}

static enum rule_operation invpcid_operation(uint64_t type)
{
  static const uint8_t operations[] = {OPERATION_INVPCID_ADDRESS, OPERATION_INVPCID_CONTEXT, OPERATION_INVPCID_ALL,
                                       OPERATION_INVPCID_NONGLOBAL};
  return type < sizeof operations ? (enum rule_operation)operations[type] : OPERATION_NONE;
}

static bool cmd_invpcid(const struct args *args, struct record *r)
{
  if (common_lacks(r, FEATURE_INVPCID))
    return false;
  uint64_t type = args_number(args, "type", 0), pcid = args_number(args, "pcid", 0);
  struct machine_result result = lab_invpcid(type, pcid, laddr(args_number(args, "va", 0)));
  record_count(r, &r->root, "type", type);
  record_count(r, &r->root, "pcid", pcid);
  record_hex(r, &r->root, "va", args_number(args, "va", 0));
  if (!result.fault.raised)
    common_ticks(r, &result);
  return report(r, invpcid_operation(type), &result.fault);
}

/* ---- what each must do, for predict ---- */

static bool must(struct record *r, enum rule_operation operation)
{
  const struct rule *rule = rules_of_operation(operation, lab_model()->vendor);
  record_string(r, &r->root, "class", rules_class_name((enum rule_class)rule->class));
  record_string(r, &r->root, "rule", rule->name);
  record_string(r, &r->root, "says", rule->says);
  record_string(r, &r->root, "section", rule->sdm);
  record_string(r, &r->root, "may", "drop anything else too (tlb-may-drop)");
  return true;
}

static bool predict_invlpg(const struct args *args, struct record *r)
{
  if (args_has(args, "user")) {
    record_string(r, &r->root, "class", "MUST");
    record_string(r, &r->root, "says", "INVLPG is privileged: in ring 3 it raises #GP and drops nothing");
    record_string(r, &r->root, "section", "INVLPG - Invalidate TLB Entries");
    return true;
  }
  return must(r, OPERATION_INVLPG);
}

static bool predict_cr3(const struct args *args, struct record *r)
{
  return must(r, args_has(args, "noflush") ? OPERATION_MOV_CR3_KEEP : OPERATION_MOV_CR3);
}

static bool predict_pge(const struct args *args, struct record *r)
{
  (void)args;
  return must(r, OPERATION_CR4_PGE);
}

static bool predict_pg(const struct args *args, struct record *r)
{
  (void)args;
  return must(r, OPERATION_CR0_PG);
}

static bool predict_task_switch(const struct args *args, struct record *r)
{
  uint64_t to = args_number(args, "space", lab_space_current());
  return must(r, to == lab_space_current() ? OPERATION_MOV_CR3_KEEP : OPERATION_TASK_SWITCH);
}

static bool predict_invpcid(const struct args *args, struct record *r)
{
  enum rule_operation operation = invpcid_operation(args_number(args, "type", 0));
  if (operation == OPERATION_NONE)
    return record_usage(r, args_get(args, "type")->at, "INVPCID has the types 0 to 3; others raise #GP");
  return must(r, operation);
}

/* ---- flush ---- */

struct flush {
  uint64_t va, bytes, pages, ticks;
  bool global;
};

/* One INVLPG is enough for a page of any size (SDM, Details of TLB Use). Calls INVLPG for each page, or only counts them. */
static void each_page(struct flush *f, bool invalidate)
{
  f->pages = 0;
  for (uint64_t at = f->va; at - f->va < f->bytes && !console_interrupted();) {
    struct walk walk = walk_run(lab_paging(), laddr(at));
    uint64_t size = 1ULL << (walk.end == WALK_MAPPED ? walk.shift : PAGE_SHIFT);
    const struct machine_invlpg operand = {.va = laddr(at)};
    f->global = f->global || (walk.end == WALK_MAPPED && walk.global);
    if (invalidate)
      f->ticks += lab_invlpg(&operand).ticks;
    f->pages++;
    at = (at & ~(size - 1)) + size;
    if (at == 0)
      return;
  }
}

static bool flush_full(struct record *r, struct flush *f)
{
  uint64_t cr4 = machine_register_read(REGISTER_CR4), start = machine_ticks();
  struct machine_fault fault = {0};
  if (f->global) {
    fault = lab_register_write(REGISTER_CR4, cr4 ^ CR4_PGE);
    lab_register_write(REGISTER_CR4, cr4);
  } else {
    fault = lab_register_write(REGISTER_CR3, machine_register_read(REGISTER_CR3));
  }
  f->ticks = machine_ticks() - start;
  record_string(r, &r->root, "with", f->global ? "pge" : "cr3");
  lab_counts_change()->in_full++;
  return report(r, f->global ? OPERATION_CR4_PGE : OPERATION_MOV_CR3, &fault);
}

#define FLUSH_PAGES_MAX (1u << 22)

static bool cmd_flush(const struct args *args, struct record *r)
{
  struct flush f = {.va = args_number(args, "va", 0), .bytes = args_number(args, "bytes", 1)};
  uint64_t ceiling = state_get()->flush_ceiling;
  bool can = machine_features_have(machine_cpu()->features, FEATURE_INVLPG) != 0;
  if (f.bytes >> PAGE_SHIFT > FLUSH_PAGES_MAX || f.bytes == 0)
    return record_usage(r, args_get(args, "bytes")->at, "a range has from 1 byte to %u GiB", FLUSH_PAGES_MAX >> 18);
  each_page(&f, false);
  bool by_page = can && f.pages <= ceiling;
  record_hex(r, &r->root, "va", f.va);
  record_count(r, &r->root, "pages", f.pages);
  record_count(r, &r->root, "ceiling", ceiling);
  record_string(r, &r->root, "way", by_page ? "page by page" : "in full");
  if (!can)
    record_string(r, &r->root, "note", "this CPU has no INVLPG");
  if (!by_page)
    return flush_full(r, &f);
  each_page(&f, true);
  record_string(r, &r->root, "with", "invlpg");
  lab_counts_change()->by_page++;
  explain_did_operation(OPERATION_INVLPG);
  if (f.ticks)
    common_ticks_count(r, &r->root, "ticks", f.ticks);
  return true;
}

/* ---- counters ---- */

static void count_row(struct record *r, struct record_node *list, const char *what, uint64_t count)
{
  struct record_node *row = record_object(r, list, NULL);
  record_string(r, row, "what", what);
  record_count(r, row, "count", count);
}

static bool cmd_stat(const struct args *args, struct record *r)
{
  const struct lab_counts *c = lab_counts();
  const struct {
    const char *what;
    uint64_t count;
  } others[] = {
    {"flush: page by page", c->by_page},
    {"flush: in full", c->in_full},
    {"flushes left out (lazy)", c->saved},
    {"spurious faults", c->spurious},
    {"spurious faults repaired", c->repaired},
    {"accesses", c->accesses},
    {"stale accesses", c->stale},
    {"violations", c->violations},
  };
  if (args_has(args, "clear")) {
    *lab_counts_change() = (struct lab_counts){0};
    return true;
  }
  struct record_node *list = record_array(r, &r->root, "counts", NULL);
  for (unsigned i = 1; i < OPERATIONS; i++)
    if (c->operation[i] || i == OPERATION_INVLPG || i == OPERATION_MOV_CR3)
      count_row(r, list, explain_operation_name((enum rule_operation)i), c->operation[i]);
  for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
    count_row(r, list, others[i].what, others[i].count);
  if (c->ticks && common_shows_ticks())
    count_row(r, list, "ticks spent invalidating", c->ticks);
  return true;
}

static bool cmd_trace(const struct args *args, struct record *r)
{
  state_get()->trace = args_number(args, "state", 0) == 0;
  record_bool(r, &r->root, "trace", state_get()->trace);
  return true;
}

#define FAULT_TEXT "[{fault.name}[ error {fault.error}][ ({fault.flags})][ CR2 {fault.cr2}] at CPL {fault.cpl}]"

static const struct command commands[] = {
  {.name = "invlpg",
   .args = "va:addr (seg base:num limit:num?)? null? down? user?",
   .brief = "drop one page's translations; at ring 3 it faults",
   .example = "invlpg 0x40000000; invlpg 0x40000000 user; invlpg 0x1000 seg 0x40000000 0xffff",
   .sdm = "INVLPG - Invalidate TLB Entries",
   .text = "[linear address {linear}. ]" FAULT_TEXT,
   .more = "'seg BASE [LIMIT]' uses an FS override whose segment has that base and limit ('down': it expands down), "
           "'null' a NULL selector. The base counts, the limit does not.",
   .run = cmd_invlpg,
   .predict = predict_invlpg},
  {.name = "cr3",
   .args = "noflush?",
   .brief = "load CR3 with its own value: drops what is not global",
   .example = "cr3",
   .sdm = "Operations that Invalidate TLBs and Paging-Structure Caches",
   .text = "CR3 = {cr3}. " FAULT_TEXT,
   .flags = COMMAND_PAGED,
   .run = cmd_cr3,
   .predict = predict_cr3},
  {.name = "pge",
   .args = "",
   .brief = "toggle CR4.PGE and back: drops all, global pages too",
   .example = "pge",
   .sdm = "Operations that Invalidate TLBs and Paging-Structure Caches",
   .text = "CR4.PGE is {pge} again. " FAULT_TEXT,
   .run = cmd_pge,
   .predict = predict_pge},
  {.name = "pg",
   .args = "",
   .brief = "turn CR0.PG off and on (32, pae): drops everything",
   .example = "pg",
   .sdm = "Operations that Invalidate TLBs and Paging-Structure Caches",
   .text = FAULT_TEXT,
   .more = "64-bit mode cannot: clearing CR0.PG there is a #GP.",
   .flags = COMMAND_PAGED,
   .run = cmd_pg,
   .predict = predict_pg},
  {.name = "invpcid",
   .args = "type:num pcid:num? va:addr?",
   .brief = "INVPCID: 0 a page, 1 a PCID, 2 all, 3 all not global",
   .example = "invpcid 2",
   .sdm = "INVPCID - Invalidate Process-Context Identifier",
   .text = "type {type} pcid {pcid} va {va}. " FAULT_TEXT,
   .flags = COMMAND_PAGED,
   .run = cmd_invpcid,
   .predict = predict_invpcid},
  {.name = "task-switch",
   .args = "space:num?",
   .brief = "switch tasks through a TSS, and CR3 with it (32, pae)",
   .example = "task-switch; space new; task-switch 1",
   .sdm = "Task Switching; Operations that Invalidate TLBs and Paging-Structure Caches",
   .text = "CR3 = {cr3}[ ({note})]. " FAULT_TEXT,
   .more = "A task switch must invalidate only if it changes CR3; whether a CPU flushes here too is for you to see. "
           "64-bit mode has no hardware task switch.",
   .flags = COMMAND_PAGED,
   .run = cmd_task_switch,
   .predict = predict_task_switch},
  {.name = "flush",
   .args = "va:addr bytes:num?",
   .brief = "invalidate a range; above flush.ceiling pages in full",
   .example = "flush 0x40000000 16k; set flush.ceiling=2; flush 0x40000000 16k; set flush.ceiling=33",
   .sdm = "Recommended Invalidation",
   .text = "{pages} {pages%?page|pages}, ceiling {ceiling}: {way}, by {with}[ ({note})][, {ticks} ticks]" FAULT_TEXT,
   .more = "The ceiling is what Linux calls tlb_single_page_flush_ceiling. A full flush is by MOV CR3, or a toggle of CR4.PGE where a page "
           "of the range is global.",
   .flags = COMMAND_PAGED,
   .run = cmd_flush},
  {.name = "stat",
   .args = "clear?",
   .brief = "count invalidations, faults and stale accesses so far",
   .example = "stat; stat clear",
   .text = "",
   .run = cmd_stat},
  {.name = "trace",
   .args = "flush state:on|off",
   .brief = "show each invalidation as it happens, and its cost",
   .example = "trace flush on; invlpg 0x40000000; trace flush off",
   .text = "",
   .run = cmd_trace},
  {.name = NULL},
};

const struct command_family cmd_invalidate = {"invalidate", "drop translations", commands};
