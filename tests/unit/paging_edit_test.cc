/* Edits in every format and size: what they write, what they refuse, and that a refused edit writes nothing. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_machine.h"

#include <cstring>
#include <map>
#include <string>

/* A fake machine in one mode, its tables, and edits of them. Every edit is checked on the way: one that is refused must not have
 * written or taken anything; one that is done must have told of each write. */
struct Lab {
  struct paging paging;
  FakeTables tables;

  explicit Lab(enum machine_mode mode, unsigned pages = 64) : paging(fake_paging(mode, pages)) {}

  template <typename Edit> edit_error run(Edit edit)
  {
    std::vector<uint8_t> before = fake.memory;
    std::set<uint64_t> taken = tables.taken;
    unsigned writes = fake.entry_writes;
    tables.writes.clear();
    edit_tables t = tables.tables();
    edit_error error = edit(&t);
    CHECK(fake.entry_writes - writes == tables.writes.size());
    if (error) {
      CHECK(tables.writes.empty());
      CHECK(tables.taken == taken);
      /* Pages that were taken and given back are zeroed, which they were. */
      CHECK(fake.memory == before);
    }
    return error;
  }

  edit_error map(uint64_t va, uint64_t pa, unsigned flags, unsigned shift = 12, unsigned key = 0)
  {
    return run([&](edit_tables *t) { return edit_map(&paging, t, laddr(va), paddr(pa), flags, key, shift); });
  }
  edit_error unmap(uint64_t va, bool keep = false)
  {
    return run([&](edit_tables *t) { return edit_unmap(&paging, t, laddr(va), keep); });
  }
  edit_error protect(uint64_t va, int level, unsigned set, unsigned clear)
  {
    return run([&](edit_tables *t) { return edit_protect(&paging, t, laddr(va), level, set, clear); });
  }
  edit_error entry(uint64_t va, unsigned level, uint64_t value)
  {
    return run([&](edit_tables *t) { return edit_entry(&paging, t, laddr(va), level, value); });
  }
  edit_error split(uint64_t va)
  {
    return run([&](edit_tables *t) { return edit_split(&paging, t, laddr(va)); });
  }
  edit_error merge(uint64_t va)
  {
    return run([&](edit_tables *t) { return edit_merge(&paging, t, laddr(va)); });
  }
  struct walk walk(uint64_t va) { return walk_run(&paging, laddr(va)); }
  uint64_t leaf(uint64_t va)
  {
    struct walk w = walk(va);
    return walk_last(&w)->entry;
  }
  /** Without the features in @p mask and the bits of CR4 in @p cr4. */
  void lack(uint32_t mask, uint64_t cr4 = 0)
  {
    fake.cpu.features &= ~mask;
    fake.registers[REGISTER_CR4] &= ~cr4;
    paging = fake_paging_read();
  }
};

static bool says(edit_error error, const char *words)
{
  return error && std::string(error).find(words) != std::string::npos;
}

/* "" for an edit that was done; else why it was refused, which a failing check then shows. */
static std::string outcome(edit_error error)
{
  return error ? error : "";
}

struct size_row {
  enum machine_mode mode;
  unsigned shift;
  uint64_t va;
  unsigned tables; /* that mapping a first page needs besides the root */
};

static const size_row sizes[] = {
  {MACHINE_32, 12, 0x40000000, 1},
  {MACHINE_32, 22, 0x40000000, 0},
  {MACHINE_PAE, 12, 0xc0000000, 2},
  {MACHINE_PAE, 21, 0xc0000000, 1},
  {MACHINE_4LEVEL, 12, 0x40000000, 3},
  {MACHINE_4LEVEL, 21, 0xffff800000000000, 2},
  {MACHINE_4LEVEL, 30, 0x7fffc0000000, 1},
  {MACHINE_5LEVEL, 12, 0x40000000, 4},
  {MACHINE_5LEVEL, 21, 0xffff800000000000, 3},
  {MACHINE_5LEVEL, 30, 0xff00000000000000, 2},
};

/* ---- Map ---------------------------------------------------------------------------------------------------------------- */

