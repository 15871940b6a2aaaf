/* What the simulated CPU does when it accesses memory or invalidates: through its TLB, or by a walk. */
#include "machine/machine.h"
#include "machine/sim_private.h"
#include "paging/format.h"

#include <string.h>

static bool canonical(uint64_t va)
{
  return format_canonical(format_of(sim.mode), laddr(va));
}

static struct machine_fault page_fault(const struct sim_want *want, uint32_t error_plus_1)
{
  struct machine_fault fault = sim_raised(VECTOR_PF, error_plus_1 - 1, want->cpl);
  fault.cr2 = sim_defect(DEFECT_WRONG_CR2) ? want->va & ~(uint64_t)(PAGE_SIZE - 1) : want->va;
  sim.registers[REGISTER_CR2] = fault.cr2;
  return fault;
}

/* What is cached of a walk's result: all of the page, or, where large pages are kept as fragments, its 4 KiB around the access. */
static void remember(struct sim_entry entry, const struct sim_want *want, const struct sim_lookup *lookup)
{
  entry.ring3 = lookup->ring3;
  entry.for_write = want->op == OP_WRITE;
  entry.for_user = want->cpl == 3;
  if (sim_trait(TRAIT_FRAGMENTS) && entry.large) {
    uint64_t page = want->va & ~(uint64_t)(PAGE_SIZE - 1);
    entry.pa += page - entry.va;
    entry.va = page;
    entry.shift = PAGE_SHIFT;
  }
  sim_tlb_fill(&entry, lookup->side);
}

static void remember_absence(const struct sim_lookup *lookup)
{
  const struct sim_entry absent = {.valid = true,
                                   .shift = PAGE_SHIFT,
                                   .page_shift = PAGE_SHIFT,
                                   .pcid = lookup->pcid,
                                   .ring3 = lookup->ring3,
                                   .va = lookup->va & ~(uint64_t)(PAGE_SIZE - 1)};
  sim_tlb_fill(&absent, lookup->side);
}

/* A CPU may translate what nobody asked for. This one now and then looks at the next page, as a prefetcher would: no D, no fault. */
static void speculate(const struct sim_want *want, const struct sim_lookup *lookup)
{
  struct sim_want next = *want;
  struct sim_entry entry;
  unsigned reads = 0;
  next.va += PAGE_SIZE;
  next.op = OP_READ;
  next.speculative = true;
  if (sim_random() % 8 || !canonical(next.va))
    return;
  if (sim_walk(&sim.walker, &next, &entry, &reads) == 0)
    remember(entry, &next, lookup);
}

/* SDM, Operations that Invalidate TLBs and Paging-Structure Caches: a page fault invalidates what it used, so that it cannot recur for no
 * reason in the tables. */
static void forget_faulting(const struct sim_want *want, struct sim_entry *used)
{
  if (sim_trait(TRAIT_FAULTS_KEEP) || sim_defect(DEFECT_FAULT_KEEPS))
    return;
  if (!sim_trait(TRAIT_FAULTS_DROP_USED))
    sim_tlb_drop_page(want->va, want->pcid, SIM_EVERYTHING);
  else if (used && want->op != OP_EXEC)
    sim_tlb_drop_entry(used);
}

/* A CPU that does not fault from its TLB does not fault from its paging-structure caches either: it walks again from the root. */
static uint32_t walk_tables(const struct sim_want *want, struct sim_entry *entry, unsigned *reads)
{
  uint32_t refused = sim_walk(&sim.walker, want, entry, reads);
  if (refused == 0 || !sim_trait(TRAIT_STRUCTURE_CACHES) || sim_trait(TRAIT_FAULTS_FROM_TLB))
    return refused;
  sim_structure_drop(want->pcid);
  return sim_walk(&sim.walker, want, entry, reads);
}

/* Translates by a walk, and caches what came of it; @p used is what the TLB held and would not do, if anything. Returns 0, or the
 * page-fault error code + 1. */
static uint32_t translate_by_walk(const struct sim_want *want, const struct sim_lookup *lookup, struct sim_entry *used, uint64_t *pa)
{
  struct sim_entry entry;
  unsigned reads = 0;
  uint32_t refused = walk_tables(want, &entry, &reads);
  sim.ticks += (uint64_t)reads * sim.profile->ticks_miss_level;
  if (refused) {
    if (refused == sim_walk_absent(&sim.walker, want) && sim_trait(TRAIT_NOT_PRESENT))
      remember_absence(lookup);
    else
      forget_faulting(want, used);
    return refused;
  }
  *pa = entry.pa + (want->va - entry.va);
  remember(entry, want, lookup);
  if (sim_trait(TRAIT_SPECULATES))
    speculate(want, lookup);
  return 0;
}

