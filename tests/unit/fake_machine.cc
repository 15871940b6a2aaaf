#include "fake_machine.h"

#include <cstdlib>
#include <cstring>
#include <random>

FakeMachine fake;

void fake_reset(unsigned pages, uint64_t base)
{
  fake = FakeMachine();
  fake.base = base;
  fake.memory.assign((size_t)pages * PAGE_SIZE, 0);
  fake.cpu.features = (1u << FEATURES) - 1;
  fake.cpu.maxphyaddr = 40;
  fake.cpu.linear_bits = 57;
  std::strcpy(fake.cpu.vendor, "FakeMachine!");
  fake.mode = MACHINE_OFF;
  fake.carry.assign(2 * PAGE_SIZE, 0);
  fake.layout.root = paddr(base);
  fake.layout.tables = paddr(base + PAGE_SIZE);
  fake.layout.table_count = pages - 1;
  fake.layout.kernel_end = 16 * MIB;
}

struct paging fake_paging_read()
{
  struct paging paging;
  paging_read(&paging);
  return paging;
}

struct paging fake_paging(enum machine_mode mode, unsigned pages)
{
  fake_reset(pages);
  fake.mode = mode;
  fake.registers[REGISTER_CR3] = fake.base;
  fake.registers[REGISTER_CR0] = CR0_PE | CR0_WP | (mode == MACHINE_OFF ? 0 : CR0_PG);
  fake.registers[REGISTER_CR4] = CR4_PSE | CR4_PGE | (mode >= MACHINE_PAE ? CR4_PAE : 0) | (mode == MACHINE_5LEVEL ? CR4_LA57 : 0);
  fake.registers[REGISTER_EFER] = EFER_NXE | (mode >= MACHINE_4LEVEL ? EFER_LME | EFER_LMA : 0);
  return fake_paging_read();
}

/* ---- Tables for edits --------------------------------------------------------------------------------------------------- */

static bool tables_take(void *context, paddr_t *table)
{
  FakeTables *self = (FakeTables *)context;
  if (self->free_pages.empty())
    return false;
  *table = paddr(self->free_pages.back());
  self->free_pages.pop_back();
  self->taken.insert(table->v);
  std::memset(machine_physical(*table), 0, PAGE_SIZE);
  return true;
}

static void tables_give(void *context, paddr_t table)
{
  FakeTables *self = (FakeTables *)context;
  if (!self->taken.erase(table.v))
    std::abort(); /* given back twice, or never taken: no test may go on from here */
  self->free_pages.push_back(table.v);
}

static bool tables_write(void *context, const struct edit_write *write)
{
  ((FakeTables *)context)->writes.push_back({write->at.v, write->bytes, write->before, write->after});
  return true;
}

static unsigned tables_left(void *context)
{
  FakeTables *self = (FakeTables *)context;
  return (unsigned)self->free_pages.size() + (self->lies ? 1 : 0);
}

FakeTables::FakeTables()
{
  for (uint64_t at = fake.base + PAGE_SIZE; at < fake.end(); at += PAGE_SIZE)
    free_pages.insert(free_pages.begin(), at);
}

edit_tables FakeTables::tables()
{
  return {tables_take, tables_give, tables_write, tables_left, this};
}

/* ---- Random numbers ----------------------------------------------------------------------------------------------------- */

uint64_t test_seed()
{
  static const uint64_t seed = [] {
    const char *text = std::getenv("TLBSH_SEED");
    return text ? (uint64_t)std::strtoull(text, nullptr, 0) : (uint64_t)std::random_device{}();
  }();
  return seed;
}