TEST_CASE("edit: map in every format and size")
{
  for (const size_row &row : sizes) {
    Lab lab(row.mode);
    CAPTURE(std::string(lab.paging.format->name));
    CAPTURE(row.shift);
    uint64_t pa = 3ULL << row.shift & 0xffffffff;
    CHECK(outcome(lab.map(row.va + 0x123, pa, EDIT_RW | EDIT_US | EDIT_G, row.shift)) == "");
    CHECK(lab.tables.taken.size() == row.tables);
    CHECK(lab.tables.writes.size() == row.tables + 1);
    struct walk w = lab.walk(row.va + 0x123);
    CHECK(w.end == WALK_MAPPED);
    CHECK(w.pa.v == pa + 0x123);
    CHECK(w.shift == row.shift);
    CHECK((w.writable && w.user && w.executable && w.global));
    /* The write that makes the page appear is the last one, in a table that was live before. */
    CHECK(lab.tables.writes.back().at == w.step[0].at.v);
    /* Mapping again takes the place of the page and needs no table. */
    CHECK(outcome(lab.map(row.va, 0, 0, row.shift)) == "");
    CHECK(lab.tables.writes.size() == 1);
    w = lab.walk(row.va);
    CHECK(w.pa.v == 0);
    CHECK((!w.writable && !w.user && !w.global));
  }
}

TEST_CASE("edit: the entries that map writes")
{
  Lab p32(MACHINE_32);
  CHECK(outcome(p32.map(0x40000000, 0xabc000, EDIT_RW | EDIT_PWT | EDIT_PCD | EDIT_A | EDIT_D | EDIT_PAT)) == "");
  CHECK(p32.leaf(0x40000000) == 0xabc0fb);
  CHECK(fake_entry(paddr(fake.base + 4 * 256), 4) == (*p32.tables.taken.begin() | 7));
  CHECK(outcome(p32.map(0x80000000, 0x3000c00000, EDIT_US | EDIT_PAT, 22)) == "");
  CHECK(p32.leaf(0x80000000) == 0xc61085ULL); /* address bits 37:36 are the entry's bits 18:17 */
  Lab pae(MACHINE_PAE);
  CHECK(outcome(pae.map(0x40000000, 0xf00000000, EDIT_NX)) == "");
  CHECK(pae.leaf(0x40000000) == 0x8000000f00000001);
  CHECK((fake_entry(paddr(fake.base + 8), 8) & 0xfff) == 1); /* no rights in a PDPTE */
  Lab p4(MACHINE_4LEVEL);
  CHECK(outcome(p4.map(0x40000000, 0x40000000, EDIT_RW | EDIT_PAT | EDIT_NX, 30, 5)) == "");
  CHECK(p4.leaf(0x40000000) == 0xa800000040001083);
}

TEST_CASE("edit: what map refuses")
{
  Lab off(MACHINE_OFF);
  CHECK(says(off.map(0x40000000, 0, 0), "paging is off"));
  Lab p32(MACHINE_32);
  CHECK(says(p32.map(0x100000000, 0, 0), "canonical"));
  CHECK(says(p32.map(0x40000000, 0, EDIT_NX), "XD"));
  CHECK(says(p32.map(0x40000000, 0, 0, 12, 1), "protection keys"));
  CHECK(says(p32.map(0x40000000, 0x100000000, 0), "cannot hold"));
  CHECK(says(p32.map(0x40000000, 0x10000000000, 0, 22), "cannot hold"));
  CHECK(says(p32.map(0x40000000, 0x1000, 0, 22), "multiple"));
  CHECK(says(p32.map(0x40000000, 0x123, 0), "multiple"));
  CHECK(says(p32.map(0x40000000, 0, 0, 21), "no pages of that size"));
  p32.lack(0, CR4_PSE);
  CHECK(says(p32.map(0x40000000, 0, 0, 22), "CR4.PSE is 0"));
  Lab p4(MACHINE_4LEVEL);
  CHECK(says(p4.map(0x800000000000, 0, 0), "canonical"));
  CHECK(says(p4.map(0x40000000, 0x10000000000, 0), "cannot hold")); /* MAXPHYADDR is 40 */
  CHECK(says(p4.map(0x40000000, 0, 0, 12, 16), "0 to 15"));
  CHECK(outcome(p4.map(0x40000000, 0, 0, 21)) == "");
  CHECK(says(p4.map(0x40001000, 0, 0, 12), "larger page"));
  CHECK(says(p4.map(0x40000000, 0, 0, 30), "smaller pages"));
  CHECK(outcome(p4.entry(0x40200000, 2, 1ULL << 51 | 1)) == ""); /* refers to a table, as far as that goes */
  CHECK(says(p4.map(0x40200000, 0, 0, 21), "smaller pages"));
  p4.lack(1u << FEATURE_PAGE1GB);
  CHECK(says(p4.map(0x80000000, 0, 0, 30), "1 GiB"));
  CHECK(outcome(p4.entry(0x40000000, 1, 1ULL << 51 | 1)) == "");
  CHECK(says(p4.map(0x40000000, 0, 0), "reserved"));
  p4.paging.root = paddr(0x7000000000);
  CHECK(says(p4.map(0x40000000, 0, 0), "no RAM"));
}

