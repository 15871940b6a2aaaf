/* machine.h on a booted machine. */
#include "cpu/access.h"
#include "cpu/cpu.h"
#include "cpu/invalidate.h"
#include "cpu/raise.h"
#include "cpu/segments.h"
#include "cpu/traps.h"
#include "dev/power.h"
#include "machine/describe.h"
#include "machine/identity.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/real.h"

#include <string.h>

static struct machine_cpu cpu;
static struct machine_layout layout;
static enum machine_mode mode;
static bool has_cr4, has_efer;
/* Which page each window slot shows: its number + 1, or 0. */
static uint64_t window_page[LAYOUT_WINDOW_COUNT];
static unsigned windows_used;

struct boot_info *real_boot_info(void)
{
  return (struct boot_info *)LAYOUT_CARRY;
}

/* ---- the CPU ---- */

static bool has(enum machine_feature feature)
{
  return machine_features_have(cpu.features, feature);
}

void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  memset(regs, 0, 4 * sizeof regs[0]);
  if (cpu_has_cpuid())
    cpu_cpuid(leaf, subleaf, regs);
}

static void cpu_identify(void)
{
  uint32_t regs[4];
  cpu.features = cpu_features();
  machine_cpuid(0, 0, regs);
  memcpy(cpu.vendor + 0, &regs[CPUID_EBX], 4);
  memcpy(cpu.vendor + 4, &regs[CPUID_EDX], 4);
  memcpy(cpu.vendor + 8, &regs[CPUID_ECX], 4);
  machine_cpuid(1, 0, regs);
  /* CPUID.01H:EAX
   *  27:20 extended family, 19:16 extended model, 11:8 family, 7:4 model, 3:0 stepping */
  uint32_t version = regs[CPUID_EAX];
  cpu.family = version >> 8 & 0xf;
  cpu.model = version >> 4 & 0xf;
  if (cpu.family == 6 || cpu.family == 15)
    cpu.model = (uint8_t)(cpu.model | (version >> 12 & 0xf0));
  if (cpu.family == 15)
    cpu.family = (uint8_t)(cpu.family + (version >> 20 & 0xff));
  cpu.stepping = version & 0xf;
  machine_cpuid(0x80000000, 0, regs);
  uint32_t top = regs[0] & 0x80000000 ? regs[0] : 0;
  if (top >= 0x80000004)
    for (unsigned i = 0; i < 3; i++) {
      machine_cpuid(0x80000002 + i, 0, regs);
      memcpy(cpu.brand + sizeof regs * i, regs, sizeof regs);
    }
  cpu.maxphyaddr = has(FEATURE_PAE) || has(FEATURE_PSE36) ? 36 : 32;
  cpu.linear_bits = 32;
  if (top >= 0x80000008) {
    machine_cpuid(0x80000008, 0, regs);
    cpu.maxphyaddr = regs[0] & 0xff;
    cpu.linear_bits = regs[0] >> 8 & 0xff;
  }
}

const struct machine_cpu *machine_cpu(void)
{
  return &cpu;
}

uint64_t machine_ticks(void)
{
  return has(FEATURE_TSC) ? cpu_read_tsc() : 0;
}

/* ---- memory ---- */

static bool ram_covers(uint64_t from, uint64_t to)
{
  const struct boot_info *info = real_boot_info();
  for (unsigned i = 0; i < info->ranges; i++) {
    const struct boot_range *r = &info->range[i];
    if (r->usable && r->base <= from && r->base + r->length >= to)
      return true;
  }
  return false;
}

bool machine_memory(unsigned index, struct machine_range *range)
{
  const struct boot_info *info = real_boot_info();
  if (index >= info->ranges)
    return false;
  const struct boot_range *r = &info->range[index];
  *range = (struct machine_range){.base = paddr(r->base), .length = r->length, .usable = r->usable != 0};
  return true;
}

void *machine_carry(size_t *size)
{
  *size = LAYOUT_CARRY_END - LAYOUT_CARRY - sizeof(struct boot_info);
  return (uint8_t *)LAYOUT_CARRY + sizeof(struct boot_info);
}

const struct machine_layout *machine_layout(void)
{
  return &layout;
}

static bool identity_mapped(uint64_t page)
{
  return page > 0 && page < LAYOUT_KERNEL_END && (page < LAYOUT_WINDOWS || page >= LAYOUT_WINDOWS + LAYOUT_WINDOW_COUNT * PAGE_SIZE);
}

