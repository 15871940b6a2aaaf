/* What edits need: each kind of change, on each maker's CPUs, in each format; and that the advice agrees with the predictions. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_lab.h"

#include <cstring>
#include <vector>

static const uint64_t VA = 0x40000000, FRAME = 0x2000, OTHER_FRAME = 0x5000;

/* One edit of @p lab, and what the advice on it is. */
static struct advice edit(FakeLab &lab, uint64_t va, unsigned level, uint64_t after, struct advice so_far = {})
{
  struct advice_change change = {};
  change.va = laddr(va);
  change.level = (uint8_t)level;
  change.before = lab.get(va, level);
  change.after = after;
  lab.set(va, level, after);
  advice_add(&so_far, lab.model(), &lab.paging, &change);
  return so_far;
}

enum { ON_SMEP = 1, ON_SMAP = 2 };

struct row {
  const char *what;
  uint64_t before, after; /* of the PTE */
  unsigned with;
  enum advice_need intel, amd, cyrix;
  const char *rule, *amd_rule, *cyrix_rule; /* NULL: as on Intel's */
};

static const uint64_t PAGE = FRAME | E_PAGE;

static const row rows[] = {
  {"not present, present", 0, PAGE, 0, NEED_NOTHING, NEED_NOTHING, NEED_FLUSH, "edit-maps", NULL, "edit-maps-kept"},
  {"present, not present", PAGE, 0, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-unmaps", NULL, NULL},
  {"only P is cleared", PAGE, PAGE & ~E_P, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-unmaps", NULL, NULL},
  {"RO to RW", PAGE & ~E_RW, PAGE, 0, NEED_OPTIONAL, NEED_NOTHING, NEED_OPTIONAL, "edit-gives-right", "edit-gives-right-amd", NULL},
  {"RW to RO", PAGE, PAGE & ~E_RW, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-takes-right", NULL, NULL},
  {"S to U", PAGE & ~E_US, PAGE, 0, NEED_OPTIONAL, NEED_NOTHING, NEED_OPTIONAL, "edit-gives-right", "edit-gives-right-amd", NULL},
  {"S to U with SMEP", PAGE & ~E_US, PAGE, ON_SMEP, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-takes-right", NULL, NULL},
  {"S to U with SMAP", PAGE & ~E_US, PAGE, ON_SMAP, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-takes-right", NULL, NULL},
  {"U to S", PAGE, PAGE & ~E_US, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-takes-right", NULL, NULL},
  {"U to S with SMEP", PAGE, PAGE & ~E_US, ON_SMEP, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-takes-right", NULL, NULL},
  {"another frame", PAGE, OTHER_FRAME | E_PAGE, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-frame", NULL, NULL},
  {"another frame and more rights", PAGE & ~E_RW, OTHER_FRAME | E_PAGE, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-frame", NULL, NULL},
  {"A is cleared", PAGE, PAGE & ~E_A, 0, NEED_OPTIONAL, NEED_OPTIONAL, NEED_OPTIONAL, "edit-clears-a", NULL, NULL},
  {"D is cleared", PAGE, PAGE & ~E_D, 0, NEED_OPTIONAL, NEED_OPTIONAL, NEED_OPTIONAL, "edit-clears-d", NULL, NULL},
  {"D is set", PAGE & ~E_D, PAGE, 0, NEED_NOTHING, NEED_NOTHING, NEED_NOTHING, "edit-sets-ad", NULL, NULL},
  {"A was clear: unmapped", PAGE & ~E_A, 0, 0, NEED_NOTHING, NEED_NOTHING, NEED_NOTHING, "edit-unused", NULL, NULL},
  {"A was clear: another frame", PAGE & ~E_A, OTHER_FRAME | E_PAGE, 0, NEED_NOTHING, NEED_NOTHING, NEED_NOTHING, "edit-unused", NULL, NULL},
  {"cache type", PAGE, PAGE | E_PWT, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-type", NULL, NULL},
  {"PAT", PAGE, PAGE | 0x80, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-type", NULL, NULL},
  {"G is set", PAGE, PAGE | E_G, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-global", NULL, NULL},
  {"G is cleared", PAGE | E_G, PAGE, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-global", NULL, NULL},
  {"an ignored bit", PAGE, PAGE | 0x200, 0, NEED_NOTHING, NEED_NOTHING, NEED_NOTHING, "edit-nothing", NULL, NULL},
  {"the same", PAGE, PAGE, 0, NEED_NOTHING, NEED_NOTHING, NEED_NOTHING, "edit-nothing", NULL, NULL},
  /* Of entries of 8 bytes; in 32-bit paging these bits are cut off, and the row is left out. */
  {"NX is set", PAGE, PAGE | E_NX, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-takes-right", NULL, NULL},
  {"NX is cleared", PAGE | E_NX, PAGE, 0, NEED_OPTIONAL, NEED_NOTHING, NEED_OPTIONAL, "edit-gives-right", "edit-gives-right-amd", NULL},
  {"a reserved bit is set", PAGE, PAGE | 1ULL << 51, 0, NEED_FLUSH, NEED_FLUSH, NEED_FLUSH, "edit-unmaps", NULL, NULL},
  {"a reserved bit is cleared", PAGE | 1ULL << 51, PAGE, 0, NEED_NOTHING, NEED_NOTHING, NEED_FLUSH, "edit-maps", NULL, "edit-maps-kept"},
};

static void check_row(const row &r, enum machine_mode mode, unsigned vendor, enum advice_need need, const char *rule)
{
  FakeLab lab(mode, vendor);
  lab.paging.smep = r.with & ON_SMEP;
  lab.paging.smap = r.with & ON_SMAP;
  lab.map(VA, r.before);
  lab.begin();
  struct advice a = edit(lab, VA, lab.last(), r.after);
  CAPTURE(std::string(r.what));
  CAPTURE(mode);
  CAPTURE(vendor);
  CHECK(a.need == need);
  CHECK(std::string(a.rule->name) == rule);
  CHECK(a.how == (need == NEED_NOTHING ? HOW_NOT : HOW_INVLPG));
  CHECK(a.entries == (need == NEED_NOTHING ? 0 : 1));
  CHECK(a.va.v == VA);
  CHECK(!a.older);
}

TEST_CASE("advice: each kind of change of a page's entry")
{
  for (enum machine_mode mode : PAGING_MODES)
    for (const row &r : rows) {
      if (mode == MACHINE_32 && (r.before | r.after) >> 32)
        continue;
      check_row(r, mode, RULE_INTEL, r.intel, r.rule);
      check_row(r, mode, RULE_AMD, r.amd, r.amd_rule ? r.amd_rule : r.rule);
      check_row(r, mode, RULE_CYRIX, r.cyrix, r.cyrix_rule ? r.cyrix_rule : r.rule);
    }
}

TEST_CASE("advice: entries that refer to tables, at each level")
{
  for (enum machine_mode mode : PAGING_MODES)
    for (unsigned level = 0; level + 1u < FakeLab(mode).paging.format->levels; level++) {
      FakeLab lab(mode);
      bool pdpte = lab.is_pdpte(level);
      CAPTURE(mode);
      CAPTURE(level);
      lab.map(VA, PAGE);
      lab.begin();
      uint64_t entry = lab.get(VA, level), other = lab.new_table();
      struct advice a = edit(lab, VA, level, other | (entry & ENTRY_BITS));
      CHECK(a.need == NEED_FLUSH);
      CHECK(a.how == HOW_CR3);
      CHECK(a.table);
      CHECK(std::string(a.rule->name) == (pdpte ? "edit-pdpte" : "edit-table"));
      lab.set(VA, level, entry);
      lab.drop_all();
      a = edit(lab, VA, level, 0);
      CHECK(std::string(a.rule->name) == (pdpte ? "edit-pdpte" : "edit-unmaps"));
      CHECK(a.how == HOW_CR3);
      lab.drop_all();
      a = edit(lab, VA, level, entry);
      CHECK(std::string(a.rule->name) == (pdpte ? "edit-pdpte" : "edit-maps"));
      CHECK(a.need == (pdpte ? NEED_FLUSH : NEED_NOTHING));
      if (pdpte)
        continue;
      a = edit(lab, VA, level, entry & ~E_RW);
      CHECK(std::string(a.rule->name) == "edit-takes-right");
      CHECK(a.how == HOW_CR3);
    }
}

TEST_CASE("advice: page size")
{
  for (enum machine_mode mode : PAGING_MODES) {
    FakeLab lab(mode);
    CAPTURE(mode);
    unsigned pde = lab.last() - 1;
    lab.map(VA, PAGE);
    lab.begin();
    uint64_t table = lab.get(VA, pde);
    struct advice a = edit(lab, VA, pde, (1ULL << 22) | E_PAGE | E_PS);
    CHECK(std::string(a.rule->name) == "edit-size");
    CHECK(a.how == HOW_CR3);
    lab.drop_all();
    /* INVLPG would go by the tables, which say 4 KiB by then. */
    a = edit(lab, VA, pde, table);
    CHECK(std::string(a.rule->name) == "edit-size");
    CHECK(a.need == NEED_FLUSH);
    CHECK(a.how == HOW_CR3);
  }
}

TEST_CASE("advice: a large page that stays one is dropped by one INVLPG; one that goes is not")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, 2, (1ULL << 21) | E_PAGE | E_PS);
  lab.begin();
  CHECK(edit(lab, VA, 2, (2ULL << 21) | E_PAGE | E_PS).how == HOW_INVLPG);
  lab.drop_all();
  CHECK(edit(lab, VA, 2, 0).how == HOW_CR3);
}

TEST_CASE("advice: several entries, global translations, no INVLPG")
{
  FakeLab lab(MACHINE_32);
  for (unsigned i = 0; i < 3; i++)
    lab.map(VA + i * PAGE_SIZE, PAGE);
  lab.begin();
  struct advice a = edit(lab, VA, 1, PAGE & ~E_RW);
  CHECK(a.how == HOW_INVLPG);
  a = edit(lab, VA + PAGE_SIZE, 1, 0, a);
  CHECK(a.how == HOW_CR3);
  CHECK(a.entries == 2);
  CHECK(std::string(a.rule->name) == "edit-takes-right"); /* of the first of the most urgent */
  a = edit(lab, VA + 2 * PAGE_SIZE, 1, PAGE | E_G, a);
  CHECK(a.how == HOW_ALL);
  lab.paging.conditions &= ~(unsigned)CONDITION_PGE;
  fake.cpu.features &= ~(1u << FEATURE_INVLPG);
  CHECK(edit(lab, VA, 1, PAGE).how == HOW_CR3);
}

TEST_CASE("advice: the more urgent change gives the rule")
{
  FakeLab lab(MACHINE_PAE);
  lab.map(VA, 0);
  lab.map(VA + PAGE_SIZE, PAGE & ~E_RW);
  lab.map(VA + 2 * PAGE_SIZE, PAGE);
  lab.begin();
  struct advice a = edit(lab, VA, 2, PAGE);
  CHECK(a.need == NEED_NOTHING);
  a = edit(lab, VA + PAGE_SIZE, 2, PAGE, a);
  CHECK(a.need == NEED_OPTIONAL);
  CHECK(a.va.v == VA + PAGE_SIZE);
  a = edit(lab, VA + 2 * PAGE_SIZE, 2, 0, a);
  CHECK(a.need == NEED_FLUSH);
  CHECK(std::string(a.rule->name) == "edit-unmaps");
  CHECK(a.entries == 2);
}

TEST_CASE("advice: a change that needs nothing, after one whose invalidation was left out")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, PAGE);
  lab.begin();
  edit(lab, VA, 3, 0);
  struct advice a = edit(lab, VA, 3, OTHER_FRAME | E_PAGE);
  CHECK(a.older);
  CHECK(a.need == NEED_FLUSH);
  CHECK(a.how == HOW_INVLPG);
  CHECK(std::string(a.rule->name) == "edit-unmaps");
}

/* ---- against the predictions ---- */

static const unsigned VENDORS[] = {RULE_INTEL, RULE_AMD, RULE_CYRIX};

struct Case {
  FakeLab lab;
  Random random;
  std::vector<uint64_t> addresses{VA, VA + 0x1000, VA + 0x3000, VA + 0x800000};
  uint64_t spare; /* a page table that is not in use, with entries of its own */

  Case(enum machine_mode mode, unsigned vendor, uint64_t seed) : lab(mode, vendor), random(seed)
  {
    for (uint64_t va : addresses)
      lab.map(va, leaf(false));
    spare = lab.new_table();
    for (uint64_t va : addresses)
      lab.put(spare + format_index(lab.paging.format, lab.last(), laddr(va)) * (uint64_t)lab.bytes(), leaf(false));
    for (unsigned level = 0; level < lab.last(); level++)
      if (!lab.is_pdpte(level))
        lab.set(VA, level, table(level, lab.get(VA, level)));
    if (random.below(4) == 0)
      lab.set(VA, lab.last() - 1, leaf(true));
    lab.paging.smep = random.coin();
    lab.begin();
  }

  uint64_t flag(uint64_t bit, unsigned out_of_8) { return random.below(8) < out_of_8 ? bit : 0; }
  uint64_t leaf(bool large)
  {
    uint64_t value = (random.below(3) + 1) << (large ? 22 : 12) | (large ? E_PS : 0);
    value |= flag(E_P, 7) | flag(E_RW, 5) | flag(E_US, 5) | flag(E_A, 6) | flag(E_D, 4) | flag(E_G, 2);
    return lab.bytes() == 8 ? value | flag(E_NX, 2) | flag(1ULL << 50, 1) : value;
  }
  uint64_t table(unsigned level, uint64_t old)
  {
    uint64_t to = level + 1 == lab.last() && random.coin() && spare ? spare : old & ~ENTRY_BITS;
    return to | flag(E_P, 7) | flag(E_RW, 6) | flag(E_US, 6) | flag(E_A, 7);
  }

  /* How many outcomes are permitted that the tables do not ask for; of those how many are no faults. */
  void others(unsigned *all, unsigned *successes)
  {
    *all = *successes = 0;
    for (uint64_t va : addresses)
      for (enum machine_op op : {OP_READ, OP_WRITE, OP_EXEC})
        for (unsigned cpl : {0u, 3u}) {
          struct prediction p = lab.predict(va, op, cpl);
          for (unsigned i = 0; i < p.count; i++) {
            *all += !p.outcome[i].fresh;
            *successes += !p.outcome[i].fresh && !p.outcome[i].fault;
          }
        }
  }

  void heed(const struct advice &a)
  {
    if (a.how == HOW_INVLPG)
      lab.invlpg(a.va.v);
    else if (a.how == HOW_CR3)
      lab.mov_cr3(0);
    else if (a.how == HOW_ALL)
      lab.drop_all();
  }

  bool run()
  {
    unsigned all, successes, level = (unsigned)random.below(lab.last() + 1u);
    if (lab.get(VA, lab.last() - 1) & E_PS)
      level = lab.last() - 1;
    bool large = level + 1 == lab.last() && random.coin();
    uint64_t before = lab.get(VA, level);
    uint64_t after = level == lab.last() || large ? leaf(large) : table(level, before & E_PS ? spare : before);
    if (lab.is_pdpte(level))
      after = random.coin() ? 0 : before;
    struct advice a = edit(lab, VA, level, after);
    CAPTURE(level);
    CAPTURE(before);
    CAPTURE(after);
    CAPTURE(std::string(a.rule->name));
    CAPTURE(lab.vendor);
    CAPTURE(lab.paging.format->name);
    others(&all, &successes);
    bool unneeded = a.need != NEED_NOTHING || all == 0, harmless = a.need != NEED_OPTIONAL || successes == 0;
    heed(a);
    others(&all, &successes);
    bool sufficient = a.need == NEED_NOTHING || all == 0;
    CHECK(unneeded);
    CHECK(harmless);
    CHECK(sufficient);
    return unneeded && harmless && sufficient;
  }
};

TEST_CASE("advice: what needs nothing leaves nothing stale, what is optional leaves faults at most, and what it says suffices")
{
  uint64_t seed = test_seed();
  for (enum machine_mode mode : PAGING_MODES)
    for (unsigned vendor : VENDORS)
      for (unsigned i = 0; i < 150; i++)
        if (!Case(mode, vendor, seed++).run())
          return;
}
