/* Whatever invalidates goes through here: it is done, the model is told, it is counted, and noted for the trace. */
#include "lab/private.h"

#define NO_FLUSH (1ULL << 63)
#define PCID_MASK 0xfffu

static struct lab_counts counts;
static struct lab_traced traced[LAB_TRACE_MAX];
static unsigned traced_count;

const struct lab_counts *lab_counts(void)
{
  return &counts;
}

struct lab_counts *lab_counts_change(void)
{
  return &counts;
}

const struct lab_traced *lab_trace(unsigned index)
{
  return index < traced_count && index < LAB_TRACE_MAX ? &traced[index] : NULL;
}

unsigned lab_trace_count(void)
{
  return traced_count;
}

void lab_trace_clear(void)
{
  traced_count = 0;
}

static uint16_t current_pcid(void)
{
  bool pcide = machine_register_read(REGISTER_CR4) & CR4_PCIDE;
  return pcide ? (uint16_t)(machine_register_read(REGISTER_CR3) & PCID_MASK) : 0;
}

static void happened(enum rule_operation operation, laddr_t va, uint16_t pcid, uint64_t ticks)
{
  lab_refresh();
  model_operation(lab_model_change(), lab_paging(), operation, va, pcid);
  counts.operation[operation]++;
  if (operation != OPERATION_PAGE_FAULT)
    counts.ticks += ticks;
  if (traced_count < LAB_TRACE_MAX)
    traced[traced_count] = (struct lab_traced){.operation = (uint8_t)operation, .va = va, .pcid = pcid, .ticks = ticks};
  traced_count++;
}

/* SDM, INVLPG: in 64-bit mode only FS and GS have a base, in other modes each segment; an address that is not canonical is a no-op. */
static laddr_t operand_address(const struct machine_invlpg *operand)
{
  uint64_t base = operand->segment && !operand->null ? operand->base : 0;
  const struct format *format = lab_paging()->format;
  bool wide = format && format->linear_bits > 32;
  return laddr(wide ? operand->va.v + base : (operand->va.v + base) & 0xffffffff);
}

struct machine_result lab_invlpg(const struct machine_invlpg *operand)
{
  struct machine_result result = machine_invlpg(operand);
  laddr_t va = operand_address(operand);
  bool did = !result.fault.raised && lab_paging()->format && format_canonical(lab_paging()->format, va);
  if (did)
    happened(OPERATION_INVLPG, va, current_pcid(), result.timed ? result.ticks : 0);
  return result;
}

struct machine_result lab_invpcid(uint64_t type, uint64_t pcid, laddr_t va)
{
  static const uint8_t operations[] = {OPERATION_INVPCID_ADDRESS, OPERATION_INVPCID_CONTEXT, OPERATION_INVPCID_ALL,
                                       OPERATION_INVPCID_NONGLOBAL};
  struct machine_result result = machine_invpcid(type, pcid, va);
  if (!result.fault.raised && type < sizeof operations)
    happened((enum rule_operation)operations[type], va, (uint16_t)pcid, result.timed ? result.ticks : 0);
  return result;
}

static void root_changed(void)
{
  lab_refresh();
  model_root(lab_model_change(), lab_paging(), machine_register_read(REGISTER_CR4) & CR4_PCIDE, current_pcid());
}

static void cr3_written(uint64_t value, uint64_t ticks)
{
  bool keep = machine_register_read(REGISTER_CR4) & CR4_PCIDE && value & NO_FLUSH;
  root_changed();
  happened(keep ? OPERATION_MOV_CR3_KEEP : OPERATION_MOV_CR3, laddr(0), current_pcid(), ticks);
}

/* What a change of which CR4 bit is. */
static const struct {
  uint64_t bit;
  uint8_t operation;
  bool set, cleared; /* which changes count */
} cr4_operations[] = {
  {CR4_PGE, OPERATION_CR4_PGE, true, true},      {CR4_PSE, OPERATION_CR4_PSE, true, true},
  {CR4_SMEP, OPERATION_CR4_SMEP, true, false},   {CR4_SMEP, OPERATION_CR4_SMEP_OFF, false, true},
  {CR4_PCIDE, OPERATION_CR4_PCIDE, false, true},
};

static void cr4_written(uint64_t before, uint64_t after, uint64_t ticks)
{
  root_changed();
  for (unsigned i = 0; i < sizeof cr4_operations / sizeof cr4_operations[0]; i++) {
    uint64_t bit = cr4_operations[i].bit;
    bool set = after & ~before & bit, cleared = before & ~after & bit;
    if ((set && cr4_operations[i].set) || (cleared && cr4_operations[i].cleared))
      happened((enum rule_operation)cr4_operations[i].operation, laddr(0), current_pcid(), ticks);
  }
}

struct machine_fault lab_register_write(enum machine_register reg, uint64_t value)
{
  uint64_t before = machine_register_read(reg), start = machine_ticks();
  struct machine_fault fault = machine_register_write(reg, value);
  uint64_t ticks = machine_ticks() - start;
  if (fault.raised)
    return fault;
  if (reg == REGISTER_CR3)
    cr3_written(value, ticks);
  else if (reg == REGISTER_CR4)
    cr4_written(before, value, ticks);
  lab_refresh();
  model_conditions(lab_model_change(), lab_paging());
  return fault;
}

struct machine_fault lab_paging_toggle(void)
{
  uint64_t start = machine_ticks();
  struct machine_fault fault = machine_paging_toggle();
  if (!fault.raised)
    happened(OPERATION_CR0_PG, laddr(0), current_pcid(), machine_ticks() - start);
  return fault;
}

static bool pdptes_reserved(uint64_t cr3)
{
  const struct paging *paging = lab_paging();
  for (unsigned i = 0; paging->format->root_latched && i < 4; i++) {
    uint64_t entry = 0;
    machine_entry_read(paddr((cr3 & ~0x1fULL) + 8 * i), 8, &entry);
    if (entry & 1 && entry & format_reserved(paging, 0, entry))
      return true;
  }
  return false;
}

/* Where a task switch finds a reserved bit in a PDPTE it faults in the middle, in a task without a stack. MOV CR3 asks the same question
 * and can be answered. A switch to a task with the same CR3 need not load it. */
struct machine_fault lab_task_switch(uint64_t cr3)
{
  uint64_t before = machine_register_read(REGISTER_CR3);
  struct machine_fault fault = {0};
  if (pdptes_reserved(cr3))
    fault = lab_register_write(REGISTER_CR3, cr3);
  if (fault.raised)
    return fault;
  uint64_t start = machine_ticks();
  fault = machine_task_switch(cr3);
  if (fault.raised)
    return fault;
  uint64_t ticks = machine_ticks() - start;
  root_changed();
  if (cr3 != before)
    happened(OPERATION_TASK_SWITCH, laddr(0), 0, ticks);
  else
    model_may_have_latched(lab_model_change(), lab_paging());
  return fault;
}

void lab_page_fault(laddr_t va)
{
  happened(OPERATION_PAGE_FAULT, va, current_pcid(), 0);
}