TEST_CASE("edit: map takes all tables or none")
{
  for (bool lies : {false, true}) {
    Lab lab(MACHINE_5LEVEL, 4); /* the root and three: one too few */
    lab.tables.lies = lies;
    CHECK(says(lab.map(0x40000000, 0, 0), "no page is left"));
    CHECK(lab.tables.free_pages.size() == 3);
    CHECK(outcome(lab.map(0x40000000, 0, 0, 21)) == "");
    CHECK(says(lab.map(0x80000000, 0, 0, 21), "no page is left"));
  }
}

TEST_CASE("edit: flags that are ignored or reserved just now can be set all the same")
{
  Lab lab(MACHINE_32);
  lab.lack((1u << FEATURE_PGE) | (1u << FEATURE_PAT), CR4_PGE);
  CHECK(outcome(lab.map(0x40000000, 0x1000, EDIT_G)) == "");
  CHECK(lab.leaf(0x40000000) == 0x1101);
  CHECK_FALSE(lab.walk(0x40000000).global);
  Lab p4(MACHINE_4LEVEL);
  fake.registers[REGISTER_EFER] &= ~EFER_NXE;
  p4.lack(0);
  CHECK(outcome(p4.map(0x40000000, 0x1000, EDIT_NX)) == "");
  CHECK(p4.walk(0x40000000).end == WALK_RESERVED);
  CHECK(outcome(p4.map(0x40000000, 0x1000, 0)) == ""); /* and mapping anew mends it */
  CHECK(p4.walk(0x40000000).end == WALK_MAPPED);
}

TEST_CASE("edit: edit_flag_bits")
{
  unsigned lacking;
  Lab p32(MACHINE_32);
  CHECK(edit_flag_bits(&p32.paging, 1, EDIT_RW | EDIT_G | EDIT_PAT | EDIT_NX, &lacking) == 0x182);
  CHECK(lacking == EDIT_NX);
  CHECK(edit_flag_bits(&p32.paging, 0, EDIT_PAT | EDIT_D, &lacking) == 0x1040);
  CHECK(lacking == 0);
  Lab p4(MACHINE_4LEVEL);
  CHECK(edit_flag_bits(&p4.paging, 3, EDIT_NX | EDIT_US | EDIT_A, &lacking) == 0x8000000000000024);
  CHECK(edit_flag_bits(&p4.paging, 0, EDIT_RW, &lacking) == 0); /* no PML4E maps a page */
  CHECK(lacking == EDIT_RW);
}

/* ---- Unmap, protect, entry ---------------------------------------------------------------------------------------------- */

