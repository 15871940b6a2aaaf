#include "machine/sim.h"

#include "machine/boot_info.h"
#include "machine/describe.h"
#include "machine/identity.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/sim_tlb.h"
#include "machine/sim_walk.h"
#include "paging/format.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_BYTES (128 * MIB)
#define CARRY_BYTES (LAYOUT_CARRY_END - LAYOUT_CARRY)
#define NO_FLUSH (1ULL << 63)
#define PCID_MASK 0xfffu

static const struct sim_profile *profile;
static struct machine_cpu cpu;
static struct machine_layout layout;
static struct sim_walker walker;
static enum machine_mode mode;
static uint64_t registers[REGISTERS];
static uint64_t ticks;
static uint8_t *memory;
static uint8_t shadows[LAYOUT_SHADOW_COUNT * PAGE_SIZE] __attribute__((aligned(8)));
static uint64_t carry[CARRY_BYTES / 8];
static char command_line[BOOT_COMMAND_LINE];
static void (*end_program)(void);

static const struct machine_range ranges[] = {
  {{0}, 0x9fc00, true},
  {{0x9fc00}, 0x400, false},
  {{0xf0000}, 0x10000, false},
  {{0x100000}, MEMORY_BYTES - 0x100000, true},
};

#define RANGES (sizeof ranges / sizeof ranges[0])

void sim_on_end(void (*end)(void))
{
  end_program = end;
}

void sim_command_line(const char *line)
{
  strncpy(command_line, line, sizeof command_line - 1);
}

static bool has(enum machine_feature feature)
{
  return machine_features_have(profile->features, feature);
}

static bool trait(enum sim_trait t)
{
  return (profile->traits & t) != 0;
}

static bool defect(enum sim_defect_bit d)
{
  return (profile->defects & d) != 0;
}

/* ---- what the machine is ---- */

const struct machine_cpu *machine_cpu(void)
{
  return &cpu;
}

const struct machine_layout *machine_layout(void)
{
  return &layout;
}

enum machine_mode machine_mode(void)
{
  return mode;
}

bool machine_mode_supported(enum machine_mode wanted, enum machine_feature *missing)
{
  return describe_mode_supported(profile->features, wanted, missing);
}

bool machine_memory(unsigned index, struct machine_range *range)
{
  if (index < RANGES)
    *range = ranges[index];
  return index < RANGES;
}

void *machine_carry(size_t *size)
{
  *size = sizeof carry;
  return carry;
}

const char *machine_command_line(void)
{
  return command_line;
}

void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  (void)leaf;
  (void)subleaf;
  memset(regs, 0, 4 * sizeof regs[0]);
}

uint64_t machine_ticks(void)
{
  return has(FEATURE_TSC) ? ticks : 0;
}

/* ---- memory ---- */

static bool is_ram(uint64_t at)
{
  for (unsigned i = 0; i < RANGES; i++)
    if (ranges[i].usable && at - ranges[i].base.v < ranges[i].length)
      return true;
  return false;
}

static bool ram_covers(uint64_t from, uint64_t to)
{
  return is_ram(from) && is_ram(to - 1);
}

void *machine_physical(paddr_t at)
{
  return is_ram(at.v) ? memory + at.v : NULL;
}

bool machine_entry_read(paddr_t at, unsigned bytes, uint64_t *value)
{
  const void *place = machine_physical(at);
  *value = 0;
  if (place && bytes == 8) /* two sizes known beforehand: two moves, no calls */
    memcpy(value, place, 8);
  else if (place)
    memcpy(value, place, 4);
  return place != NULL;
}

bool machine_entry_write(paddr_t at, unsigned bytes, uint64_t value)
{
  void *place = machine_physical(at);
  if (place)
    memcpy(place, &value, bytes);
  return place != NULL;
}

/* ---- control registers ---- */

/* What the translations of a PCID are tagged with, where they are. */
static uint16_t tag_of(uint64_t pcid)
{
  return trait(TRAIT_PCIDS) && !defect(DEFECT_PCID_IGNORED) ? (uint16_t)(pcid & PCID_MASK) : 0;
}

static uint16_t current_tag(void)
{
  return (registers[REGISTER_CR4] & CR4_PCIDE) ? tag_of(registers[REGISTER_CR3]) : 0;
}

