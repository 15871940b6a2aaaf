/* The walk against hand-made tables, and against a second walk that is written out mode by mode from the SDM's figures. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_machine.h"

#include <string>

static void put(uint64_t table, unsigned index, unsigned bytes, uint64_t entry)
{
  if (!machine_entry_write(paddr(table + (uint64_t)index * bytes), bytes, entry))
    FAIL("the fake has no memory there");
}

static struct walk walk(const struct paging &paging, uint64_t va)
{
  return walk_run(&paging, laddr(va));
}

static const uint64_t T0 = 0x100000, T1 = 0x101000, T2 = 0x102000, T3 = 0x103000; /* the fake's first pages; T0 is the root */

/* ---- Known tables ------------------------------------------------------------------------------------------------------- */

TEST_CASE("walk: 32-bit paging, 4 KiB and 4 MiB")
{
  struct paging p = fake_paging(MACHINE_32);
  put(T0, 256, 4, T1 | 7);
  put(T1, 2, 4, 0x00abc067);
  put(T1, 3, 4, 0x00abd161);
  put(T0, 257, 4, 0x00c021e5); /* PS, G, and PSE-36: bit 13 is address bit 32 */
  struct walk w = walk(p, 0x40002345);
  CHECK(w.end == WALK_MAPPED);
  CHECK(w.pa.v == 0xabc345);
  CHECK(w.shift == 12);
  CHECK(w.steps == 2);
  CHECK(w.step[0].table.v == T0);
  CHECK(w.step[0].index == 256);
  CHECK(w.step[0].at.v == T0 + 1024);
  CHECK(w.step[0].entry == (T1 | 7));
  CHECK_FALSE(w.step[0].leaf);
  CHECK(w.step[1].leaf);
  CHECK((w.writable && w.user && w.executable && !w.global));
  CHECK(walk_last(&w) == &w.step[1]);
  CHECK(walk_at(&w, 0) == &w.step[0]);
  CHECK(walk_at(&w, 2) == nullptr);
  w = walk(p, 0x40003000);
  CHECK((!w.writable && !w.user && w.executable && w.global));
  w = walk(p, 0x40523456);
  CHECK(w.end == WALK_MAPPED);
  CHECK(w.pa.v == 0x100d23456);
  CHECK(w.shift == 22);
  CHECK(w.steps == 1);
  CHECK((!w.writable && w.user && w.global));
}

TEST_CASE("walk: without CR4.PSE and CR4.PGE the PS and G bits are ignored")
{
  struct paging p = fake_paging(MACHINE_32);
  put(T0, 256, 4, T1 | 0x87);
  put(T1, 2, 4, 0x00abc167);
  fake.registers[REGISTER_CR4] = 0;
  p = fake_paging_read();
  struct walk w = walk(p, 0x40002000);
  CHECK(w.end == WALK_MAPPED);
  CHECK(w.shift == 12);
  CHECK(w.pa.v == 0xabc000);
  CHECK_FALSE(w.global);
}

TEST_CASE("walk: the PDPTE of PAE paging carries no rights")
{
  struct paging p = fake_paging(MACHINE_PAE);
  put(T0, 1, 8, T1 | 1);
  put(T1, 0, 8, T2 | 7);
  put(T2, 5, 8, 0x8000000000abc007);
  put(T1, 1, 8, 0xe00087);
  struct walk w = walk(p, 0x40005000);
  CHECK(w.end == WALK_MAPPED);
  CHECK((w.writable && w.user && !w.executable));
  CHECK(w.steps == 3);
  w = walk(p, 0x40212345);
  CHECK(w.pa.v == 0xe12345);
  CHECK(w.shift == 21);
  /* Bits 1 and 5 are reserved there, but MOV CR3 is what checks them: a walk starts from the copy it made. */
  put(T0, 1, 8, T1 | 0x23);
  w = walk(p, 0x40005000);
  CHECK(w.end == WALK_MAPPED);
  CHECK((w.writable && w.user));
  CHECK((format_reserved(&p, 0, T1 | 0x23) & 0x22) == 0x22);
}