TEST_CASE("edit: unmap in every format and size")
{
  for (const size_row &row : sizes) {
    Lab lab(row.mode);
    CAPTURE(std::string(lab.paging.format->name));
    CAPTURE(row.shift);
    CHECK(says(lab.unmap(row.va), "no page is mapped"));
    CHECK(outcome(lab.map(row.va, 0, EDIT_RW, row.shift)) == "");
    uint64_t entry = lab.leaf(row.va);
    CHECK(outcome(lab.unmap(row.va + 0x10, true)) == "");
    CHECK(lab.tables.writes.size() == 1);
    CHECK(lab.walk(row.va).end == WALK_NOT_PRESENT);
    CHECK(lab.leaf(row.va) == entry - 1);
    CHECK(says(lab.unmap(row.va, true), "no page is mapped"));
    CHECK(outcome(lab.map(row.va, 0, EDIT_RW, row.shift)) == "");
    CHECK(outcome(lab.unmap(row.va)) == "");
    CHECK(lab.leaf(row.va) == 0);
    CHECK(lab.tables.taken.size() == row.tables); /* unmap gives no table back */
  }
}

TEST_CASE("edit: protect the leaf, in every format and size")
{
  for (const size_row &row : sizes) {
    Lab lab(row.mode);
    CAPTURE(std::string(lab.paging.format->name));
    CAPTURE(row.shift);
    CHECK(says(lab.protect(row.va, -1, EDIT_RW, 0), "no page is mapped"));
    CHECK(outcome(lab.map(row.va, 0, EDIT_RW | EDIT_A | EDIT_D, row.shift)) == "");
    uint64_t entry = lab.leaf(row.va);
    CHECK(outcome(lab.protect(row.va, -1, EDIT_US | EDIT_G, EDIT_RW | EDIT_A)) == "");
    CHECK(lab.leaf(row.va) == ((entry & ~0x22ULL) | 0x104));
    CHECK(outcome(lab.protect(row.va, -1, EDIT_PAT, 0)) == "");
    CHECK(lab.leaf(row.va) == ((entry & ~0x22ULL) | 0x104 | (row.shift == 12 ? 0x80 : 0x1000)));
    CHECK(says(lab.protect(row.va, -1, EDIT_RW, EDIT_RW), "both"));
    if (row.mode == MACHINE_32)
      CHECK(says(lab.protect(row.va, -1, EDIT_NX, 0), "XD"));
    else
      CHECK(outcome(lab.protect(row.va, -1, EDIT_NX, 0)) == "");
  }
}

TEST_CASE("edit: protect at a level above the leaf")
{
  Lab lab(MACHINE_4LEVEL);
  CHECK(outcome(lab.map(0x40000000, 0x1000, EDIT_RW | EDIT_US)) == "");
  CHECK(outcome(lab.protect(0x40000000, 2, EDIT_NX | EDIT_A, EDIT_RW | EDIT_D)) == "");
  struct walk w = lab.walk(0x40000000);
  CHECK((!w.writable && w.user && !w.executable));
  CHECK((w.step[2].entry & 0xfff) == 0x25);
  CHECK(says(lab.protect(0x40000000, 2, EDIT_G, 0), "no such flag"));
  CHECK(says(lab.protect(0x40000000, 0, EDIT_PAT, 0), "no such flag"));
  CHECK(says(lab.protect(0x40000000, 4, EDIT_RW, 0), "no such level"));
  CHECK(says(lab.protect(0x40200000, 2, EDIT_RW, 0), "no page is mapped"));
  CHECK(says(lab.protect(0x80000000, 3, EDIT_RW, 0), "not present"));
  Lab pae(MACHINE_PAE);
  CHECK(outcome(pae.map(0x40000000, 0x200000, EDIT_RW, 21)) == "");
  CHECK(says(pae.protect(0x40000000, 0, EDIT_US, 0), "no such flag"));
  CHECK(outcome(pae.protect(0x40000000, 0, EDIT_PCD, 0)) == "");
  CHECK(says(pae.protect(0x40000000, 2, EDIT_RW, 0), "larger page"));
}