static struct machine_fault raised(uint8_t vector, uint32_t error, uint8_t cpl)
{
  return (struct machine_fault){.raised = true,
                                .has_error = vector == VECTOR_GP || vector == VECTOR_PF,
                                .vector = vector,
                                .error = error,
                                .cpl = cpl};
}

/* SDM, PDPTE Registers: MOV CR3 loads and checks them all; a reserved bit is a #GP and loads nothing. */
static bool pdptes_load(uint64_t cr3)
{
  struct paging paging;
  uint64_t loaded[4];
  if (mode != MACHINE_PAE)
    return true;
  paging_read(&paging);
  for (unsigned i = 0; i < 4; i++) {
    machine_entry_read(paddr((cr3 & ~0x1fULL) + i * 8), 8, &loaded[i]);
    bool bad = loaded[i] & 1 && loaded[i] & format_reserved(&paging, 0, loaded[i]);
    if (bad && !trait(TRAIT_PDPTES_IN_MEMORY))
      return false;
  }
  memcpy(walker.pdpte, loaded, sizeof loaded);
  return true;
}

/* SDM, MOV - Move to/from Control Registers: bits from MAXPHYADDR on are reserved in 64-bit modes, bit 63 too while CR4.PCIDE is 0. */
static bool cr3_reserved(uint64_t value)
{
  bool pcide = registers[REGISTER_CR4] & CR4_PCIDE;
  uint64_t reserved = ~address_mask(profile->maxphyaddr) & ~(pcide ? NO_FLUSH : 0);
  return mode >= MACHINE_4LEVEL && value & reserved;
}

/* SDM, Operations that Invalidate TLBs and Paging-Structure Caches: MOV to CR3. */
static void cr3_flush(bool keep)
{
  bool pcids = registers[REGISTER_CR4] & CR4_PCIDE && trait(TRAIT_PCIDS);
  unsigned reach = (trait(TRAIT_GLOBALS) ? 0 : SIM_GLOBALS) | (defect(DEFECT_CR3_KEEPS_STRUCTURES) ? 0 : SIM_STRUCTURES);
  if (keep && pcids)
    return;
  if (defect(DEFECT_CR3_KEEPS))
    sim_structure_drop(pcids ? current_tag() : SIM_ALL_PCIDS);
  else
    sim_tlb_drop(pcids ? current_tag() : SIM_ALL_PCIDS, reach);
}

static struct machine_fault cr3_write(uint64_t value)
{
  if (mode < MACHINE_4LEVEL)
    value &= 0xffffffff;
  if (cr3_reserved(value) || !pdptes_load(value))
    return raised(VECTOR_GP, 0, 0);
  registers[REGISTER_CR3] = value & ~NO_FLUSH;
  cr3_flush(value & NO_FLUSH);
  return (struct machine_fault){0};
}

#define CR4_LOADS_PDPTES (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)
#define CR4_PAGING (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE)

/* SDM, the same section: MOV to CR4. That a change of PSE drops everything is in AMD's manual only, and all do it. */
static void cr4_flush(uint64_t before, uint64_t now)
{
  uint64_t changed = before ^ now, gone = before & ~now, come = now & ~before;
  if (changed & CR4_PGE)
    sim_tlb_drop(SIM_ALL_PCIDS, SIM_STRUCTURES | (defect(DEFECT_PGE_KEEPS_GLOBAL) ? 0 : SIM_GLOBALS));
  bool all = changed & (CR4_PAE | CR4_PSE) || gone & CR4_PCIDE || come & CR4_SMEP;
  uint64_t more = trait(TRAIT_CONTROLS_FLUSH) ? CR4_PAGING & ~(trait(TRAIT_PKE_KEEPS) ? CR4_PKE : 0) : 0;
  if (all || changed & more)
    sim_tlb_drop(SIM_ALL_PCIDS, SIM_EVERYTHING);
}

static struct machine_fault cr4_write(uint64_t value)
{
  uint64_t before = registers[REGISTER_CR4];
  bool pcide_comes = value & ~before & CR4_PCIDE, long_mode = mode >= MACHINE_4LEVEL;
  if (pcide_comes && (registers[REGISTER_CR3] & PCID_MASK || !long_mode))
    return raised(VECTOR_GP, 0, 0);
  if (long_mode && (value ^ before) & (CR4_PAE | CR4_LA57))
    return raised(VECTOR_GP, 0, 0);
  if ((value ^ before) & (trait(TRAIT_CONTROLS_FLUSH) ? CR4_PAGING : CR4_LOADS_PDPTES) && !pdptes_load(registers[REGISTER_CR3]))
    return raised(VECTOR_GP, 0, 0);
  registers[REGISTER_CR4] = value;
  cr4_flush(before, value);
  return (struct machine_fault){0};
}

