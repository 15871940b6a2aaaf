/* Commands that invalidate: exactly what their instruction does, and no more. */
#include "repl/common.h"
#include "repl/state.h"

#define LIMIT_4G 0xffffffffu

/* A faulting instruction is an answer, not a failure of the command. */
static bool report(struct record *r, const struct machine_fault *fault)
{
  if (!fault->raised)
    return true;
  r->status = STATUS_FAULT;
  common_fault(r, fault);
  return true;
}

static bool lacks(struct record *r, enum machine_feature feature)
{
  if (machine_features_have(machine_cpu()->features, feature))
    return false;
  record_refuse(r, "this CPU has no %s (%s is 0)", machine_features[feature].name, machine_features[feature].cpuid_bit);
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
  struct machine_result result = machine_invlpg(&operand);
  record_hex(r, &r->root, "va", operand.va.v);
  if (operand.segment) {
    uint64_t linear = operand.va.v + (operand.null ? 0 : operand.base);
    record_hex(r, &r->root, "linear", wide ? linear : linear & LIMIT_4G);
  }
  record_count(r, &r->root, "cpl", operand.cpl);
  if (!result.fault.raised)
    common_ticks(r, &result);
  return report(r, &result.fault);
}

static bool cmd_cr3(const struct args *args, struct record *r)
{
  const uint64_t no_flush = 1ULL << 63;
  uint64_t value = machine_register_read(REGISTER_CR3);
  bool keep = args_has(args, "noflush");
  if (keep && !(machine_register_read(REGISTER_CR4) & CR4_PCIDE))
    return record_refuse(r, "bit 63 of CR3 means 'keep' only while CR4.PCIDE is 1: set cr4.pcide=1");
  record_hex(r, &r->root, "cr3", value);
  struct machine_fault fault = machine_register_write(REGISTER_CR3, keep ? value | no_flush : value);
  return report(r, &fault);
}

static bool cmd_pge(const struct args *args, struct record *r)
{
  (void)args;
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  if (lacks(r, FEATURE_PGE))
    return false;
  struct machine_fault fault = machine_register_write(REGISTER_CR4, cr4 ^ CR4_PGE);
  if (!fault.raised)
    fault = machine_register_write(REGISTER_CR4, cr4);
  record_count(r, &r->root, "pge", (cr4 & CR4_PGE) != 0);
  return report(r, &fault);
}

/* In 64-bit mode the CPU must refuse with a #GP. QEMU's TCG does not, and runs on in no mode at all: so it takes unsafe=1. */
static bool cmd_pg(const struct args *args, struct record *r)
{
  (void)args;
  if (lab_paging()->format->linear_bits > 32 && !state_get()->unsafe)
    return record_refuse(r, "64-bit mode cannot turn paging off: clearing CR0.PG there is a #GP; 'mode off' goes the long way round");
  struct machine_fault fault = machine_paging_toggle();
  return report(r, &fault);
}

static bool cmd_task_switch(const struct args *args, struct record *r)
{
  (void)args;
  uint64_t cr3 = machine_register_read(REGISTER_CR3);
  if (lab_paging()->format->linear_bits > 32)
    return record_refuse(r, "64-bit mode has no hardware task switch: a far JMP to a TSS is a #GP there; 'mode 32' and 'mode pae' have it");
  record_hex(r, &r->root, "cr3", cr3);
  struct machine_fault fault = machine_task_switch(cr3);
  return report(r, &fault);
}

static bool cmd_invpcid(const struct args *args, struct record *r)
{
  if (lacks(r, FEATURE_INVPCID))
    return false;
  uint64_t type = args_number(args, "type", 0), pcid = args_number(args, "pcid", 0);
  struct machine_result result = machine_invpcid(type, pcid, laddr(args_number(args, "va", 0)));
  record_count(r, &r->root, "type", type);
  record_count(r, &r->root, "pcid", pcid);
  record_hex(r, &r->root, "va", args_number(args, "va", 0));
  if (!result.fault.raised)
    common_ticks(r, &result);
  return report(r, &result.fault);
}

#define FAULT_TEXT "[{fault.name}[ error {fault.error}][ ({fault.flags})][ CR2 {fault.cr2}] at CPL {fault.cpl}]"

static const struct command commands[] = {
  {.name = "invlpg",
   .args = "va:addr (seg base:num limit:num?)? null? down? user?",
   .brief = "invalidate one page's translations; at ring 3 it faults",
   .example = "invlpg 0x40000000; invlpg 0x40000000 user; invlpg 0x1000 seg 0x40000000 0xffff",
   .sdm = "INVLPG - Invalidate TLB Entries",
   .text = "[linear address {linear}. ]" FAULT_TEXT,
   .more = "'seg BASE [LIMIT]' uses an FS override whose segment has that base and limit ('down': it expands down), "
           "'null' a NULL selector. The base counts, the limit does not.",
   .run = cmd_invlpg},
  {.name = "cr3",
   .args = "noflush?",
   .brief = "load CR3 with its own value: flushes what is not global",
   .example = "cr3",
   .sdm = "Operations that Invalidate TLBs and Paging-Structure Caches",
   .text = "CR3 = {cr3}. " FAULT_TEXT,
   .flags = COMMAND_PAGED,
   .run = cmd_cr3},
  {.name = "pge",
   .args = "",
   .brief = "toggle CR4.PGE and back: flushes everything, global pages too",
   .example = "pge",
   .sdm = "Operations that Invalidate TLBs and Paging-Structure Caches",
   .text = "CR4.PGE is {pge} again. " FAULT_TEXT,
   .run = cmd_pge},
  {.name = "pg",
   .args = "",
   .brief = "turn CR0.PG off and on again (32, pae): flushes everything",
   .example = "pg",
   .sdm = "Operations that Invalidate TLBs and Paging-Structure Caches",
   .text = FAULT_TEXT,
   .more = "64-bit mode cannot: clearing CR0.PG there is a #GP.",
   .flags = COMMAND_PAGED,
   .run = cmd_pg},
  {.name = "task-switch",
   .args = "",
   .brief = "switch tasks through a TSS that holds the same CR3 (32, pae)",
   .example = "task-switch",
   .sdm = "Task Switching; Operations that Invalidate TLBs and Paging-Structure Caches",
   .text = "CR3 = {cr3}. " FAULT_TEXT,
   .more = "A task switch must invalidate only if it changes CR3; whether a CPU flushes here too is for you to see. "
           "64-bit mode has no hardware task switch.",
   .flags = COMMAND_PAGED,
   .run = cmd_task_switch},
  {.name = "invpcid",
   .args = "type:num pcid:num? va:addr?",
   .brief = "INVPCID: 0 a page of a PCID, 1 a PCID, 2 all, 3 all but global pages",
   .example = "invpcid 2",
   .sdm = "INVPCID - Invalidate Process-Context Identifier",
   .text = "type {type} pcid {pcid} va {va}. " FAULT_TEXT,
   .flags = COMMAND_PAGED,
   .run = cmd_invpcid},
  {.name = NULL},
};

const struct command_family cmd_invalidate = {"invalidate", "drop translations", commands};