TEST_CASE("edit: an entry can be given any value that it has bits for")
{
  Lab p32(MACHINE_32);
  CHECK(outcome(p32.entry(0x40000000, 0, 0xdeadbe02)) == "");
  CHECK(p32.leaf(0x40000000) == 0xdeadbe02);
  CHECK(says(p32.entry(0x40000000, 0, 0x100000000), "32 bits"));
  CHECK(says(p32.entry(0x40000000, 1, 0), "not present"));
  CHECK(says(p32.entry(0x40000000, 2, 0), "no such level"));
  Lab p4(MACHINE_4LEVEL);
  CHECK(outcome(p4.map(0x40000000, 0, 0)) == "");
  CHECK(outcome(p4.entry(0x40000000, 3, 0xffffffffffffffff)) == "");
  CHECK(p4.walk(0x40000000).end == WALK_RESERVED);
  CHECK(outcome(p4.entry(0x40000000, 3, 0)) == "");
  CHECK(outcome(p4.entry(0x40000000, 1, 0x87 | 1ULL << 51)) == "");
  CHECK(says(p4.entry(0x40000000, 2, 0), "reserved"));
  CHECK(outcome(p4.entry(0x40000000, 1, 0x87)) == "");
  CHECK(says(p4.entry(0x40000000, 2, 0), "larger page"));
  p4.paging.root = paddr(0x7000000000);
  CHECK(says(p4.entry(0x40000000, 0, 0), "no RAM"));
}

/* ---- Split and merge ---------------------------------------------------------------------------------------------------- */

TEST_CASE("edit: split, then merge, is the identity")
{
  Random random(test_seed() + 4);
  for (int round = 0; round < 40; round++) {
    for (const size_row &row : sizes) {
      if (row.shift == 12)
        continue;
      Lab lab(row.mode);
      CAPTURE(std::string(lab.paging.format->name));
      CAPTURE(row.shift);
      unsigned flags = (unsigned)random.below(row.mode == MACHINE_32 ? EDIT_NX : 2 * EDIT_NX);
      unsigned key = row.mode >= MACHINE_4LEVEL ? (unsigned)random.below(16) : 0;
      uint64_t pa = random.below((row.mode == MACHINE_32 ? 4 * GIB : 1ULL << 40) >> row.shift) << row.shift;
      REQUIRE(outcome(lab.map(row.va, pa, flags, row.shift, key)) == "");
      struct walk large = lab.walk(row.va);
      const struct walk_step *at = walk_last(&large);
      uint64_t software = random.next() & format_mask(&lab.paging, at->level, at->entry, ROLE_IGNORED);
      if (row.mode < MACHINE_4LEVEL || !(lab.paging.conditions & CONDITION_PKE))
        software &= ~(15ULL << 59); /* the key stays as it is */
      REQUIRE(outcome(lab.entry(row.va, at->level, at->entry | software)) == "");
      large = lab.walk(row.va);
      REQUIRE(outcome(lab.split(row.va + random.below(1ULL << row.shift))) == "");
      for (int i = 0; i < 20; i++) {
        uint64_t offset = random.below(1ULL << row.shift);
        struct walk small = lab.walk(row.va + offset);
        REQUIRE(small.end == WALK_MAPPED);
        REQUIRE(small.shift < row.shift);
        REQUIRE(small.pa.v == pa + offset);
        REQUIRE(small.writable == large.writable);
        REQUIRE(small.user == large.user);
        REQUIRE(small.executable == large.executable);
        REQUIRE(small.global == large.global);
        const struct walk_step *leaf = walk_last(&small);
        REQUIRE(format_value(&lab.paging, leaf->level, leaf->entry, ROLE_PAT) == (flags & EDIT_PAT ? 1 : 0));
        REQUIRE(format_value(&lab.paging, leaf->level, leaf->entry, ROLE_D) == (flags & EDIT_D ? 1 : 0));
        REQUIRE((leaf->entry & software) == software);
      }
      size_t taken = lab.tables.taken.size();
      REQUIRE(outcome(lab.merge(row.va + random.below(1ULL << row.shift))) == "");
      REQUIRE(lab.leaf(row.va) == walk_last(&large)->entry);
      REQUIRE(lab.tables.taken.size() == taken - 1);
    }
  }
}