static struct machine_fault cr0_write(uint64_t value)
{
  bool wp_changes = (value ^ registers[REGISTER_CR0]) & CR0_WP;
  if (trait(TRAIT_CONTROLS_FLUSH) && !pdptes_load(registers[REGISTER_CR3]))
    return raised(VECTOR_GP, 0, 0);
  registers[REGISTER_CR0] = value;
  if (wp_changes && trait(TRAIT_CONTROLS_FLUSH))
    sim_tlb_drop(SIM_ALL_PCIDS, SIM_EVERYTHING);
  return (struct machine_fault){0};
}

uint64_t machine_register_read(enum machine_register reg)
{
  return registers[reg];
}

struct machine_fault machine_register_write(enum machine_register reg, uint64_t value)
{
  struct machine_fault fault = {0};
  if (reg == REGISTER_CR3)
    fault = cr3_write(value);
  else if (reg == REGISTER_CR4)
    fault = cr4_write(value);
  else if (reg == REGISTER_CR0)
    fault = cr0_write(value);
  else
    registers[reg] = value;
  sim_walk_prepare(&walker, profile);
  return fault;
}

struct machine_fault machine_paging_toggle(void)
{
  if (mode >= MACHINE_4LEVEL)
    return raised(VECTOR_GP, 0, 0);
  if (!pdptes_load(registers[REGISTER_CR3]))
    return raised(VECTOR_GP, 0, 0);
  if (!defect(DEFECT_TOGGLE_PG_KEEPS))
    sim_tlb_drop(SIM_ALL_PCIDS, SIM_EVERYTHING);
  return (struct machine_fault){0};
}

/* SDM, Operations that Invalidate TLBs and Paging-Structure Caches; PDPTE Registers: only a task switch that changes the value of CR3
 * invalidates, and only then it loads the PDPTEs. */
struct machine_fault machine_task_switch(uint64_t cr3)
{
  if (mode >= MACHINE_4LEVEL)
    return raised(VECTOR_GP, 0, 0);
  if (cr3 == registers[REGISTER_CR3] && !trait(TRAIT_TASK_FLUSHES))
    return (struct machine_fault){0};
  return machine_register_write(REGISTER_CR3, cr3);
}

bool machine_tlb_entry(unsigned *cursor, struct machine_tlb_entry *entry)
{
  return sim_tlb_next(cursor, current_tag(), entry);
}

/* ---- accesses ---- */

static bool canonical(uint64_t va)
{
  return format_canonical(format_of(mode), laddr(va));
}

static struct machine_fault page_fault(const struct sim_want *want, uint32_t error_plus_1)
{
  struct machine_fault fault = raised(VECTOR_PF, error_plus_1 - 1, want->cpl);
  fault.cr2 = defect(DEFECT_WRONG_CR2) ? want->va & ~(uint64_t)(PAGE_SIZE - 1) : want->va;
  registers[REGISTER_CR2] = fault.cr2;
  return fault;
}

