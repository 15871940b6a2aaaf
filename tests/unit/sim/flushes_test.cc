/* What the simulated machine keeps and drops, against the SDM's list: "Operations that Invalidate TLBs and Paging-Structure Caches",
 * "INVPCID
 * - Invalidate Process-Context Identifier" and "MOV - Move to/from Control Registers". */
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "bench.h"

#include <string>

static const uint64_t VA = 0x40000000, GLOBAL = 0x40001000;

/* Translations of VA (not global) under PCIDs 0 and 1, and of GLOBAL; then the tables change. */
static void fill_pcids(Bench &b)
{
  b.cr4(CR4_PCIDE);
  b.map(VA, 'A');
  b.map(GLOBAL, 'A', E_RW | E_G);
  for (uint64_t pcid : {0, 1}) {
    b.load_cr3(b.root() | pcid | NO_FLUSH);
    b.read(VA);
    b.read(GLOBAL);
  }
  b.map(VA, 'B');
  b.map(GLOBAL, 'B', E_RW | E_G);
}

/* Which of the three are still there, as "0", "1" and "g". */
static std::string kept(Bench &b)
{
  std::string found;
  for (uint64_t pcid : {0, 1}) {
    b.load_cr3(b.root() | pcid | NO_FLUSH);
    if (b.read(VA) == 'A')
      found += (char)('0' + pcid);
  }
  return b.read(GLOBAL) == 'A' ? found + "g" : found;
}

template <typename Flush> static std::string kept_after(const char *profile, Flush flush)
{
  Bench b(profile, MACHINE_4LEVEL);
  fill_pcids(b);
  flush(b);
  return kept(b);
}

TEST_CASE("sim: INVPCID's four types")
{
  for (const char *profile : {"modern-intel", "modern-amd"}) {
    CHECK(kept_after(profile, [](Bench &) {}) == "01g");
    CHECK(kept_after(profile, [](Bench &) { machine_invpcid(0, 0, laddr(VA)); }) == "1g");
    CHECK(kept_after(profile, [](Bench &) { machine_invpcid(0, 1, laddr(VA)); }) == "0g");
    CHECK(kept_after(profile, [](Bench &) { machine_invpcid(0, 1, laddr(GLOBAL)); }) == "01g");
    CHECK(kept_after(profile, [](Bench &) { machine_invpcid(1, 1, laddr(0)); }) == "0g");
    CHECK(kept_after(profile, [](Bench &) { machine_invpcid(2, 1, laddr(0)); }) == "");
    CHECK(kept_after(profile, [](Bench &) { machine_invpcid(3, 1, laddr(0)); }) == "g");
  }
}

TEST_CASE("sim: INVPCID's general-protection faults")
{
  Bench b("modern-intel", MACHINE_4LEVEL);
  CHECK(machine_invpcid(4, 0, laddr(0)).fault.vector == VECTOR_GP);
  CHECK(machine_invpcid(2, 0x1000, laddr(0)).fault.raised);
  CHECK(machine_invpcid(0, 0, laddr(1ULL << 47)).fault.raised);
  CHECK(machine_invpcid(0, 1, laddr(0)).fault.raised); /* CR4.PCIDE is 0 */
  CHECK(machine_invpcid(1, 1, laddr(0)).fault.raised);
  CHECK_FALSE(machine_invpcid(1, 0, laddr(1ULL << 47)).fault.raised);
  CHECK_FALSE(machine_invpcid(2, 1, laddr(0)).fault.raised);
  b.cr4(CR4_PCIDE);
  CHECK_FALSE(machine_invpcid(1, 1, laddr(0)).fault.raised);
}

TEST_CASE("sim: INVLPG, MOV CR3 and MOV CR4 under PCIDs")
{
  for (const char *profile : {"modern-intel", "modern-amd"}) {
    CHECK(kept_after(profile, [](Bench &b) { b.invlpg(VA); }) == "0g"); /* PCID 1 is current */
    CHECK(kept_after(profile, [](Bench &b) { b.invlpg(GLOBAL); }) == "01");
    CHECK(kept_after(profile, [](Bench &b) { b.load_cr3(b.root() | 1); }) == "0g");
    CHECK(kept_after(profile, [](Bench &b) { b.load_cr3(b.root()); }) == "1g");
    CHECK(kept_after(profile, [](Bench &b) { b.cr4(0, CR4_PGE), b.cr4(CR4_PGE); }) == "");
    CHECK(kept_after(profile, [](Bench &b) { b.cr4(CR4_PKE); }) == "01g");
    CHECK(kept_after(profile, [](Bench &b) {
            b.load_cr3(b.root() | NO_FLUSH);
            b.cr4(0, CR4_PCIDE);
            b.cr4(CR4_PCIDE);
          }) == "");
  }
}

TEST_CASE("sim: what is seen of the TLB tells PCIDs apart, and which of them is current")
{
  Bench b("modern-amd", MACHINE_4LEVEL);
  struct machine_tlb_entry e;
  unsigned cursor = 0, of[2] = {0, 0};
  fill_pcids(b);
  while (machine_tlb_entry(&cursor, &e))
    if (e.va.v == VA && e.shift == PAGE_SHIFT) {
      REQUIRE(e.pcid < 2);
      of[e.pcid]++;
      CHECK(e.current == (e.pcid == 1));
      CHECK(machine_tlb_set(e.array, e.va, e.shift) == e.set);
    }
  CHECK(of[0] == 2); /* in both levels */
  CHECK(of[1] == 2);
}

TEST_CASE("sim: without tags in the TLB, bit 63 of CR3 keeps nothing that another PCID could find")
{
  CHECK(kept_after("bochs", [](Bench &) {}) == "g");
}