uint8_t *real_screen(uint32_t *bytes)
{
  const struct boot_screen *s = &real_boot_info()->screen;
  uint64_t length = (uint64_t)s->pitch * s->height;
  uint32_t offset = mode == MACHINE_OFF ? 0 : (uint32_t)(s->address & (LAYOUT_FRAMEBUFFER_PAGE - 1));
  uint32_t room = LAYOUT_FRAMEBUFFER_END - LAYOUT_FRAMEBUFFER - offset;
  *bytes = length < room ? (uint32_t)length : room;
  if (mode == MACHINE_OFF)
    return s->address + length <= 1ULL << 32 ? (uint8_t *)(uintptr_t)s->address : NULL;
  return identity_framebuffer(mode, s->address) ? (uint8_t *)LAYOUT_FRAMEBUFFER + offset : NULL;
}

static void window_write(unsigned slot, uint64_t entry)
{
  machine_entry_write(identity_entry(mode, LAYOUT_WINDOWS + slot * (uint64_t)PAGE_SIZE), identity_entry_bytes(mode), entry);
}

/* All windows are taken: close them, and drop their translations by a full flush. Before that happens a thousand different pages
 * outside the low 16 MiB have been looked at. */
static void windows_close(void)
{
  for (unsigned slot = 0; slot < LAYOUT_WINDOW_COUNT; slot++)
    window_write(slot, 0);
  memset(window_page, 0, sizeof window_page);
  windows_used = 0;
  cpu_load_cr3(cpu_read_cr3());
}

/* A window goes from not present to present once and then stays: so it needs no invalidation, which would disturb what the student's
 * experiments are about (INVLPG of any page drops every paging-structure cache). */
static void *window_open(uint64_t page)
{
  const uint64_t window_entry = 0x63; /* D A R/W P, as in identity.c */
  if (mode == MACHINE_32 && page >> 32)
    return NULL;
  uint64_t number = page >> PAGE_SHIFT;
  unsigned slot = number & (LAYOUT_WINDOW_COUNT - 1);
  while (window_page[slot] != 0 && window_page[slot] != number + 1)
    slot = (slot + 1) & (LAYOUT_WINDOW_COUNT - 1);
  if (window_page[slot] == 0) {
    if (windows_used == LAYOUT_WINDOW_COUNT - 1) {
      windows_close();
      slot = number & (LAYOUT_WINDOW_COUNT - 1);
    }
    window_page[slot] = number + 1;
    windows_used++;
    window_write(slot, page | window_entry);
  }
  return (uint8_t *)LAYOUT_WINDOWS + slot * (uintptr_t)PAGE_SIZE;
}

static void *physical(uint64_t at)
{
  uint64_t page = at & ~(uint64_t)(PAGE_SIZE - 1);
  uintptr_t offset = at & (PAGE_SIZE - 1);
  if (identity_mapped(page))
    return (uint8_t *)(uintptr_t)page + offset;
  if (mode == MACHINE_OFF)
    return at >> 32 || page == 0 ? NULL : (void *)(uintptr_t)at;
  uint8_t *window = window_open(page);
  return window ? window + offset : NULL;
}

void *machine_physical(paddr_t at)
{
  uint64_t page = at.v & ~(uint64_t)(PAGE_SIZE - 1);
  return ram_covers(page, page + PAGE_SIZE) ? physical(at.v) : NULL;
}

bool machine_entry_read(paddr_t at, unsigned bytes, uint64_t *value)
{
  const void *memory = machine_physical(at);
  if (memory == NULL)
    return false;
  if (bytes == 4) {
    *value = *(const volatile uint32_t *)memory;
    return true;
  }
  *value = real_load8(memory);
  return true;
}

bool machine_entry_write(paddr_t at, unsigned bytes, uint64_t value)
{
  void *memory = machine_physical(at);
  if (memory == NULL)
    return false;
  if (bytes == 4)
    *(volatile uint32_t *)memory = (uint32_t)value;
  else
    real_store8(memory, value);
  return true;
}

/* ---- control registers ---- */

enum machine_mode machine_mode(void)
{
  return mode;
}

uint64_t machine_register_read(enum machine_register reg)
{
  switch (reg) {
  case REGISTER_CR0: return cpu_read_cr0();
  case REGISTER_CR2: return cpu_read_cr2();
  case REGISTER_CR3: return cpu_read_cr3();
  case REGISTER_CR4: return has_cr4 ? cpu_read_cr4() : 0;
  case REGISTER_EFER: return has_efer ? cpu_read_msr(MSR_EFER) : 0;
  case REGISTER_PKRU: return has_cr4 && cpu_read_cr4() & CR4_PKE ? cpu_read_pkru() : 0;
  case REGISTER_FLAGS: return cpu_read_flags();
  default: return 0;
  }
}