/* What is cached of a walk's result: all of the page, or, where large pages are kept as fragments, its 4 KiB around the access. */
static void remember(struct sim_entry entry, const struct sim_want *want, const struct sim_lookup *lookup)
{
  entry.ring3 = lookup->ring3;
  entry.for_write = want->op == OP_WRITE;
  entry.for_user = want->cpl == 3;
  if (trait(TRAIT_FRAGMENTS) && entry.large) {
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
  if (sim_walk(&walker, &next, &entry, &reads) == 0)
    remember(entry, &next, lookup);
}

/* SDM, Operations that Invalidate TLBs and Paging-Structure Caches: a page fault invalidates what it used, so that it cannot recur for no
 * reason in the tables. */
static void forget_faulting(const struct sim_want *want, struct sim_entry *used)
{
  if (trait(TRAIT_FAULTS_KEEP) || defect(DEFECT_FAULT_KEEPS))
    return;
  if (!trait(TRAIT_FAULTS_DROP_USED))
    sim_tlb_drop_page(want->va, want->pcid, SIM_EVERYTHING);
  else if (used && want->op != OP_EXEC)
    sim_tlb_drop_entry(used);
}

/* A CPU that does not fault from its TLB does not fault from its paging-structure caches either: it walks again from the root. */
static uint32_t walk_tables(const struct sim_want *want, struct sim_entry *entry, unsigned *reads)
{
  uint32_t refused = sim_walk(&walker, want, entry, reads);
  if (refused == 0 || !trait(TRAIT_STRUCTURE_CACHES) || trait(TRAIT_FAULTS_FROM_TLB))
    return refused;
  sim_structure_drop(want->pcid);
  return sim_walk(&walker, want, entry, reads);
}

/* Translates by a walk, and caches what came of it; @p used is what the TLB held and would not do, if anything. Returns 0, or the
 * page-fault error code + 1. */
static uint32_t translate_by_walk(const struct sim_want *want, const struct sim_lookup *lookup, struct sim_entry *used, uint64_t *pa)
{
  struct sim_entry entry;
  unsigned reads = 0;
  uint32_t refused = walk_tables(want, &entry, &reads);
  ticks += (uint64_t)reads * profile->ticks_miss_level;
  if (refused) {
    if (refused == sim_walk_absent(&walker, want) && trait(TRAIT_NOT_PRESENT))
      remember_absence(lookup);
    else
      forget_faulting(want, used);
    return refused;
  }
  *pa = entry.pa + (want->va - entry.va);
  remember(entry, want, lookup);
  if (trait(TRAIT_SPECULATES))
    speculate(want, lookup);
  return 0;
}

/* Translates, through the TLB or by a walk. Returns 0, or the page-fault error code + 1. */
static uint32_t translate(const struct sim_want *want, uint64_t *pa)
{
  const struct sim_lookup lookup = {.va = want->va,
                                    .side = want->op == OP_EXEC ? SIM_CODE : SIM_DATA,
                                    .pcid = want->pcid,
                                    .ring3 = trait(TRAIT_RING_TLBS) && want->cpl == 3};
  unsigned level = 0;
  struct sim_entry *hit = sim_tlb_find(&lookup, &level);
  ticks += profile->ticks_hit + (level == 2 ? profile->ticks_miss_level / 2u : 0);
  if (hit == NULL)
    return translate_by_walk(want, &lookup, NULL, pa);
  if (!hit->present)
    return sim_walk_absent(&walker, want);
  uint32_t refused = sim_walk_rights(&walker, hit, want);
  if (refused && trait(TRAIT_FAULTS_FROM_TLB)) {
    forget_faulting(want, hit);
    return refused;
  }
  bool needs_dirty = want->op == OP_WRITE && !hit->dirty;
  bool proven = (want->op != OP_WRITE || hit->for_write) && (want->cpl != 3 || hit->for_user);
  if (refused || needs_dirty || (!proven && trait(TRAIT_PROVEN_RIGHTS)))
    return translate_by_walk(want, &lookup, hit, pa);
  *pa = hit->pa + (want->va - hit->va);
  return 0;
}

/* What the byte code that `exec` calls does: mov $imm32, %eax; ret. Anything else is not simulated. */
static struct machine_fault execute(const uint8_t *code, uint64_t *value, uint8_t cpl)
{
  if (code == NULL || code[0] != 0xb8 || code[5] != 0xc3)
    return raised(VECTOR_UD, 0, cpl);
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
  struct machine_result result = {.timed = has(FEATURE_TSC)};
  const struct sim_want want = {.va = access->va.v, .op = access->op, .cpl = access->cpl, .pcid = current_tag()};
  uint64_t start = ticks, pa = access->va.v;
  if (!canonical(want.va)) {
    result.fault = raised(VECTOR_GP, 0, access->cpl);
    return result;
  }
  uint32_t refused = mode == MACHINE_OFF ? 0 : translate(&want, &pa);
  result.fault = refused ? page_fault(&want, refused) : perform(access, pa);
  result.timed = result.timed && !result.fault.raised;
  result.ticks = ticks - start;
  return result;
}

static struct machine_result chase(uint64_t va, uint64_t count, uint8_t cpl)
{
  struct machine_access access = {.va = laddr(va), .cpl = cpl, .size = mode >= MACHINE_4LEVEL ? 8 : 4};
  struct machine_result all = {.timed = has(FEATURE_TSC)};
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
  uint64_t cr4 = registers[REGISTER_CR4];
  if (what == COST_CR3)
    return machine_register_write(REGISTER_CR3, value);
  machine_register_write(REGISTER_CR4, cr4 ^ CR4_PGE);
  return machine_register_write(REGISTER_CR4, cr4);
}

/* The clock costs nothing here. */
struct machine_result machine_cost(enum machine_cost what, uint8_t cpl, uint64_t value, uint64_t count)
{
  static const uint16_t costs[] = {[COST_NOTHING] = 0, [COST_CR3] = 150, [COST_PGE] = 300, [COST_CHASE] = 0};
  struct machine_result result = {.timed = has(FEATURE_TSC), .ticks = costs[what]};
  if (what == COST_CHASE)
    return chase(value, count, cpl);
  if (what == COST_NOTHING)
    return result;
  result.fault = cpl == 3 ? raised(VECTOR_GP, 0, 3) : cost_of_register(what, value);
  ticks += result.ticks;
  return result;
}

/* None is simulated but EFER, and that is a register of its own. */
struct machine_fault machine_msr_read(uint32_t msr, uint64_t *value)
{
  (void)msr;
  *value = 0;
  return raised(VECTOR_GP, 0, 0);
}

struct machine_fault machine_msr_write(uint32_t msr, uint64_t value)
{
  (void)msr;
  (void)value;
  return raised(VECTOR_GP, 0, 0);
}

static uint32_t came_of(const struct machine_fault *fault, uint64_t va)
{
  uint32_t wrong_cr2 = fault->vector == VECTOR_PF && fault->cr2 != va ? MACHINE_CAME_CR2 : 0;
  return fault->raised ? MACHINE_CAME(fault->vector, fault->error) | wrong_cr2 : 0;
}

struct machine_fault machine_sweep(const struct machine_sweep *sweep)
{
  struct machine_access access = {.op = sweep->op, .cpl = sweep->cpl, .size = 4};
  walker.ac = sweep->ac || registers[REGISTER_FLAGS] & FLAGS_AC;
  for (unsigned i = 0; i < sweep->count; i++) {
    access.va = laddr(sweep->va.v + i * sweep->stride);
    struct machine_fault fault = machine_access(&access).fault;
    sweep->came[i] = came_of(&fault, access.va.v);
  }
  walker.ac = registers[REGISTER_FLAGS] & FLAGS_AC;
  return (struct machine_fault){0};
}

static void invlpg(uint64_t va)
{
  unsigned globals = defect(DEFECT_INVLPG_KEEPS_GLOBAL) ? 0 : SIM_GLOBALS;
  unsigned structures_too = defect(DEFECT_INVLPG_KEEPS_STRUCTURES) ? 0 : SIM_STRUCTURES;
  if (!defect(DEFECT_INVLPG_IGNORED))
    sim_tlb_drop_page(va, current_tag(), globals | structures_too);
}

struct machine_result machine_invlpg(const struct machine_invlpg *operand)
{
  struct machine_result result = {.timed = has(FEATURE_TSC), .ticks = 40};
  uint64_t va = operand->va.v + (operand->segment && !operand->null ? operand->base : 0);
  if (!has(FEATURE_INVLPG))
    result.fault = raised(VECTOR_UD, 0, operand->cpl);
  else if (operand->cpl == 3)
    result.fault = raised(VECTOR_GP, 0, 3);
  else if (mode < MACHINE_4LEVEL)
    va &= 0xffffffff;
  ticks += result.ticks;
  if (!result.fault.raised && mode != MACHINE_OFF && canonical(va))
    invlpg(va);
  return result;
}

/* SDM, INVPCID - Invalidate Process-Context Identifier. */
enum { INVPCID_ADDRESS, INVPCID_ONE, INVPCID_ALL_GLOBALS_TOO, INVPCID_ALL, INVPCID_TYPES };

static bool invpcid_refused(uint64_t type, uint64_t pcid, uint64_t va)
{
  bool of_one = type == INVPCID_ADDRESS || type == INVPCID_ONE;
  if (type >= INVPCID_TYPES || pcid & ~(uint64_t)PCID_MASK)
    return true;
  if (of_one && pcid != 0 && !(registers[REGISTER_CR4] & CR4_PCIDE))
    return true;
  return type == INVPCID_ADDRESS && !canonical(va);
}

struct machine_result machine_invpcid(uint64_t type, uint64_t pcid, laddr_t va)
{
  struct machine_result result = {.timed = true, .ticks = 60};
  ticks += result.ticks;
  if (invpcid_refused(type, pcid, va.v))
    result.fault = raised(VECTOR_GP, 0, 0);
  else if (defect(DEFECT_INVPCID_IGNORED))
    return result;
  else if (type == INVPCID_ADDRESS && trait(TRAIT_PCIDS)) /* without tags Bochs does not look at the address either */
    sim_tlb_drop_page(va.v, tag_of(pcid), SIM_STRUCTURES);
  else
    sim_tlb_drop(type == INVPCID_ONE ? tag_of(pcid) : SIM_ALL_PCIDS, SIM_STRUCTURES | (type == INVPCID_ALL_GLOBALS_TOO ? SIM_GLOBALS : 0));
  return result;
}

void machine_stop_arm(bool on)
{
  (void)on;
}

/* What each exception brings is known; what has to be shown is that it comes back. */
struct machine_fault machine_raise(uint8_t vector, uint8_t cpl)
{
  struct machine_fault fault = raised(vector, 0, cpl);
  if (cpl == 3 && (vector == VECTOR_NMI || vector == VECTOR_MC))
    fault = raised(VECTOR_GP, vector * 8u + 2, 3); /* INT n through a gate with DPL 0: the gate's index and the IDT bit */
  if (vector == VECTOR_DF && cpl == 3)
    fault = raised(VECTOR_BP, 0, 3);
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

/* ---- power, modes ---- */

/* A kernel that runs has been walked for: TRAIT_PDPTE_ACCESSED shows in its own PDPTE from the beginning. */
static void kernel_walked(void)
{
  uint64_t entry;
  if (mode != MACHINE_PAE || !trait(TRAIT_PDPTE_ACCESSED))
    return;
  machine_entry_read(paddr(LAYOUT_KERNEL_TABLES), 8, &entry);
  machine_entry_write(paddr(LAYOUT_KERNEL_TABLES), 8, entry | 1u << 5);
}

static void paging_start(void)
{
  identity_build(mode, (uintptr_t)memory, 0);
  kernel_walked();
  sim_tlb_drop(SIM_ALL_PCIDS, SIM_EVERYTHING);
  registers[REGISTER_CR3] = LAYOUT_KERNEL_TABLES;
  pdptes_load(registers[REGISTER_CR3]);
  sim_walk_prepare(&walker, profile);
}

void machine_paging_reset(void)
{
  if (mode != MACHINE_OFF)
    paging_start();
}

void machine_mode_switch(enum machine_mode wanted)
{
  bool long_mode = wanted >= MACHINE_4LEVEL;
  mode = wanted;
  registers[REGISTER_CR0] = CR0_PE | CR0_ET | CR0_NE | CR0_WP | (wanted == MACHINE_OFF ? 0 : CR0_PG);
  registers[REGISTER_CR4] = (has(FEATURE_PGE) ? CR4_PGE : 0) | (wanted >= MACHINE_PAE ? CR4_PAE : 0) |
                            (wanted == MACHINE_5LEVEL ? CR4_LA57 : 0) | (wanted == MACHINE_32 && has(FEATURE_PSE) ? CR4_PSE : 0);
  registers[REGISTER_EFER] = (long_mode ? EFER_LME | EFER_LMA : 0) | (wanted >= MACHINE_PAE && has(FEATURE_NX) ? EFER_NXE : 0);
  registers[REGISTER_FLAGS] = 2;
  paging_start();
}

static void describe(void)
{
  cpu = (struct machine_cpu){.features = profile->features,
                             .maxphyaddr = profile->maxphyaddr,
                             .linear_bits = profile->linear_bits,
                             .family = profile->family,
                             .model = profile->model};
  strncpy(cpu.vendor, profile->vendor, sizeof cpu.vendor - 1);
  strncpy(cpu.brand, profile->brand, sizeof cpu.brand - 1);
  layout = describe_layout(shadows, ram_covers);
}

bool sim_init(const struct sim_profile *use, enum machine_mode first, uint64_t seed)
{
  profile = use;
  if (memory == NULL)
    memory = calloc(1, MEMORY_BYTES);
  if (memory == NULL)
    return false;
  describe();
  sim_tlb_init(profile, seed);
  machine_mode_switch(first);
  return true;
}

void machine_reboot(void)
{
  if (end_program)
    end_program();
}

void machine_poweroff(void)
{
  if (end_program)
    end_program();
}