TEST_CASE("sim: MOV CR3 refuses reserved bits")
{
  Bench b("modern-intel", MACHINE_4LEVEL);
  CHECK(b.load_cr3(b.root() | NO_FLUSH).vector == VECTOR_GP); /* CR4.PCIDE is 0 */
  CHECK(b.load_cr3(b.root() | 1ULL << b.profile.maxphyaddr).raised);
  CHECK(machine_register_read(REGISTER_CR3) == b.root());
  b.cr4(CR4_PCIDE);
  CHECK_FALSE(b.load_cr3(b.root() | NO_FLUSH | 5).raised);
  CHECK(machine_register_read(REGISTER_CR3) == (b.root() | 5)); /* bit 63 is not kept */
  CHECK(b.cr4(CR4_PCIDE).raised == false);
}

TEST_CASE("sim: MOV CR4 refuses what long mode, or the lack of it, forbids")
{
  {
    Bench b("modern-intel", MACHINE_4LEVEL);
    CHECK(b.cr4(0, CR4_PAE).vector == VECTOR_GP);
    CHECK(b.cr4(CR4_LA57).raised);
    CHECK_FALSE(b.cr4(CR4_SMEP).raised);
    b.cr4(CR4_PCIDE);
    b.load_cr3(b.root() | 3);
    CHECK_FALSE(b.cr4(0, CR4_PCIDE).raised);
    CHECK(b.cr4(CR4_PCIDE).raised); /* CR3[11:0] is not 0 */
  }
  Bench b("modern-intel", MACHINE_PAE);
  CHECK(b.cr4(CR4_PCIDE).raised);
}

TEST_CASE("sim: a paging-structure cache entry serves its own PCID only")
{
  Bench b("modern-intel", MACHINE_4LEVEL);
  b.cr4(CR4_PCIDE);
  b.map(VA, 'A');
  b.map(GLOBAL, 'A');
  b.read(VA); /* PCID 0 now has the page table */
  uint64_t other = b.new_table();
  b.put(other + 8, b.frame('B') | E_P | E_RW);
  b.put(b.pde(VA), other | E_P | E_RW | E_US);
  b.load_cr3(b.root() | 1 | NO_FLUSH);
  CHECK(b.read(GLOBAL) == 'B');
  b.load_cr3(b.root() | NO_FLUSH);
  CHECK(b.read(GLOBAL) == 'A');
  b.invlpg(0x70000000); /* of any page: drops the PCID's paging-structure caches */
  b.invlpg(GLOBAL);
  CHECK(b.read(GLOBAL) == 'B');
}

TEST_CASE("sim: what is cached has A set in every entry that led there, also where a walk ends with a fault")
{
  for (const char *profile : {"modern-intel", "modern-amd"}) {
    Bench b(profile, MACHINE_4LEVEL);
    b.pte(VA); /* tables, and no page */
    CHECK(b.read(VA) == 0);
    CHECK((b.get(b.pde(VA)) & E_A) != 0);
  }
}

TEST_CASE("sim: a walk refused for rights sets no D, and A above the leaf only")
{
  Bench b("modern-intel", MACHINE_4LEVEL);
  b.map(VA, 'A', 0);
  CHECK_FALSE(b.write(VA));
  CHECK((b.get(b.pte(VA)) & (E_A | E_D)) == 0);
  CHECK((b.get(b.pde(VA)) & E_A) != 0);
  CHECK(b.read(VA) == 'A');
  CHECK((b.get(b.pte(VA)) & (E_A | E_D)) == E_A);
}

TEST_CASE("sim: a fault under a PCID drops what caused it on a machine whose TLB has no tags")
{
  Bench b("bochs", MACHINE_4LEVEL, {"fault-keeps"}); /* for its faults from the TLB ... */
  b.profile.defects = 0;                             /* ... but not for keeping them */
  b.cr4(CR4_PCIDE);
  b.load_cr3(b.root() | 7);
  b.map(VA, 'A');
  b.read(VA);
  b.map(VA, 'A', E_RW | E_US);
  b.read(VA, 3);
  CHECK(b.read(VA, 3) == 'A');
}

TEST_CASE("sim: a page has one translation in a set, also where an empty way comes before it")
{
  Bench b("i486", MACHINE_32);
  const uint64_t first = VA, second = VA + 8 * PAGE_SIZE; /* of one set */
  struct machine_tlb_entry e;
  unsigned cursor = 0, found = 0;
  b.map(first, 'A');
  b.map(second, 'A');
  b.read(first);
  b.read(second);
  b.invlpg(first);
  b.map(second, 'B');
  b.write(second); /* D is to be set, so the CPU walks */
  while (machine_tlb_entry(&cursor, &e))
    found += e.va.v == second;
  CHECK(found == 1);
}

TEST_CASE("sim: speculation tags what it fills as any access does")
{
  Bench b("modern-intel", MACHINE_4LEVEL);
  b.profile.traits |= TRAIT_FRAGMENTS | TRAIT_RING_TLBS; /* the profile is the bench's own copy, which the machine reads */
  b.put(b.pde(VA), 0x400000 | E_P | E_RW | E_US | E_PS);
  for (unsigned page = 0; page < 64; page++)
    b.read(VA + page * PAGE_SIZE, 3);
  b.put(b.pde(VA), 0);
  unsigned found = 0;
  for (unsigned page = 0; page < 512; page++)
    found += b.read(VA + page * PAGE_SIZE, 0) != 0;
  CHECK(found == 0); /* ring 3's TLB is none of ring 0's, and no fragment is a whole page */
}