TEST_CASE("walk: PAE paging takes CR3's bits 11:5 for the root's address")
{
  struct paging p = fake_paging(MACHINE_PAE);
  fake.registers[REGISTER_CR3] = T0 + 0x20;
  p = fake_paging_read();
  put(T0 + 0x20, 3, 8, T1 | 1);
  put(T1, 511, 8, 0xe00087);
  CHECK(walk(p, 0xffe00000).end == WALK_MAPPED);
  CHECK(walk(p, 0xffe00000).step[0].at.v == T0 + 0x38);
}

TEST_CASE("walk: 4-level paging in all sizes; rights are anded over the levels; the key is the leaf's")
{
  struct paging p = fake_paging(MACHINE_4LEVEL);
  fake.registers[REGISTER_CR4] |= CR4_PKE;
  p = fake_paging_read();
  put(T0, 511, 8, T1 | 7);
  put(T1, 0, 8, T2 | 5);
  put(T1, 1, 8, 0xb8000000400000e7);
  put(T2, 0, 8, T3 | 0x8000000000000003);
  put(T2, 1, 8, 0x400083);
  put(T3, 7, 8, 0x5000000000abc107);
  const uint64_t base = 0xffffff8000000000;
  struct walk w = walk(p, base + 0x7123);
  CHECK(w.end == WALK_MAPPED);
  CHECK(w.pa.v == 0xabc123);
  CHECK(w.steps == 4);
  CHECK((!w.writable && !w.user && !w.executable && w.global));
  CHECK(w.key == 10);
  w = walk(p, base + 0x2abcde);
  CHECK(w.pa.v == 0x4abcde);
  CHECK(w.shift == 21);
  CHECK((!w.writable && !w.user && w.executable && !w.global));
  w = walk(p, base + 0x7abcdef0);
  CHECK(w.pa.v == 0x7abcdef0);
  CHECK(w.shift == 30);
  CHECK((w.writable && w.user && !w.executable));
  CHECK(w.key == 7);
  fake.registers[REGISTER_CR4] &= ~CR4_PKE;
  p = fake_paging_read();
  CHECK(walk(p, base + 0x7123).key == 0);
}

TEST_CASE("walk: 5-level paging has a level more")
{
  struct paging p = fake_paging(MACHINE_5LEVEL);
  put(T0, 256, 8, T1 | 7);
  put(T1, 1, 8, T2 | 7);
  put(T2, 2, 8, 0x80000083);
  struct walk w = walk(p, 0xff00008080000000);
  CHECK(w.end == WALK_MAPPED);
  CHECK(w.pa.v == 0x80000000);
  CHECK(w.steps == 3);
}

TEST_CASE("walk: each way to end early")
{
  struct paging p = fake_paging(MACHINE_4LEVEL);
  put(T0, 0, 8, T1 | 7);
  put(T1, 0, 8, T2 | 7);
  put(T2, 0, 8, 0xfffffffffffffffe); /* not present: no bit of it is reserved */
  put(T2, 1, 8, T3 | 7);
  put(T2, 2, 8, 0x7000000007);      /* no RAM there */
  put(T3, 0, 8, 0x100000000abc007); /* bit 56 is software's */
  put(T3, 1, 8, 0x20000000abc007);  /* so is bit 53 */
  put(T3, 2, 8, 0x10000abc007);     /* bit 40 is MAXPHYADDR */
  struct walk w = walk(p, 0);
  CHECK(w.end == WALK_NOT_PRESENT);
  CHECK(w.steps == 3);
  CHECK(walk(p, 0x200000).end == WALK_MAPPED);
  CHECK(walk(p, 0x201000).end == WALK_MAPPED);
  CHECK(walk(p, 0x202000).end == WALK_RESERVED);
  w = walk(p, 0x400000);
  CHECK(w.end == WALK_NO_MEMORY);
  CHECK(w.steps == 3);
  CHECK(w.step[3].at.v == 0x7000000000);
  w = walk(p, 0x800000000000);
  CHECK(w.end == WALK_NOT_CANONICAL);
  CHECK(w.steps == 0);
  CHECK(walk_last(&w) == nullptr);
  CHECK(walk_at(&w, 0) == nullptr);
  p.root = paddr(0x7000000000);
  w = walk(p, 0);
  CHECK(w.end == WALK_NO_MEMORY);
  CHECK(w.steps == 0);
}

