#include "machine/sim.h"

#include "machine/boot_info.h"
#include "machine/describe.h"
#include "machine/identity.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/sim_private.h"
#include "paging/format.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_BYTES (128 * MIB)
#define CARRY_BYTES (LAYOUT_CARRY_END - LAYOUT_CARRY)
#define NO_FLUSH (1ULL << 63)

static struct machine_cpu cpu;
static struct machine_layout layout;
struct sim_state sim;
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
  return sim.mode;
}

bool machine_mode_supported(enum machine_mode wanted, enum machine_feature *missing)
{
  return describe_mode_supported(sim.profile->features, wanted, missing);
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
  return sim_has(FEATURE_TSC) ? sim.ticks : 0;
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
uint16_t sim_tag_of(uint64_t pcid)
{
  return sim_trait(TRAIT_PCIDS) && !sim_defect(DEFECT_PCID_IGNORED) ? (uint16_t)(pcid & SIM_PCID_MASK) : 0;
}

uint16_t sim_current_tag(void)
{
  return (sim.registers[REGISTER_CR4] & CR4_PCIDE) ? sim_tag_of(sim.registers[REGISTER_CR3]) : 0;
}

struct machine_fault sim_raised(uint8_t vector, uint32_t error, uint8_t cpl)
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
  if (sim.mode != MACHINE_PAE)
    return true;
  paging_read(&paging);
  for (unsigned i = 0; i < 4; i++) {
    machine_entry_read(paddr((cr3 & ~0x1fULL) + i * 8), 8, &loaded[i]);
    bool bad = loaded[i] & 1 && loaded[i] & format_reserved(&paging, 0, loaded[i]);
    if (bad && !sim_trait(TRAIT_PDPTES_IN_MEMORY))
      return false;
  }
  memcpy(sim.walker.pdpte, loaded, sizeof loaded);
  return true;
}

/* SDM, MOV - Move to/from Control Registers: bits from MAXPHYADDR on are reserved in 64-bit modes, bit 63 too while CR4.PCIDE is 0. */
static bool cr3_reserved(uint64_t value)
{
  bool pcide = sim.registers[REGISTER_CR4] & CR4_PCIDE;
  uint64_t reserved = ~address_mask(sim.profile->maxphyaddr) & ~(pcide ? NO_FLUSH : 0);
  return sim.mode >= MACHINE_4LEVEL && value & reserved;
}

/* SDM, Operations that Invalidate TLBs and Paging-Structure Caches: MOV to CR3. */
static void cr3_flush(bool keep)
{
  bool pcids = sim.registers[REGISTER_CR4] & CR4_PCIDE && sim_trait(TRAIT_PCIDS);
  unsigned reach = (sim_trait(TRAIT_GLOBALS) ? 0 : SIM_GLOBALS) | (sim_defect(DEFECT_CR3_KEEPS_STRUCTURES) ? 0 : SIM_STRUCTURES);
  if (keep && pcids)
    return;
  if (sim_defect(DEFECT_CR3_KEEPS))
    sim_structure_drop(pcids ? sim_current_tag() : SIM_ALL_PCIDS);
  else
    sim_tlb_drop(pcids ? sim_current_tag() : SIM_ALL_PCIDS, reach);
}

static struct machine_fault cr3_write(uint64_t value)
{
  if (sim.mode < MACHINE_4LEVEL)
    value &= 0xffffffff;
  if (cr3_reserved(value) || !pdptes_load(value))
    return sim_raised(VECTOR_GP, 0, 0);
  sim.registers[REGISTER_CR3] = value & ~NO_FLUSH;
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
    sim_tlb_drop(SIM_ALL_PCIDS, SIM_STRUCTURES | (sim_defect(DEFECT_PGE_KEEPS_GLOBAL) ? 0 : SIM_GLOBALS));
  bool all = changed & (CR4_PAE | CR4_PSE) || gone & CR4_PCIDE || come & CR4_SMEP;
  uint64_t more = sim_trait(TRAIT_CONTROLS_FLUSH) ? CR4_PAGING & ~(sim_trait(TRAIT_PKE_KEEPS) ? CR4_PKE : 0) : 0;
  if (all || changed & more)
    sim_tlb_drop(SIM_ALL_PCIDS, SIM_EVERYTHING);
}

static struct machine_fault cr4_write(uint64_t value)
{
  uint64_t before = sim.registers[REGISTER_CR4];
  bool pcide_comes = value & ~before & CR4_PCIDE, long_mode = sim.mode >= MACHINE_4LEVEL;
  if (pcide_comes && (sim.registers[REGISTER_CR3] & SIM_PCID_MASK || !long_mode))
    return sim_raised(VECTOR_GP, 0, 0);
  if (long_mode && (value ^ before) & (CR4_PAE | CR4_LA57))
    return sim_raised(VECTOR_GP, 0, 0);
  if ((value ^ before) & (sim_trait(TRAIT_CONTROLS_FLUSH) ? CR4_PAGING : CR4_LOADS_PDPTES) && !pdptes_load(sim.registers[REGISTER_CR3]))
    return sim_raised(VECTOR_GP, 0, 0);
  sim.registers[REGISTER_CR4] = value;
  cr4_flush(before, value);
  return (struct machine_fault){0};
}

