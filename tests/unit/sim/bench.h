/* A simulated machine on a test's bench: power, tables made by hand, accesses. */
#ifndef TESTS_UNIT_SIM_BENCH_H
#define TESTS_UNIT_SIM_BENCH_H

extern "C" {
#include "machine/machine.h"
#include "machine/sim.h"
#include "paging/format.h"
#include "paging/rights.h"
}

#include <cstdint>
#include <cstring>
#include <initializer_list>

static const uint64_t NO_FLUSH = 1ULL << 63;
/* Bits of entries. */
static const uint64_t E_P = 1, E_RW = 2, E_US = 4, E_A = 0x20, E_D = 0x40, E_PS = 0x80, E_G = 0x100, E_NX = 1ULL << 63;

/** A machine that was just switched on. Only one at a time can be. */
struct Bench {
  struct sim_profile profile;
  enum machine_mode mode;
  unsigned tables_taken = 0;

  Bench(const char *name, enum machine_mode mode_, std::initializer_list<const char *> defects = {})
      : profile(*sim_profile_named(name)), mode(mode_)
  {
    for (const char *defect : defects)
      sim_profile_break(&profile, sim_profile_defect(defect));
    sim_init(&profile, mode, 1);
    for (char letter = 'A'; letter <= 'Z'; letter++)
      fill(frame(letter), letter);
    for (uint64_t at = 0; at < 4 * MIB; at += PAGE_SIZE)
      fill(0x400000 + at, 'M');
  }

  static void fill(uint64_t pa, char letter)
  {
    uint8_t *page = (uint8_t *)machine_physical(paddr(pa));
    const uint8_t routine[] = {0xb8, (uint8_t)letter, 0, 0, 0, 0xc3};
    std::memset(page, letter, PAGE_SIZE);
    std::memcpy(page + 0xff0, routine, sizeof routine);
  }

  bool has(enum machine_feature feature) const { return machine_features_have(profile.features, feature) != 0; }
  const struct format *format() const { return format_of(mode); }
  unsigned last_level() const { return format()->levels - 1u; }
  unsigned large_shift() const { return mode == MACHINE_32 ? 22 : 21; }
  bool has_large() const { return mode != MACHINE_32 || has(FEATURE_PSE); }

  static uint64_t frame(char letter) { return machine_layout()->frames.v + (uint64_t)(letter - 'A') * PAGE_SIZE; }
  uint64_t root() const { return machine_layout()->root.v; }

  uint64_t get(uint64_t at) const
  {
    uint64_t value = 0;
    machine_entry_read(paddr(at), format()->entry_bytes, &value);
    return value;
  }
  void put(uint64_t at, uint64_t value) const { machine_entry_write(paddr(at), format()->entry_bytes, value); }

  uint64_t new_table()
  {
    uint64_t table = machine_layout()->tables.v + PAGE_SIZE * (uint64_t)tables_taken++;
    std::memset(machine_physical(paddr(table)), 0, PAGE_SIZE);
    return table;
  }

  /** Where the entry for @p va at @p level is; the tables above it are made where they are missing. */
  uint64_t entry(uint64_t va, unsigned level)
  {
    uint64_t table = root();
    for (unsigned i = 0;; i++) {
      uint64_t at = table + (uint64_t)format_index(format(), i, laddr(va)) * format()->entry_bytes;
      if (i == level)
        return at;
      bool latched = i == 0 && format()->root_latched;
      if (!(get(at) & E_P)) {
        put(at, new_table() | (latched ? E_P : E_P | E_RW | E_US));
        if (latched)
          load_cr3(root());
      }
      table = get(at) & 0xfffff000;
    }
  }

  uint64_t pte(uint64_t va) { return entry(va, last_level()); }
  uint64_t pde(uint64_t va) { return entry(va, last_level() - 1); }
  void map(uint64_t va, char letter, uint64_t flags = E_RW) { put(pte(va), frame(letter) | E_P | flags); }

  machine_fault load_cr3(uint64_t value) const { return machine_register_write(REGISTER_CR3, value); }
  machine_fault cr4(uint64_t set, uint64_t clear = 0) const
  {
    return machine_register_write(REGISTER_CR4, (machine_register_read(REGISTER_CR4) | set) & ~clear);
  }
  void invlpg(uint64_t va) const
  {
    struct machine_invlpg operand = {};
    operand.va = laddr(va);
    machine_invlpg(&operand);
  }

  static machine_result access(enum machine_op op, uint64_t va, unsigned cpl, uint64_t *value)
  {
    struct machine_access access = {op, laddr(va), (uint8_t)cpl, 1, *value};
    machine_result result = machine_access(&access);
    *value = access.value;
    return result;
  }
  /** The letter that a read finds, or 0 where it faults. */
  static char read(uint64_t va, unsigned cpl = 0)
  {
    uint64_t value = 0;
    return access(OP_READ, va, cpl, &value).fault.raised ? 0 : (char)value;
  }
  static bool write(uint64_t va, unsigned cpl = 0)
  {
    uint64_t value = 'w';
    return !access(OP_WRITE, va, cpl, &value).fault.raised;
  }
  static bool exec(uint64_t va, unsigned cpl = 0)
  {
    uint64_t value = 0;
    return !access(OP_EXEC, va | 0xff0, cpl, &value).fault.raised;
  }
  static machine_fault fault(enum machine_op op, uint64_t va, unsigned cpl = 0)
  {
    uint64_t value = 0;
    return access(op, va, cpl, &value).fault;
  }
};

#endif