uint64_t Random::next()
{
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/* ---- machine.h ---------------------------------------------------------------------------------------------------------- */

static bool in_memory(uint64_t at, uint64_t bytes)
{
  return at >= fake.base && at - fake.base + bytes <= fake.memory.size();
}

uint64_t fake_entry(paddr_t at, unsigned bytes)
{
  uint64_t value = 0;
  if (!machine_entry_read(at, bytes, &value))
    std::abort();
  return value;
}

extern "C" {

const struct machine_cpu *machine_cpu(void)
{
  return &fake.cpu;
}

const struct machine_layout *machine_layout(void)
{
  return &fake.layout;
}

enum machine_mode machine_mode(void)
{
  return fake.mode;
}

bool machine_mode_supported(enum machine_mode, enum machine_feature *)
{
  return true;
}

void machine_mode_switch(enum machine_mode mode)
{
  fake.mode = mode;
}

void machine_paging_reset(void)
{
  std::memset(machine_physical(fake.layout.root), 0, PAGE_SIZE);
}

void *machine_carry(size_t *size)
{
  *size = fake.carry.size();
  return fake.carry.data();
}

bool machine_memory(unsigned index, struct machine_range *range)
{
  *range = {paddr(fake.base), fake.memory.size(), true};
  return index == 0;
}

void *machine_physical(paddr_t at)
{
  return in_memory(at.v, 1) ? &fake.memory[(size_t)(at.v - fake.base)] : nullptr;
}

bool machine_entry_read(paddr_t at, unsigned bytes, uint64_t *value)
{
  if (!in_memory(at.v, bytes))
    return false;
  *value = 0;
  std::memcpy(value, machine_physical(at), bytes);
  return true;
}

bool machine_entry_write(paddr_t at, unsigned bytes, uint64_t value)
{
  if (!in_memory(at.v, bytes))
    return false;
  fake.entry_writes++;
  std::memcpy(machine_physical(at), &value, bytes);
  return true;
}

uint64_t machine_register_read(enum machine_register reg)
{
  return fake.registers[reg];
}

struct machine_fault machine_register_write(enum machine_register reg, uint64_t value)
{
  fake.registers[reg] = value;
  return {};
}

struct machine_result machine_access(struct machine_access *access)
{
  return fake.access ? fake.access(access) : machine_result{};
}

struct machine_result machine_invlpg(const struct machine_invlpg *)
{
  return {};
}

struct machine_result machine_invpcid(uint64_t, uint64_t, laddr_t)
{
  return {};
}

struct machine_fault machine_sweep(const struct machine_sweep *)
{
  return {};
}

struct machine_result machine_cost(enum machine_cost, uint8_t, uint64_t, uint64_t)
{
  return {};
}

struct machine_fault machine_msr_read(uint32_t msr, uint64_t *value)
{
  *value = fake.msrs.count(msr) ? fake.msrs[msr] : 0;
  return {};
}

struct machine_fault machine_msr_write(uint32_t msr, uint64_t value)
{
  fake.msrs[msr] = value;
  return {};
}

struct machine_fault machine_paging_toggle(void)
{
  return {};
}

struct machine_fault machine_task_switch(uint64_t cr3)
{
  fake.registers[REGISTER_CR3] = cr3;
  return {};
}

bool machine_tlb_array(unsigned, struct machine_tlb_array *)
{
  return false;
}

unsigned machine_tlb_set(unsigned, laddr_t, unsigned)
{
  return 0;
}

bool machine_tlb_entry(unsigned *, struct machine_tlb_entry *)
{
  return false;
}

void machine_stop_arm(bool)
{
}

struct machine_fault machine_raise(uint8_t vector, uint8_t cpl)
{
  machine_fault fault = {};
  fault.raised = true;
  fault.vector = vector;
  fault.cpl = cpl;
  return fault;
}

void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  std::memset(regs, 0, 4 * sizeof regs[0]);
  if (fake.cpuid.count({leaf, subleaf}))
    std::memcpy(regs, fake.cpuid[{leaf, subleaf}].data(), 4 * sizeof regs[0]);
}

uint64_t machine_ticks(void)
{
  return ++fake.ticks;
}

struct machine_fault machine_guard(void (*fn)(void *argument), void *argument)
{
  fn(argument);
  return {};
}

const char *machine_command_line(void)
{
  return fake.command_line.c_str();
}

void machine_reboot(void)
{
}

void machine_poweroff(void)
{
}
}