TEST_CASE("edit: 1 GiB splits down to 4 KiB in two steps, and merges back")
{
  Lab lab(MACHINE_4LEVEL);
  CHECK(outcome(lab.map(0x40000000, 0x80000000, EDIT_RW | EDIT_PAT | EDIT_G, 30)) == "");
  uint64_t large = lab.leaf(0x40000000);
  CHECK(outcome(lab.split(0x40000000)) == "");
  CHECK(lab.leaf(0x40200000) == (0x80200000 | 0x1183));
  CHECK(lab.tables.writes.size() == 513);
  CHECK(outcome(lab.split(0x40200000)) == "");
  CHECK(lab.leaf(0x40201000) == (0x80201000 | 0x183));
  CHECK(says(lab.split(0x40200000), "4 KiB page cannot be split"));
  CHECK(says(lab.merge(0x40000000), "refers to another table"));
  CHECK(outcome(lab.merge(0x40200000)) == "");
  CHECK(outcome(lab.merge(0x40200000)) == "");
  CHECK(lab.leaf(0x40000000) == large);
  CHECK(says(lab.merge(0x40000000), "as large as pages get"));
  CHECK(lab.tables.taken.size() == 1);
}

TEST_CASE("edit: what split refuses")
{
  Lab p32(MACHINE_32, 1);
  CHECK(says(p32.split(0x40000000), "no page is mapped"));
  CHECK(outcome(p32.map(0x40000000, 0x100000000, 0, 22)) == "");
  CHECK(says(p32.split(0x40000000), "above 4 GiB"));
  CHECK(outcome(p32.map(0x40000000, 0x400000, 0, 22)) == "");
  CHECK(says(p32.split(0x40000000), "no page is left"));
  CHECK(outcome(p32.entry(0x40000000, 0, 0x00600083)) == ""); /* bit 21 */
  CHECK(says(p32.split(0x40000000), "reserved"));
}

TEST_CASE("edit: what merge refuses")
{
  Lab lab(MACHINE_4LEVEL);
  CHECK(says(lab.merge(0x40000000), "no page is mapped"));
  CHECK(outcome(lab.map(0x40000000, 0x200000, EDIT_RW, 21)) == "");
  CHECK(outcome(lab.split(0x40000000)) == "");
  CHECK(outcome(lab.unmap(0x401ff000, true)) == "");
  CHECK(says(lab.merge(0x40000000), "not present"));
  CHECK(outcome(lab.map(0x401ff000, 0x3fe000, EDIT_RW)) == "");
  CHECK(says(lab.merge(0x40000000), "run in ascending order"));
  CHECK(outcome(lab.map(0x401ff000, 0x3ff000, EDIT_RW | EDIT_US)) == "");
  CHECK(says(lab.merge(0x40000000), "differ"));
  CHECK(outcome(lab.map(0x401ff000, 0x3ff000, EDIT_RW)) == "");
  CHECK(outcome(lab.entry(0x401ff000, 3, 0x3ff003 | 1ULL << 45)) == "");
  CHECK(says(lab.merge(0x40000000), "reserved"));
  CHECK(outcome(lab.map(0x401ff000, 0x3ff000, EDIT_RW)) == "");
  CHECK(outcome(lab.merge(0x40000000)) == "");
  lab.lack(1u << FEATURE_PAGE1GB);
  CHECK(says(lab.merge(0x40000000), "1 GiB"));
  Lab pae(MACHINE_PAE);
  CHECK(outcome(pae.map(0x40000000, 0, 0, 21)) == "");
  CHECK(says(pae.merge(0x40000000), "as large as pages get"));
  Lab p32(MACHINE_32);
  for (unsigned i = 0; i < 1024; i++)
    REQUIRE(outcome(p32.map(0x40000000 + i * 4096, 0x1000 + i * 4096, 0)) == "");
  CHECK(says(p32.merge(0x40000000), "multiple of the large page"));
  p32.lack(0, CR4_PSE);
  CHECK(says(p32.merge(0x40000000), "CR4.PSE is 0"));
}