static struct machine_fault cr0_write(uint64_t value)
{
  bool wp_changes = (value ^ sim.registers[REGISTER_CR0]) & CR0_WP;
  if (sim_trait(TRAIT_CONTROLS_FLUSH) && !pdptes_load(sim.registers[REGISTER_CR3]))
    return sim_raised(VECTOR_GP, 0, 0);
  sim.registers[REGISTER_CR0] = value;
  if (wp_changes && sim_trait(TRAIT_CONTROLS_FLUSH))
    sim_tlb_drop(SIM_ALL_PCIDS, SIM_EVERYTHING);
  return (struct machine_fault){0};
}

uint64_t machine_register_read(enum machine_register reg)
{
  return sim.registers[reg];
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
    sim.registers[reg] = value;
  sim_walk_prepare(&sim.walker, sim.profile);
  return fault;
}

struct machine_fault machine_paging_toggle(void)
{
  if (sim.mode >= MACHINE_4LEVEL)
    return sim_raised(VECTOR_GP, 0, 0);
  if (!pdptes_load(sim.registers[REGISTER_CR3]))
    return sim_raised(VECTOR_GP, 0, 0);
  if (!sim_defect(DEFECT_TOGGLE_PG_KEEPS))
    sim_tlb_drop(SIM_ALL_PCIDS, SIM_EVERYTHING);
  return (struct machine_fault){0};
}

/* SDM, Operations that Invalidate TLBs and Paging-Structure Caches; PDPTE Registers: only a task switch that changes the value of CR3
 * invalidates, and only then it loads the PDPTEs. */
struct machine_fault machine_task_switch(uint64_t cr3)
{
  if (sim.mode >= MACHINE_4LEVEL)
    return sim_raised(VECTOR_GP, 0, 0);
  if (cr3 == sim.registers[REGISTER_CR3] && !sim_trait(TRAIT_TASK_FLUSHES))
    return (struct machine_fault){0};
  return machine_register_write(REGISTER_CR3, cr3);
}

bool machine_tlb_entry(unsigned *cursor, struct machine_tlb_entry *entry)
{
  return sim_tlb_next(cursor, sim_current_tag(), entry);
}

/* ---- power, modes ---- */

/* A kernel that runs has been walked for: TRAIT_PDPTE_ACCESSED shows in its own PDPTE from the beginning. */
static void kernel_walked(void)
{
  uint64_t entry;
  if (sim.mode != MACHINE_PAE || !sim_trait(TRAIT_PDPTE_ACCESSED))
    return;
  machine_entry_read(paddr(LAYOUT_KERNEL_TABLES), 8, &entry);
  machine_entry_write(paddr(LAYOUT_KERNEL_TABLES), 8, entry | 1u << 5);
}

static void paging_start(void)
{
  identity_build(sim.mode, (uintptr_t)memory, 0);
  kernel_walked();
  sim_tlb_drop(SIM_ALL_PCIDS, SIM_EVERYTHING);
  sim.registers[REGISTER_CR3] = LAYOUT_KERNEL_TABLES;
  pdptes_load(sim.registers[REGISTER_CR3]);
  sim_walk_prepare(&sim.walker, sim.profile);
}

void machine_paging_reset(void)
{
  if (sim.mode != MACHINE_OFF)
    paging_start();
}

void machine_mode_switch(enum machine_mode wanted)
{
  bool long_mode = wanted >= MACHINE_4LEVEL;
  sim.mode = wanted;
  sim.registers[REGISTER_CR0] = CR0_PE | CR0_ET | CR0_NE | CR0_WP | (wanted == MACHINE_OFF ? 0 : CR0_PG);
  sim.registers[REGISTER_CR4] = (sim_has(FEATURE_PGE) ? CR4_PGE : 0) | (wanted >= MACHINE_PAE ? CR4_PAE : 0) |
                                (wanted == MACHINE_5LEVEL ? CR4_LA57 : 0) | (wanted == MACHINE_32 && sim_has(FEATURE_PSE) ? CR4_PSE : 0);
  sim.registers[REGISTER_EFER] = (long_mode ? EFER_LME | EFER_LMA : 0) | (wanted >= MACHINE_PAE && sim_has(FEATURE_NX) ? EFER_NXE : 0);
  sim.registers[REGISTER_FLAGS] = 2;
  paging_start();
}

static void describe(void)
{
  cpu = (struct machine_cpu){.features = sim.profile->features,
                             .maxphyaddr = sim.profile->maxphyaddr,
                             .linear_bits = sim.profile->linear_bits,
                             .family = sim.profile->family,
                             .model = sim.profile->model};
  strncpy(cpu.vendor, sim.profile->vendor, sizeof cpu.vendor - 1);
  strncpy(cpu.brand, sim.profile->brand, sizeof cpu.brand - 1);
  layout = describe_layout(shadows, ram_covers);
}

bool sim_init(const struct sim_profile *use, enum machine_mode first, uint64_t seed)
{
  sim.profile = use;
  if (memory == NULL)
    memory = calloc(1, MEMORY_BYTES);
  if (memory == NULL)
    return false;
  describe();
  sim_tlb_init(sim.profile, seed);
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