struct register_write {
  enum machine_register reg;
  uint64_t value;
};

static void register_write(void *argument)
{
  const struct register_write *w = argument;
  switch (w->reg) {
  case REGISTER_CR0: cpu_load_cr0((uintptr_t)w->value); break;
  case REGISTER_CR2: cpu_write_cr2((uintptr_t)w->value); break;
  case REGISTER_CR3: cpu_load_cr3((uintptr_t)w->value); break;
  case REGISTER_CR4: cpu_load_cr4((uintptr_t)w->value); break;
  case REGISTER_EFER: cpu_write_msr(MSR_EFER, w->value); break;
  case REGISTER_PKRU: cpu_write_pkru((uint32_t)w->value); break;
  default: break;
  }
}

struct machine_fault machine_register_write(enum machine_register reg, uint64_t value)
{
  struct register_write write = {reg, value};
  struct machine_fault fault = traps_try(register_write, &write).fault;
  if (reg == REGISTER_CR3)
    traps_set_cr3(cpu_read_cr3());
  return fault;
}

/* Where a PDPTE has a reserved bit set, setting CR0.PG again would be a #GP, with paging off: MOV CR3 raises it while nothing is changed
 * yet. Otherwise it drops nothing that the toggle does not drop. */
static void toggle_pg(void *argument)
{
  (void)argument;
  if (mode == MACHINE_PAE)
    cpu_load_cr3(cpu_read_cr3());
  cpu_toggle_pg();
}

struct machine_fault machine_paging_toggle(void)
{
  uintptr_t flags = cpu_read_flags();
  cpu_interrupts_off();
  struct machine_fault fault = traps_try(toggle_pg, NULL).fault;
  cpu_write_flags(flags);
  return fault;
}

struct machine_fault machine_task_switch(uint64_t cr3)
{
  uintptr_t flags = cpu_read_flags();
  cpu_interrupts_off();
  struct machine_fault fault = traps_task_switch((uintptr_t)cr3);
  cpu_write_flags(flags);
  return fault;
}

bool machine_mode_supported(enum machine_mode wanted, enum machine_feature *missing)
{
  return describe_mode_supported(cpu.features, wanted, missing);
}

void machine_mode_switch(enum machine_mode wanted)
{
  real_enter((uint32_t)wanted);
}

void machine_paging_reset(void)
{
  if (mode == MACHINE_OFF)
    return;
  uintptr_t flags = cpu_read_flags();
  cpu_interrupts_off();
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  identity_build(mode, 0, boot_framebuffer(real_boot_info()));
  memset(window_page, 0, sizeof window_page);
  windows_used = 0;
  if (cr4 & CR4_PGE) /* so that global translations go too */
    cpu_load_cr4((uintptr_t)(cr4 & ~CR4_PGE));
  cpu_load_cr3(LAYOUT_KERNEL_TABLES);
  traps_set_cr3(LAYOUT_KERNEL_TABLES);
  if (cr4 & CR4_PGE)
    cpu_load_cr4((uintptr_t)cr4);
  cpu_write_flags(flags);
}

/* ---- accesses and invalidations ---- */

static unsigned access_kind(const struct machine_access *access)
{
  unsigned width = access->size == 8 ? 3 : access->size == 4 ? 2 : access->size == 2 ? 1 : 0;
  if (access->op == OP_EXEC)
    return ACCESS_EXEC;
  return (access->op == OP_READ ? ACCESS_READ1 : ACCESS_WRITE1) + width;
}

struct machine_result machine_access(struct machine_access *access)
{
  return access_perform(access_kind(access), access->cpl, (uintptr_t)access->va.v, &access->value);
}

struct machine_fault machine_sweep(const struct machine_sweep *sweep)
{
  return access_sweep(sweep);
}

struct machine_result machine_invlpg(const struct machine_invlpg *operand)
{
  uint64_t unused = 0;
  if (!operand->segment)
    return access_perform(ACCESS_INVLPG, operand->cpl, (uintptr_t)operand->va.v, &unused);
  traps_scratch_segment((uint32_t)operand->base, operand->limit, operand->expand_down);
  cpu_load_fs(operand->null ? 0 : SELECTOR_SCRATCH);
  real_set_fs_base(operand->null ? 0 : operand->base);
  struct machine_result result = access_perform(ACCESS_INVLPG_FS, operand->cpl, (uintptr_t)operand->va.v, &unused);
  cpu_load_fs(0);
  return result;
}