TEST_CASE("walk: PS of a PDPTE is reserved on a CPU without 1 GiB pages")
{
  struct paging p = fake_paging(MACHINE_4LEVEL);
  put(T0, 0, 8, T1 | 7);
  put(T1, 1, 8, 0x40000087);
  CHECK(walk(p, 0x40000000).end == WALK_MAPPED);
  fake.cpu.features &= ~(1u << FEATURE_PAGE1GB);
  p = fake_paging_read();
  struct walk w = walk(p, 0x40000000);
  CHECK(w.end == WALK_RESERVED);
  CHECK_FALSE(walk_last(&w)->leaf);
}

TEST_CASE("walk: with paging off an address is its own translation")
{
  struct paging p = fake_paging(MACHINE_OFF);
  struct walk w = walk(p, 0xfedcba98);
  CHECK(w.end == WALK_MAPPED);
  CHECK(w.pa.v == 0xfedcba98);
  CHECK((w.writable && w.user && w.executable));
  CHECK(walk_last(&w) == nullptr);
  CHECK(walk(p, 0x100000000).end == WALK_NOT_CANONICAL);
}

/* ---- Random tables ------------------------------------------------------------------------------------------------------ */

struct book_walk {
  enum walk_end end;
  uint64_t pa;
  bool writable, user, executable;
};

static uint64_t pick(uint64_t value, unsigned high, unsigned low)
{
  return value >> low & address_mask(high - low + 1);
}

/* 32-bit paging with PSE, PSE-36 and PAT, MAXPHYADDR 40. */
static book_walk book_32(uint32_t va)
{
  uint64_t pde, pte;
  book_walk w = {WALK_NO_MEMORY, 0, true, true, true};
  if (!machine_entry_read(paddr(T0 + 4 * pick(va, 31, 22)), 4, &pde))
    return w;
  w.end = WALK_NOT_PRESENT;
  if (!(pde & 1))
    return w;
  if (pde & 0x80) {
    w.end = pde & 0x200000 ? WALK_RESERVED : WALK_MAPPED;
    w.pa = pick(pde, 20, 13) << 32 | pick(pde, 31, 22) << 22 | pick(va, 21, 0);
    w.writable = pde & 2;
    w.user = pde & 4;
    return w;
  }
  w.end = WALK_NO_MEMORY;
  if (!machine_entry_read(paddr((pde & 0xfffff000) + 4 * pick(va, 21, 12)), 4, &pte))
    return w;
  w.end = pte & 1 ? WALK_MAPPED : WALK_NOT_PRESENT;
  w.pa = pick(pte, 31, 12) << 12 | pick(va, 11, 0);
  w.writable = pde & pte & 2;
  w.user = pde & pte & 4;
  return w;
}