/* Translates, through the TLB or by a walk. Returns 0, or the page-fault error code + 1. */
static uint32_t translate(const struct sim_want *want, uint64_t *pa)
{
  const struct sim_lookup lookup = {.va = want->va,
                                    .side = want->op == OP_EXEC ? SIM_CODE : SIM_DATA,
                                    .pcid = want->pcid,
                                    .ring3 = sim_trait(TRAIT_RING_TLBS) && want->cpl == 3};
  unsigned level = 0;
  struct sim_entry *hit = sim_tlb_find(&lookup, &level);
  sim.ticks += sim.profile->ticks_hit + (level == 2 ? sim.profile->ticks_miss_level / 2u : 0);
  if (hit == NULL)
    return translate_by_walk(want, &lookup, NULL, pa);
  if (!hit->present)
    return sim_walk_absent(&sim.walker, want);
  uint32_t refused = sim_walk_rights(&sim.walker, hit, want);
  if (refused && sim_trait(TRAIT_FAULTS_FROM_TLB)) {
    forget_faulting(want, hit);
    return refused;
  }
  bool needs_dirty = want->op == OP_WRITE && !hit->dirty;
  bool proven = (want->op != OP_WRITE || hit->for_write) && (want->cpl != 3 || hit->for_user);
  if (refused || needs_dirty || (!proven && sim_trait(TRAIT_PROVEN_RIGHTS)))
    return translate_by_walk(want, &lookup, hit, pa);
  *pa = hit->pa + (want->va - hit->va);
  return 0;
}

/* What the byte code that `exec` calls does: mov $imm32, %eax; ret. Anything else is not simulated. */
static struct machine_fault execute(const uint8_t *code, uint64_t *value, uint8_t cpl)
{
  if (code == NULL || code[0] != 0xb8 || code[5] != 0xc3)
    return sim_raised(VECTOR_UD, 0, cpl);
  uint32_t returned;
  memcpy(&returned, code + 1, sizeof returned);
  *value = returned;
  return (struct machine_fault){0};
}

static struct machine_fault perform(struct machine_access *access, uint64_t pa)
{
  uint8_t *place = machine_physical(paddr(pa));
  if (access->op == OP_EXEC)
    return execute(place, &access->value, access->cpl);
  if (access->op == OP_READ) {
    access->value = place ? 0 : address_mask(access->size * 8u); /* nobody answers: the bus floats high */
    if (place)
      memcpy(&access->value, place, access->size);
  } else if (place) {
    memcpy(place, &access->value, access->size);
  }
  return (struct machine_fault){0};
}

struct machine_result machine_access(struct machine_access *access)
{
  struct machine_result result = {.timed = sim_has(FEATURE_TSC)};
  const struct sim_want want = {.va = access->va.v, .op = access->op, .cpl = access->cpl, .pcid = sim_current_tag()};
  uint64_t start = sim.ticks, pa = access->va.v;
  if (!canonical(want.va)) {
    result.fault = sim_raised(VECTOR_GP, 0, access->cpl);
    return result;
  }
  uint32_t refused = sim.mode == MACHINE_OFF ? 0 : translate(&want, &pa);
  result.fault = refused ? page_fault(&want, refused) : perform(access, pa);
  result.timed = result.timed && !result.fault.raised;
  result.ticks = sim.ticks - start;
  return result;
}

static struct machine_result chase(uint64_t va, uint64_t count, uint8_t cpl)
{
  struct machine_access access = {.va = laddr(va), .cpl = cpl, .size = sim.mode >= MACHINE_4LEVEL ? 8 : 4};
  struct machine_result all = {.timed = sim_has(FEATURE_TSC)};
  for (; count > 0 && !all.fault.raised; count--) {
    struct machine_result one = machine_access(&access);
    all.fault = one.fault;
    all.ticks += one.ticks;
    access.va = laddr(access.value);
  }
  return all;
}

static struct machine_fault cost_of_register(enum machine_cost what, uint64_t value)
{
  uint64_t cr4 = sim.registers[REGISTER_CR4];
  if (what == COST_CR3)
    return machine_register_write(REGISTER_CR3, value);
  machine_register_write(REGISTER_CR4, cr4 ^ CR4_PGE);
  return machine_register_write(REGISTER_CR4, cr4);
}

/* The clock costs nothing here. */
struct machine_result machine_cost(enum machine_cost what, uint8_t cpl, uint64_t value, uint64_t count)
{
  static const uint16_t costs[] = {[COST_NOTHING] = 0, [COST_CR3] = 150, [COST_PGE] = 300, [COST_CHASE] = 0};
  struct machine_result result = {.timed = sim_has(FEATURE_TSC), .ticks = costs[what]};
  if (what == COST_CHASE)
    return chase(value, count, cpl);
  if (what == COST_NOTHING)
    return result;
  result.fault = cpl == 3 ? sim_raised(VECTOR_GP, 0, 3) : cost_of_register(what, value);
  sim.ticks += result.ticks;
  return result;
}

/* None is simulated but EFER, and that is a register of its own. */
struct machine_fault machine_msr_read(uint32_t msr, uint64_t *value)
{
  (void)msr;
  *value = 0;
  return sim_raised(VECTOR_GP, 0, 0);
}

struct machine_fault machine_msr_write(uint32_t msr, uint64_t value)
{
  (void)msr;
  (void)value;
  return sim_raised(VECTOR_GP, 0, 0);
}