TEST_CASE("edit: merge gathers A and D, and grants no more than the table's entry did")
{
  Lab lab(MACHINE_4LEVEL);
  CHECK(outcome(lab.map(0x40000000, 0x200000, EDIT_RW | EDIT_US, 21)) == "");
  CHECK(outcome(lab.split(0x40000000)) == "");
  CHECK(outcome(lab.protect(0x40003000, -1, EDIT_A, 0)) == "");
  CHECK(outcome(lab.protect(0x401ff000, -1, EDIT_D, 0)) == "");
  CHECK(outcome(lab.protect(0x40000000, 2, EDIT_NX, EDIT_RW)) == "");
  struct walk before = lab.walk(0x40000000);
  CHECK(outcome(lab.merge(0x40000000)) == "");
  CHECK(lab.leaf(0x40000000) == 0x80000000002000e5);
  struct walk after = lab.walk(0x40000000);
  CHECK(after.writable == before.writable);
  CHECK(after.user == before.user);
  CHECK(after.executable == before.executable);
}

/* ---- Random edits ------------------------------------------------------------------------------------------------------- */

struct model_page {
  unsigned shift;
  uint64_t pa;
  unsigned flags;
};

/* What should be mapped, by the linear address of each page. It knows nothing of tables. */
struct Model {
  std::map<uint64_t, model_page> pages;

  const model_page *find(uint64_t va, uint64_t *base = nullptr) const
  {
    auto it = pages.upper_bound(va);
    if (it == pages.begin())
      return nullptr;
    --it;
    if (base)
      *base = it->first;
    return (va - it->first) >> it->second.shift == 0 ? &it->second : nullptr;
  }
};

static void compare(Lab &lab, const Model &model, uint64_t va)
{
  CAPTURE(va);
  const model_page *page = model.find(va);
  struct walk w = lab.walk(va);
  REQUIRE((w.end == WALK_MAPPED) == (page != nullptr));
  if (!page)
    return;
  uint64_t size = 1ULL << page->shift;
  REQUIRE(w.pa.v == page->pa + (va & (size - 1)));
  REQUIRE(w.shift == page->shift);
  REQUIRE(w.writable == ((page->flags & EDIT_RW) != 0));
  REQUIRE(w.user == ((page->flags & EDIT_US) != 0));
  REQUIRE(w.executable == !(page->flags & EDIT_NX));
  REQUIRE(w.global == ((page->flags & EDIT_G) != 0));
}

static const unsigned page_shifts[MACHINE_MODES][3] = {{}, {12, 22, 12}, {12, 21, 12}, {12, 21, 30}, {12, 21, 30}};

/* Addresses that collide often: a few places at every scale. */
static uint64_t random_va(Random &random, const struct paging &paging)
{
  uint64_t va = random.below(3) << 12 | random.below(3) << 21 | random.below(2) << 30 | random.below(2) << 22 | random.below(4096);
  if (paging.format->linear_bits > 32 && random.coin())
    va |= 1ULL << (paging.format->linear_bits - 1);
  return format_sign_extend(paging.format, va).v;
}

static void random_map(Lab &lab, Model &model, Random &random, uint64_t va)
{
  unsigned shift = page_shifts[lab.paging.format->mode][random.below(3)];
  uint64_t pa = random.below((4 * GIB) >> shift) << shift;
  unsigned flags = (unsigned)random.below(lab.paging.format->mode == MACHINE_32 ? EDIT_NX : 2 * EDIT_NX);
  edit_error error = lab.map(va, pa, flags, shift);
  const model_page *there = model.find(va);
  bool larger = there && there->shift > shift;
  bool same = there && there->shift == shift;
  REQUIRE(says(error, "larger page") == larger);
  if (same)
    REQUIRE(outcome(error) == "");
  /* Else only what the model does not know may refuse: a table in the place of a large page, or no page left for one. */
  if (error && !larger)
    REQUIRE((says(error, "smaller pages") || says(error, "no page is left")));
  if (!error)
    model.pages[va >> shift << shift] = {shift, pa, flags};
}

static void random_protect(Lab &lab, Model &model, Random &random, uint64_t va)
{
  unsigned choices = EDIT_RW | EDIT_US | EDIT_G | EDIT_A | EDIT_D;
  unsigned set = (unsigned)random.next() & choices, clear = (unsigned)random.next() & choices & ~set;
  uint64_t base;
  const model_page *there = model.find(va, &base);
  edit_error error = lab.protect(va, -1, set, clear);
  REQUIRE((error == nullptr) == (there != nullptr));
  if (there)
    model.pages[base].flags = (there->flags & ~clear) | set;
}