/* PAE, 4-level and 5-level paging with NXE, PAT, 1 GiB pages and MAXPHYADDR 40, by recursion from the bit position @p low. */
static book_walk book_64(enum machine_mode mode, uint64_t table, uint64_t va, unsigned low)
{
  uint64_t e;
  bool pae = mode == MACHINE_PAE, pae_pdpte = pae && low == 30;
  book_walk w = {WALK_NO_MEMORY, 0, true, true, true};
  if (!machine_entry_read(paddr(table + 8 * pick(va, pae_pdpte ? 31 : low + 8, low)), 8, &e))
    return w;
  w.end = WALK_NOT_PRESENT;
  if (!(e & 1))
    return w;
  w.end = WALK_RESERVED;
  if (!pae_pdpte && pick(e, pae ? 62 : 51, 40)) /* PDPTEs are checked by MOV CR3, not by the walk */
    return w;
  if (low >= 39 && (e & 0x80))
    return w;
  bool leaf = low == 12 || (low <= 30 && !pae_pdpte && (e & 0x80));
  if (leaf && low > 12 && pick(e, low - 1, 13))
    return w;
  if (leaf) {
    w.end = WALK_MAPPED;
    w.pa = pick(e, 39, low) << low | pick(va, low - 1, 0);
  } else {
    w = book_64(mode, e & 0xfffffff000, va, low - 9);
  }
  if (pae_pdpte)
    return w;
  w.writable = w.writable && (e & 2);
  w.user = w.user && (e & 4);
  w.executable = w.executable && !(e >> 63);
  return w;
}

static book_walk book(enum machine_mode mode, uint64_t va)
{
  static const unsigned top[MACHINE_MODES] = {0, 22, 30, 39, 48};
  return mode == MACHINE_32 ? book_32((uint32_t)va) : book_64(mode, T0, va, top[mode]);
}

/* An entry that most often refers to memory that there is, and now and then has bits that it should not have. */
static uint64_t random_entry(Random &random, enum machine_mode mode, unsigned level)
{
  uint64_t entry = (fake.base + random.below(fake.memory.size() / PAGE_SIZE) * PAGE_SIZE) | (random.next() & 0x3f);
  if (random.below(8))
    entry |= 1;
  if (mode == MACHINE_PAE && level == 0)
    entry &= ~0x26ULL;
  if (random.below(5) == 0)
    entry |= 0x80;
  if (entry & 0x80 && level > 0 && random.coin())
    entry = (entry & 0xfff) | (random.next() & 0xffc0000000);
  if (mode == MACHINE_32 && entry & 0x80 && random.coin())
    entry = (entry & 0xfff) | (random.next() & 0xffdfe000);
  if (random.below(8) == 0)
    entry ^= 1ULL << 63;
  if (random.below(8) == 0)
    entry ^= 1ULL << random.below(64);
  return mode == MACHINE_32 ? entry & 0xffffffff : entry;
}

TEST_CASE("walk: random tables, against a walk written out by hand")
{
  Random random(test_seed() + 3);
  unsigned ends[5] = {};
  unsigned sizes[33] = {};
  for (int round = 0; round < 400; round++) {
    enum machine_mode mode = (enum machine_mode)(MACHINE_32 + random.below(4));
    struct paging p = fake_paging(mode, 16);
    for (unsigned page = 0; page < 16; page++) {
      for (unsigned i = 0; i < PAGE_SIZE / p.format->entry_bytes; i++) {
        put(fake.base + page * PAGE_SIZE, i, p.format->entry_bytes, random_entry(random, mode, page == 0 ? 0 : 1));
      }
    }
    for (int i = 0; i < 200; i++) {
      laddr_t va = format_sign_extend(p.format, random.next());
      struct walk w = walk_run(&p, va);
      book_walk expected = book(mode, va.v);
      CAPTURE(std::string(p.format->name));
      CAPTURE(va.v);
      ends[w.end]++;
      REQUIRE(w.end == expected.end);
      if (w.end != WALK_MAPPED)
        continue;
      sizes[w.shift]++;
      REQUIRE(w.pa.v == expected.pa);
      REQUIRE(w.writable == expected.writable);
      REQUIRE(w.user == expected.user);
      REQUIRE(w.executable == expected.executable);
    }
  }
  /* The random tables must have led everywhere, or the test says little. */
  for (enum walk_end end : {WALK_MAPPED, WALK_NOT_PRESENT, WALK_RESERVED, WALK_NO_MEMORY})
    CHECK(ends[end] > 50);
  for (unsigned shift : {12, 21, 22, 30})
    CHECK(sizes[shift] > 50);
}