static uint32_t came_of(const struct machine_fault *fault, uint64_t va)
{
  uint32_t wrong_cr2 = fault->vector == VECTOR_PF && fault->cr2 != va ? MACHINE_CAME_CR2 : 0;
  return fault->raised ? MACHINE_CAME(fault->vector, fault->error) | wrong_cr2 : 0;
}

struct machine_fault machine_sweep(const struct machine_sweep *sweep)
{
  struct machine_access access = {.op = sweep->op, .cpl = sweep->cpl, .size = 4};
  sim.walker.ac = sweep->ac || sim.registers[REGISTER_FLAGS] & FLAGS_AC;
  for (unsigned i = 0; i < sweep->count; i++) {
    access.va = laddr(sweep->va.v + i * sweep->stride);
    struct machine_fault fault = machine_access(&access).fault;
    sweep->came[i] = came_of(&fault, access.va.v);
  }
  sim.walker.ac = sim.registers[REGISTER_FLAGS] & FLAGS_AC;
  return (struct machine_fault){0};
}

static void invlpg(uint64_t va)
{
  unsigned globals = sim_defect(DEFECT_INVLPG_KEEPS_GLOBAL) ? 0 : SIM_GLOBALS;
  unsigned structures_too = sim_defect(DEFECT_INVLPG_KEEPS_STRUCTURES) ? 0 : SIM_STRUCTURES;
  if (!sim_defect(DEFECT_INVLPG_IGNORED))
    sim_tlb_drop_page(va, sim_current_tag(), globals | structures_too);
}

struct machine_result machine_invlpg(const struct machine_invlpg *operand)
{
  struct machine_result result = {.timed = sim_has(FEATURE_TSC), .ticks = 40};
  uint64_t va = operand->va.v + (operand->segment && !operand->null ? operand->base : 0);
  if (!sim_has(FEATURE_INVLPG))
    result.fault = sim_raised(VECTOR_UD, 0, operand->cpl);
  else if (operand->cpl == 3)
    result.fault = sim_raised(VECTOR_GP, 0, 3);
  else if (sim.mode < MACHINE_4LEVEL)
    va &= 0xffffffff;
  sim.ticks += result.ticks;
  if (!result.fault.raised && sim.mode != MACHINE_OFF && canonical(va))
    invlpg(va);
  return result;
}

/* SDM, INVPCID - Invalidate Process-Context Identifier. */
enum { INVPCID_ADDRESS, INVPCID_ONE, INVPCID_ALL_GLOBALS_TOO, INVPCID_ALL, INVPCID_TYPES };

static bool invpcid_refused(uint64_t type, uint64_t pcid, uint64_t va)
{
  bool of_one = type == INVPCID_ADDRESS || type == INVPCID_ONE;
  if (type >= INVPCID_TYPES || pcid & ~(uint64_t)SIM_PCID_MASK)
    return true;
  if (of_one && pcid != 0 && !(sim.registers[REGISTER_CR4] & CR4_PCIDE))
    return true;
  return type == INVPCID_ADDRESS && !canonical(va);
}

struct machine_result machine_invpcid(uint64_t type, uint64_t pcid, laddr_t va)
{
  struct machine_result result = {.timed = true, .ticks = 60};
  sim.ticks += result.ticks;
  if (invpcid_refused(type, pcid, va.v))
    result.fault = sim_raised(VECTOR_GP, 0, 0);
  else if (sim_defect(DEFECT_INVPCID_IGNORED))
    return result;
  else if (type == INVPCID_ADDRESS && sim_trait(TRAIT_PCIDS)) /* without tags Bochs does not look at the address either */
    sim_tlb_drop_page(va.v, sim_tag_of(pcid), SIM_STRUCTURES);
  else
    sim_tlb_drop(type == INVPCID_ONE ? sim_tag_of(pcid) : SIM_ALL_PCIDS,
                 SIM_STRUCTURES | (type == INVPCID_ALL_GLOBALS_TOO ? SIM_GLOBALS : 0));
  return result;
}

void machine_stop_arm(bool on)
{
  (void)on;
}

/* What each exception brings is known; what has to be shown is that it comes back. */
struct machine_fault machine_raise(uint8_t vector, uint8_t cpl)
{
  struct machine_fault fault = sim_raised(vector, 0, cpl);
  if (cpl == 3 && (vector == VECTOR_NMI || vector == VECTOR_MC))
    fault = sim_raised(VECTOR_GP, vector * 8u + 2, 3); /* INT n through a gate with DPL 0: the gate's index and the IDT bit */
  if (vector == VECTOR_DF && cpl == 3)
    fault = sim_raised(VECTOR_BP, 0, 3);
  if (vector == VECTOR_NP || vector == VECTOR_SS)
    fault.error = 0x30;
  if (vector == VECTOR_GP)
    fault.error = 0x1000;
  if (vector == VECTOR_PF)
    fault.error = cpl == 3 ? 4 : 0;
  fault.has_error = fault.has_error || vector == VECTOR_NP || vector == VECTOR_SS || fault.vector == VECTOR_DF;
  return fault;
}

struct machine_fault machine_guard(void (*fn)(void *argument), void *argument)
{
  fn(argument);
  return (struct machine_fault){0};
}