struct machine_result machine_invpcid(uint64_t type, uint64_t pcid, laddr_t va)
{
  /* SDM, INVPCID descriptor: 127:64 linear address, 63:12 reserved (0), 11:0 PCID. */
  uint64_t invpcid_descriptor[2] = {pcid, va.v};
  return access_perform(ACCESS_INVPCID, 0, (uintptr_t)invpcid_descriptor, &type);
}

struct machine_result machine_cost(enum machine_cost what, uint8_t cpl, uint64_t value, uint64_t count)
{
  static const uint8_t kinds[] =
    {[COST_NOTHING] = ACCESS_NOTHING, [COST_CR3] = ACCESS_CR3, [COST_PGE] = ACCESS_PGE, [COST_CHASE] = ACCESS_CHASE};
  uintptr_t address = (uintptr_t)value;
  uint64_t operand = what == COST_CHASE ? count : value;
  if (what == COST_PGE) {
    operand = cpu_read_cr4();
    address = (uintptr_t)(operand ^ CR4_PGE);
  }
  struct machine_result result = access_perform(kinds[what], cpl, address, &operand);
  if (what == COST_CR3)
    traps_set_cr3(cpu_read_cr3());
  return result;
}

struct msr_access {
  uint32_t msr;
  uint64_t value;
};

static void msr_read(void *argument)
{
  struct msr_access *access = argument;
  access->value = cpu_read_msr(access->msr);
}

static void msr_write(void *argument)
{
  const struct msr_access *access = argument;
  cpu_write_msr(access->msr, access->value);
}

struct machine_fault machine_msr_read(uint32_t msr, uint64_t *value)
{
  struct msr_access access = {.msr = msr};
  struct machine_fault fault = traps_try(msr_read, &access).fault;
  *value = access.value;
  return fault;
}

struct machine_fault machine_msr_write(uint32_t msr, uint64_t value)
{
  struct msr_access access = {msr, value};
  return traps_try(msr_write, &access).fault;
}

bool machine_tlb_array(unsigned index, struct machine_tlb_array *array)
{
  (void)index;
  (void)array;
  return false;
}

unsigned machine_tlb_set(unsigned index, laddr_t va, unsigned shift)
{
  (void)index;
  (void)va;
  (void)shift;
  return 0;
}

bool machine_tlb_entry(unsigned *cursor, struct machine_tlb_entry *entry)
{
  (void)cursor;
  (void)entry;
  return false;
}

void machine_stop_arm(bool on)
{
  cpu_stop_arm(on);
}

struct machine_fault machine_raise(uint8_t vector, uint8_t cpl)
{
  return raise_vector(vector, cpl);
}

struct machine_fault machine_guard(void (*fn)(void *argument), void *argument)
{
  return traps_try(fn, argument).fault;
}

const char *machine_command_line(void)
{
  return real_boot_info()->command_line;
}

void machine_reboot(void)
{
  power_reboot();
}

void machine_poweroff(void)
{
  power_off(real_boot_info()->rsdp, physical);
}

/* Turns on what the CPU offers and a student expects to find on; `set` changes it. */
static void controls_init(void)
{
  cpu_load_cr0(cpu_read_cr0() | CR0_WP);
  if (!has_cr4)
    return;
  uint64_t cr4 = cpu_read_cr4();
  if (has(FEATURE_PSE) && mode == MACHINE_32)
    cr4 |= CR4_PSE;
  if (has(FEATURE_PGE))
    cr4 |= CR4_PGE;
  cpu_load_cr4((uintptr_t)cr4);
  if (has(FEATURE_NX) && mode >= MACHINE_PAE)
    cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_NXE);
}

void real_init(void)
{
  mode = (enum machine_mode)real_boot_info()->mode;
  cpu_identify();
  has_cr4 = cpu_has_cr4();
  has_efer = has(FEATURE_LM) || has(FEATURE_NX);
  layout = describe_layout((void *)LAYOUT_SHADOWS, ram_covers);
  if (identity_framebuffer(mode, boot_framebuffer(real_boot_info())))
    layout.kernel_end = LAYOUT_FRAMEBUFFER_END;
  /* The ring-3 page is read-only, also for the kernel once CR0.WP is set. */
  access_init();
  raise_init();
  controls_init();
}