static void random_split(Lab &lab, Model &model, uint64_t va)
{
  uint64_t base;
  const model_page *there = model.find(va, &base);
  edit_error error = lab.split(va);
  if (!there || there->shift == 12)
    REQUIRE(error != nullptr);
  if (error)
    return;
  model_page large = *there;
  unsigned shift = large.shift == 30 ? 21 : 12;
  for (uint64_t at = 0; at < 1ULL << large.shift; at += 1ULL << shift)
    model.pages[base + at] = {shift, large.pa + at, large.flags};
}

static bool can_merge(const Model &model, uint64_t base, unsigned small, unsigned large)
{
  const model_page *first = model.find(base);
  if (!first || first->pa & address_mask(large))
    return false;
  for (uint64_t at = 0; at < 1ULL << large; at += 1ULL << small) {
    const model_page *page = model.find(base + at);
    if (!page || page->shift != small || page->pa != first->pa + at)
      return false;
    if ((page->flags ^ first->flags) & ~(unsigned)(EDIT_A | EDIT_D))
      return false;
  }
  return true;
}

static void random_merge(Lab &lab, Model &model, uint64_t va)
{
  const model_page *there = model.find(va);
  edit_error error = lab.merge(va);
  unsigned small = there ? there->shift : 0;
  unsigned large = small == 21 ? 30 : lab.paging.format->mode == MACHINE_32 ? 22 : 21;
  uint64_t base = va >> large << large;
  bool exists = there && small < large && (large < 30 || lab.paging.format->mode >= MACHINE_4LEVEL);
  bool mergeable = exists && can_merge(model, base, small, large);
  REQUIRE((error == nullptr) == mergeable);
  if (error)
    return;
  model_page page = *model.find(base);
  for (uint64_t at = 0; at < 1ULL << large; at += 1ULL << small) {
    page.flags |= model.find(base + at)->flags & (EDIT_A | EDIT_D);
    if (at)
      model.pages.erase(base + at);
  }
  page.shift = large;
  model.pages[base] = page;
}

static void random_unmap(Lab &lab, Model &model, Random &random, uint64_t va)
{
  uint64_t base;
  const model_page *there = model.find(va, &base);
  edit_error error = lab.unmap(va, random.coin());
  REQUIRE((error == nullptr) == (there != nullptr));
  if (there)
    model.pages.erase(base);
}

/* One random edit; returns how many merges it made. */
static unsigned random_edit(Lab &lab, Model &model, Random &random, uint64_t va)
{
  size_t pages;
  switch (random.below(8)) {
  case 0: random_merge(lab, model, va); return 0;
  case 1: random_protect(lab, model, random, va); return 0;
  case 2: random_unmap(lab, model, random, va); return 0;
  case 3:
  case 4: /* Together, with one page changed a little between them: most merges would be refused otherwise. */
    random_split(lab, model, va);
    if (random.coin())
      random_protect(lab, model, random, va);
    pages = model.pages.size();
    if (random.coin())
      random_merge(lab, model, va);
    return model.pages.size() < pages;
  default: random_map(lab, model, random, va); return 0;
  }
}

TEST_CASE("edit: random edits, against a map from addresses to pages")
{
  unsigned merges = 0;
  Random random(test_seed() + 5);
  /* Many short lives: a table, once made, stays, and large pages then find less and less room. */
  for (int life = 0; life < 120; life++) {
    Lab lab((enum machine_mode)(MACHINE_32 + life % 4), 24);
    Model model;
    CAPTURE(std::string(lab.paging.format->name));
    for (int i = 0; i < 50; i++) {
      uint64_t va = random_va(random, lab.paging);
      merges += random_edit(lab, model, random, va);
      compare(lab, model, va);
      for (int n = 0; n < 8; n++)
        compare(lab, model, random_va(random, lab.paging));
    }
    /* Every page that the model has, and so every entry that an edit should have left alone. */
    for (const auto &page : model.pages)
      compare(lab, model, page.first);
  }
  CHECK(merges > 10);
}
