/* machine.h over a plain array of physical memory, for tests of the pure code. It has no MMU and no TLB: an access answers with
 * whatever the test put into `fake.access`. Tests set its members freely; fake_reset() puts everything back. */
#ifndef TESTS_UNIT_FAKE_MACHINE_H
#define TESTS_UNIT_FAKE_MACHINE_H

extern "C" {
#include "machine/machine.h"
#include "paging/edit.h"
}

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

struct FakeMachine {
  uint64_t base; /* where the memory starts */
  std::vector<uint8_t> memory;
  struct machine_cpu cpu; /* "struct", "enum": functions of these names hide them */
  struct machine_layout layout;
  enum machine_mode mode;
  uint64_t registers[REGISTERS];
  std::vector<uint8_t> carry;
  std::string command_line;
  uint64_t ticks;
  std::map<uint32_t, uint64_t> msrs;
  std::map<std::pair<uint32_t, uint32_t>, std::array<uint32_t, 4>> cpuid; /* of leaf and subleaf */
  unsigned entry_writes;                                                  /* calls of machine_entry_write() */
  std::function<machine_result(struct machine_access *)> access;          /* empty: no fault, and the value as it came */

  uint64_t end() const { return base + memory.size(); }
};

extern FakeMachine fake;

/** A CPU with every feature in no paging mode, and @p pages pages of zeroed memory from @p base on. The root is the first. */
void fake_reset(unsigned pages = 64, uint64_t base = 0x100000);

/** fake_reset(), then control registers as they are in @p mode with all that goes with it switched on (PSE, PGE, NXE, WP), but
 * for SMEP, SMAP and PKE; and those read into a struct paging. */
struct paging fake_paging(enum machine_mode mode, unsigned pages = 64);

/** Reads the fake's registers again. */
struct paging fake_paging_read();

uint64_t fake_entry(paddr_t at, unsigned bytes);

/** A source of tables for edits: every page of the fake's memory but the root. Keeps what it was told. */
struct FakeTables {
  struct Write {
    uint64_t at;
    unsigned bytes;
    uint64_t before, after;
  };
  std::vector<uint64_t> free_pages;
  std::set<uint64_t> taken;
  std::vector<Write> writes;
  bool lies = false; /* left() promises a page more than there is */

  FakeTables();
  /** The struct to pass to an edit. */
  edit_tables tables();
};

/** The seed of this run: TLBSH_SEED from the environment, or else a fresh one. */
uint64_t test_seed();

/** A small generator (splitmix64), the same on every host. */
struct Random {
  uint64_t state;
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next();
  /** A number below @p n. */
  uint64_t below(uint64_t n) { return next() % n; }
  bool coin() { return (next() >> 32 & 1) != 0; }
};

#endif
