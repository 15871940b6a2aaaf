/* The model of what may be cached: what each operation drops and what it does not, what is never cached, and what entries and roots and
 * PDPTE registers were. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_lab.h"

#include <vector>

static const uint64_t VA = 0x40000000, BESIDE = VA + 0x1000, FAR = VA + 0x800000, A = 0x2000, B = 0x5000;
static const uint64_t PAGE_A = A | E_PAGE, PAGE_B = B | E_PAGE;

/* ---- what an operation drops ---- */

struct operation_row {
  enum rule_operation operation;
  bool page, elsewhere, global, other_pcid; /* whether it drops: a page's translation; another page's; a global one; under another PCID */
  bool structures;                          /* ... the paging-structure caches, also of other pages */
};

static const operation_row operations[] = {
  {OPERATION_INVLPG, true, false, true, false, true},
  {OPERATION_MOV_CR3, true, true, false, false, true},
  {OPERATION_MOV_CR3_KEEP, false, false, false, false, false},
  {OPERATION_CR4_PGE, true, true, true, true, true},
  {OPERATION_CR4_PCIDE, true, true, true, true, true},
  {OPERATION_CR4_PAE, true, true, true, false, true},
  {OPERATION_CR4_PSE, false, false, false, false, false},
  {OPERATION_CR4_SMEP, true, true, true, false, true},
  {OPERATION_CR4_SMEP_OFF, false, false, false, false, false},
  {OPERATION_CR0_PG, true, true, true, true, true},
  {OPERATION_INVPCID_ADDRESS, true, false, false, false, false},
  {OPERATION_INVPCID_CONTEXT, true, true, false, false, true},
  {OPERATION_INVPCID_ALL, true, true, true, true, true},
  {OPERATION_INVPCID_NONGLOBAL, true, true, false, true, true},
  {OPERATION_TASK_SWITCH, true, true, false, false, true},
  {OPERATION_PAGE_FAULT, true, false, false, false, false},
};

TEST_CASE("model: what each operation drops, in each format")
{
  for (enum machine_mode mode : PAGING_MODES)
    for (const operation_row &row : operations) {
      CAPTURE(mode);
      CAPTURE(row.operation);
      FakeLab lab(mode);
      lab.map(VA, PAGE_A);
      lab.map(BESIDE, PAGE_A);
      lab.map(FAR, PAGE_A | E_G);
      lab.begin();
      for (uint64_t va : {VA, BESIDE, FAR})
        lab.set(va, lab.last(), B | (lab.get(va, lab.last()) & ENTRY_BITS));
      for (uint64_t va : {VA, BESIDE, FAR})
        CHECK(lab.may_have(va, A));
      lab.op(row.operation, VA);
      CHECK(lab.may_have(VA, A) != row.page);
      CHECK(lab.may_have(BESIDE, A) != row.elsewhere);
      bool page_only = row.page && !row.elsewhere; /* then the global page is another one */
      CHECK(lab.may_have(FAR, A) != (row.global && !page_only));
      if (page_only)
        lab.op(row.operation, FAR);
      CHECK(lab.may_have(FAR, A) != row.global);
      CHECK(lab.may_have(VA, B));
      CHECK(lab.paths(VA).complete);
    }
}

TEST_CASE("model: what each operation drops of other PCIDs and of paging-structure caches")
{
  for (enum machine_mode mode : {MACHINE_4LEVEL, MACHINE_5LEVEL})
    for (const operation_row &row : operations) {
      CAPTURE(mode);
      CAPTURE(row.operation);
      FakeLab lab(mode);
      unsigned pde = lab.last() - 1;
      lab.map(VA, PAGE_A);
      lab.map(FAR, PAGE_A);
      uint64_t other = lab.new_table();
      lab.put(other, PAGE_B);
      lab.begin();
      lab.mov_cr3(0, 1, true);
      lab.set(VA, lab.last(), PAGE_B);
      lab.mov_cr3(0, 2, true);
      lab.op(row.operation, VA, 2);
      lab.mov_cr3(0, 1, true, true);
      CHECK(lab.may_have(VA, A) != row.other_pcid);
      /* The old PDE of FAR leads to a page that is mapped only afterwards. */
      lab.drop_all();
      lab.set(FAR, lab.last(), 0);
      lab.drop_all();
      uint64_t old_pte = lab.at(FAR, lab.last());
      lab.set(FAR, pde, other | E_TABLE);
      lab.op(row.operation, VA, 1);
      lab.put(old_pte, PAGE_A);
      CHECK(lab.paths(FAR).walked.count(A) != (row.structures ? 1 : 0));
      CHECK(lab.paths(FAR).walked.count(B) == 1);
    }
}

TEST_CASE("model: a page fault need drop nothing on AMD's CPUs, nor on Cyrix's")
{
  for (unsigned vendor : {RULE_AMD, RULE_CYRIX}) {
    FakeLab lab(MACHINE_32, vendor);
    lab.map(VA, PAGE_A);
    lab.begin();
    lab.set(VA, 1, PAGE_B);
    lab.op(OPERATION_PAGE_FAULT, VA);
    CHECK(lab.may_have(VA, A));
  }
}

TEST_CASE("model: what INVPCID says about another PCID leaves this one alone")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, PAGE_A);
  lab.begin();
  lab.mov_cr3(0, 1, true);
  lab.set(VA, 3, PAGE_B);
  lab.op(OPERATION_INVPCID_ADDRESS, VA, 2);
  lab.op(OPERATION_INVPCID_CONTEXT, VA, 2);
  CHECK(lab.may_have(VA, A));
  lab.op(OPERATION_INVPCID_ADDRESS, BESIDE, 1);
  CHECK(lab.may_have(VA, A));
  lab.op(OPERATION_INVPCID_ADDRESS, VA, 1);
  CHECK(!lab.may_have(VA, A));
}

/* ---- what is cached ---- */

TEST_CASE("model: nothing is cached from an entry whose P or A is 0, at any level")
{
  for (enum machine_mode mode : PAGING_MODES)
    for (unsigned level = 0; level < FakeLab(mode).paging.format->levels; level++)
      for (uint64_t missing : {E_P, E_A}) {
        FakeLab lab(mode);
        CAPTURE(mode);
        CAPTURE(level);
        CAPTURE(missing);
        if (lab.is_pdpte(level))
          continue; /* has no A */
        lab.map(VA, PAGE_A);
        lab.flags(VA, level, 0, missing);
        lab.begin();
        CHECK(lab.paths(VA).cached.empty());
        uint64_t entry = lab.get(VA, level), table = lab.new_table();
        lab.set(VA, level, level == lab.last() ? PAGE_B : table | E_TABLE);
        CHECK(!lab.may_have(VA, A));
        lab.set(VA, level, entry | E_A | E_P);
        CHECK(lab.may_have(VA, A));
        lab.set(VA, level, 0);
        CHECK(lab.may_have(VA, A));
      }
}

TEST_CASE("model: an upper entry changes, those below it stay")
{
  for (enum machine_mode mode : PAGING_MODES)
    for (unsigned level = 0; level + 1u < FakeLab(mode).paging.format->levels; level++) {
      FakeLab lab(mode);
      CAPTURE(mode);
      CAPTURE(level);
      lab.map(VA, PAGE_A);
      lab.begin();
      uint64_t entry = lab.get(VA, level);
      lab.set(VA, level, 0);
      CHECK(lab.may_have(VA, A));
      CHECK(lab.paths(VA).walked.count(A) == 1);
      lab.map(VA, PAGE_B);
      CHECK(lab.may_have(VA, A));
      lab.invlpg(VA);
      if (!lab.is_pdpte(level)) { /* the register stays as it was */
        CHECK(!lab.may_have(VA, A));
        CHECK(lab.may_have(VA, B));
      }
      lab.mov_cr3(0);
      CHECK(!lab.may_have(VA, A));
      CHECK(lab.may_have(VA, B));
      lab.set(VA, level, entry);
      lab.mov_cr3(0);
      CHECK(lab.may_have(VA, A));
      CHECK(!lab.may_have(VA, B));
    }
}

TEST_CASE("model: values that never coexisted make no path")
{
  for (enum machine_mode mode : {MACHINE_32, MACHINE_4LEVEL}) {
    FakeLab lab(mode);
    lab.map(VA, PAGE_A);
    lab.begin();
    unsigned pde = lab.last() - 1;
    /* The page was writable only before its table was. */
    lab.flags(VA, pde, 0, E_RW);
    lab.drop_all();
    lab.flags(VA, lab.last(), 0, E_RW);
    lab.flags(VA, pde, E_RW);
    CHECK(lab.predict(VA, OP_WRITE).count == 1);
    CHECK(lab.predict(VA, OP_WRITE).outcome[0].fault);
    /* The other way round it may have been: the old PDE from a paging-structure cache, then the new PTE. */
    FakeLab other(mode);
    other.map(VA, PAGE_A & ~E_RW);
    other.begin();
    other.flags(VA, pde, 0, E_RW);
    other.flags(VA, other.last(), E_RW);
    CHECK(other.predict(VA, OP_WRITE).count == 2);
  }
}

TEST_CASE("model: a value that came back within one command counts again")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, PAGE_A);
  lab.begin();
  lab.set(VA, 3, 0);
  lab.invlpg(VA);
  lab.set(VA, 3, PAGE_A);
  lab.set(VA, 3, 0);
  CHECK(lab.may_have(VA, A));
  /* What the diff finds afterwards is no news, */
  lab.invlpg(VA);
  model_saw(lab.model(), paddr(lab.at(VA, 3)), PAGE_A, 0);
  CHECK(!lab.may_have(VA, A));
  /* unless nobody told. */
  model_command(lab.model(), 2);
  model_saw(lab.model(), paddr(lab.at(VA, 3)), PAGE_A, 0);
  CHECK(lab.may_have(VA, A));
}

/* ---- pages of several sizes ---- */

static const uint64_t LARGE = 1ULL << 22;

TEST_CASE("model: INVLPG anywhere in a large page drops all its fragments, while the tables map it as one")
{
  for (enum machine_mode mode : PAGING_MODES) {
    FakeLab lab(mode);
    CAPTURE(mode);
    unsigned pde = lab.last() - 1;
    lab.map(VA, pde, LARGE | E_PAGE | E_PS);
    lab.begin();
    lab.set(VA, pde, 2 * LARGE | E_PAGE | E_PS);
    CHECK(lab.may_have(VA, LARGE));
    CHECK(lab.may_have(VA + 0x5000, LARGE + 0x5000));
    lab.invlpg(VA + 0x7000);
    CHECK(!lab.may_have(VA, LARGE));
    CHECK(!lab.may_have(VA + 0x5000, LARGE + 0x5000));
    CHECK(lab.may_have(VA, 2 * LARGE));
  }
}

TEST_CASE("model: after a split INVLPG drops its own 4 KiB of the large page that was")
{
  for (enum machine_mode mode : PAGING_MODES) {
    FakeLab lab(mode);
    CAPTURE(mode);
    unsigned pde = lab.last() - 1;
    lab.map(VA, pde, LARGE | E_PAGE | E_PS);
    lab.begin();
    uint64_t table = lab.new_table();
    for (unsigned i = 0; i < 8; i++)
      lab.put(table + (uint64_t)i * lab.bytes(), PAGE_B);
    lab.set(VA, pde, table | E_TABLE);
    CHECK(lab.may_have(VA, LARGE));
    CHECK(lab.may_have(VA, B));
    lab.invlpg(VA);
    CHECK(!lab.may_have(VA, LARGE));
    CHECK(lab.may_have(VA + 0x5000, LARGE + 0x5000));
    lab.invlpg(VA + 0x5000);
    CHECK(!lab.may_have(VA + 0x5000, LARGE + 0x5000));
  }
}

TEST_CASE("model: small translations that were there before a large page are none of its fragments")
{
  for (enum machine_mode mode : PAGING_MODES) {
    FakeLab lab(mode);
    CAPTURE(mode);
    lab.map(VA, PAGE_A);
    lab.map(BESIDE, PAGE_A);
    lab.begin();
    lab.set(VA, lab.last() - 1, LARGE | E_PAGE | E_PS);
    lab.invlpg(BESIDE);
    CHECK(lab.may_have(VA, A));
    CHECK(!lab.may_have(BESIDE, A));
    lab.invlpg(VA);
    CHECK(!lab.may_have(VA, A));
  }
}

TEST_CASE("model: which page size another address space has is not known")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, 2, LARGE | E_PAGE | E_PS);
  lab.begin();
  lab.mov_cr3(0, 1, true);
  lab.set(VA, 2, 2 * LARGE | E_PAGE | E_PS);
  lab.mov_cr3(0, 2, true, true);
  lab.op(OPERATION_INVPCID_ADDRESS, VA, 1);
  lab.mov_cr3(0, 1, true, true);
  CHECK(!lab.may_have(VA, LARGE));
  CHECK(lab.may_have(BESIDE, LARGE + 0x1000));
}

/* ---- address spaces ---- */

static void two_roots(FakeLab &lab)
{
  lab.map(VA, PAGE_A);
  lab.paging.root = paddr(FakeLab::root(1));
  lab.map(VA, PAGE_B);
  lab.paging.root = paddr(FakeLab::root(0));
}

TEST_CASE("model: MOV CR3 leaves nothing of another root, but what is global")
{
  for (enum machine_mode mode : PAGING_MODES) {
    CAPTURE(mode);
    FakeLab lab(mode);
    two_roots(lab);
    lab.begin();
    lab.mov_cr3(1);
    CHECK(!lab.may_have(VA, A));
    CHECK(lab.may_have(VA, B));
    FakeLab global(mode);
    two_roots(global);
    global.flags(VA, global.last(), E_G);
    global.begin();
    global.mov_cr3(1);
    CHECK(global.may_have(VA, A));
    global.op(OPERATION_CR4_PGE);
    CHECK(!global.may_have(VA, A));
  }
}

TEST_CASE("model: PCIDs, and bit 63 of MOV CR3's operand")
{
  FakeLab lab(MACHINE_4LEVEL);
  two_roots(lab);
  lab.begin();
  lab.mov_cr3(0, 1, true);
  lab.mov_cr3(1, 2, true);
  CHECK(!lab.may_have(VA, A));
  lab.set(VA, 3, A | E_PAGE | E_US); /* of root 1 */
  lab.set(VA, 3, 0x9000 | E_PAGE);
  CHECK(lab.may_have(VA, B));
  lab.mov_cr3(0, 1, true, true);
  CHECK(!lab.may_have(VA, B)); /* it is under the other PCID */
  lab.mov_cr3(1, 2, true, true);
  CHECK(lab.may_have(VA, B));
  lab.mov_cr3(0, 1, true);
  lab.mov_cr3(1, 2, true);
  CHECK(!lab.may_have(VA, B));
  /* One PCID for two roots. */
  lab.mov_cr3(0, 2, true, true);
  CHECK(lab.may_have(VA, 0x9000));
}

TEST_CASE("model: a global translation made after the drop, from another PCID's paging-structure cache")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, PAGE_A | E_G);
  lab.begin();
  lab.mov_cr3(0, 1, true);
  uint64_t table = lab.new_table();
  lab.mov_cr3(0, 2, true, true);
  lab.set(VA, 2, table | E_TABLE);
  lab.invlpg(VA); /* drops the global translation, and the caches of PCID 2 */
  lab.mov_cr3(0, 1, true, true);
  lab.invlpg(BESIDE);
  CHECK(lab.may_have(VA, A));
  lab.drop_all();
  CHECK(!lab.may_have(VA, A));
}

TEST_CASE("model: an entry that was there before its page became a table")
{
  FakeLab lab(MACHINE_32);
  lab.map(VA, 0);
  lab.begin();
  uint64_t table = lab.new_table(), old = lab.get(VA, 0);
  machine_entry_write(paddr(table), 4, PAGE_A | E_G);
  model_found(lab.model(), PAGE_A | E_G);
  lab.set(VA, 0, table | E_TABLE);
  lab.set(VA, 0, old);
  lab.mov_cr3(0);
  CHECK(lab.may_have(VA, A));
}

/* ---- PDPTE registers ---- */

static void swap_directory(FakeLab &lab)
{
  uint64_t directory = lab.new_table(), table = lab.new_table();
  lab.put(directory, table | E_TABLE);
  lab.put(table, PAGE_B);
  lab.set(VA, 0, directory | E_P);
}

TEST_CASE("model: a PDPTE counts when CR3 is loaded; on AMD's CPUs perhaps at once")
{
  for (unsigned vendor : {RULE_INTEL, RULE_AMD}) {
    FakeLab lab(MACHINE_PAE, vendor);
    CAPTURE(vendor);
    lab.map(VA, PAGE_A);
    lab.begin();
    swap_directory(lab);
    CHECK(lab.paths(VA).walked.count(A) == 1);
    CHECK(lab.paths(VA).walked.count(B) == (vendor == RULE_AMD ? 1 : 0));
    lab.invlpg(VA);
    CHECK(lab.paths(VA).walked.count(A) == 1);
    /* What counted at once is cached, and goes again. */
    lab.set(VA, 0, 0);
    CHECK(lab.may_have(VA, B) == (vendor == RULE_AMD));
    lab.invlpg(VA);
    CHECK(!lab.may_have(VA, B));
    lab.mov_cr3(0);
    CHECK(!lab.may_have(VA, A));
  }
}

TEST_CASE("model: a PDPTE is the same whatever its ignored bits are, which some CPUs set")
{
  FakeLab lab(MACHINE_PAE, RULE_AMD);
  lab.map(VA, PAGE_A);
  lab.begin();
  lab.flags(VA, 0, E_A);
  struct prediction p = lab.predict(VA);
  CHECK(p.count == 1);
  CHECK(!p.outcome[0].from_past);
  lab.mov_cr3(0);
  CHECK(!lab.predict(VA).outcome[0].from_past);
  lab.flags(VA, 2, 0, E_RW);
  lab.drop_all();
  struct advice a = {};
  struct advice_change change = {};
  change.va = laddr(VA);
  change.level = 2;
  change.before = lab.get(VA, 2);
  change.after = change.before | E_RW;
  lab.flags(VA, 0, 0, E_A);
  lab.flags(VA, 2, E_RW);
  advice_add(&a, lab.model(), &lab.paging, &change);
  CHECK(a.need == NEED_NOTHING);
}

TEST_CASE("model: a global translation through a PDPTE that may have counted at once outlives MOV CR3")
{
  FakeLab lab(MACHINE_PAE, RULE_AMD);
  lab.map(VA, PAGE_A);
  lab.begin();
  uint64_t old = lab.get(VA, 0);
  swap_directory(lab);
  lab.flags(VA, 2, E_G);
  lab.set(VA, 0, old);
  lab.mov_cr3(0);
  CHECK(lab.may_have(VA, B));
  CHECK(lab.may_have(VA, A));
}

TEST_CASE("model: a task switch may have loaded the PDPTEs: they count as they were then, or before")
{
  FakeLab lab(MACHINE_PAE);
  lab.map(VA, PAGE_A);
  lab.begin();
  swap_directory(lab);
  CHECK(!lab.may_have(VA, B));
  model_may_have_latched(lab.model(), &lab.paging);
  CHECK(lab.paths(VA).walked.count(B) == 1);
  CHECK(lab.paths(VA).walked.count(A) == 1);
  lab.set(VA, 0, 0);
  CHECK(lab.paths(VA).walked.count(B) == 1);
  CHECK(lab.paths(VA).complete);
  model_may_have_latched(lab.model(), &lab.paging);
  CHECK(!lab.paths(VA).complete);
  lab.mov_cr3(0);
  CHECK(lab.paths(VA).complete);
  CHECK(lab.paths(VA).walked.empty());
}

/* ---- what entries mean ---- */

TEST_CASE("model: CR4.PSE changes what a PDE means")
{
  FakeLab lab(MACHINE_32);
  lab.map(VA, 0, LARGE | E_PAGE | E_PS);
  lab.begin();
  lab.paging.conditions &= ~(unsigned)CONDITION_PSE;
  lab.op(OPERATION_CR4_PSE);
  CHECK(lab.may_have(VA, LARGE));
  lab.invlpg(BESIDE);
  CHECK(lab.may_have(VA, LARGE));
  lab.invlpg(VA);
  CHECK(!lab.may_have(VA, LARGE));
}

TEST_CASE("model: EFER.NXE makes a bit reserved, and what was cached before stays")
{
  for (enum machine_mode mode : {MACHINE_PAE, MACHINE_4LEVEL, MACHINE_5LEVEL}) {
    FakeLab lab(mode);
    lab.map(VA, PAGE_A | E_NX);
    lab.begin();
    lab.paging.conditions &= ~(unsigned)CONDITION_NXE;
    model_conditions(lab.model(), &lab.paging);
    CHECK(lab.may_have(VA, A));
    CHECK(lab.paths(VA).walked.empty());
    lab.invlpg(BESIDE);
    CHECK(lab.may_have(VA, A));
    lab.invlpg(VA);
    CHECK(!lab.may_have(VA, A));
    lab.paging.conditions |= CONDITION_NXE;
    model_conditions(lab.model(), &lab.paging);
    CHECK(lab.may_have(VA, A));
  }
}

/* ---- forgetting ---- */

TEST_CASE("model: with more values than it keeps it says that it is not complete, until all is dropped")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, PAGE_A);
  lab.map(BESIDE, PAGE_A);
  lab.begin();
  lab.set(VA, 3, 0);
  for (unsigned i = 0; i < MODEL_PASTS - 1; i++)
    lab.set(BESIDE, 3, PAGE_A ^ (i & 1 ? 0 : E_US));
  CHECK(lab.paths(VA).complete);
  CHECK(lab.may_have(VA, A));
  lab.set(BESIDE, 3, PAGE_A | 0x200);
  CHECK(!lab.paths(VA).complete);
  struct prediction p = lab.predict(VA);
  CHECK(!p.complete);
  CHECK(predict_class(&p, &p.outcome[0]) == RULE_MAY);
  lab.invlpg(VA);
  CHECK(lab.paths(VA).complete);
  lab.mov_cr3(0);
  CHECK(lab.paths(BESIDE).complete);
}

TEST_CASE("model: what nobody watched is not complete either")
{
  FakeLab lab(MACHINE_32);
  lab.map(VA, PAGE_A);
  lab.begin();
  model_forget(lab.model());
  CHECK(!lab.paths(VA).complete);
  lab.drop_all();
  CHECK(lab.paths(VA).complete);
}

TEST_CASE("model: many pages and contexts dropped: the oldest are forgotten, which permits more")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, PAGE_A);
  lab.begin();
  lab.mov_cr3(0, 1, true);
  lab.set(VA, 3, PAGE_B);
  lab.invlpg(VA);
  CHECK(!lab.may_have(VA, A));
  for (unsigned i = 0; i < MODEL_PAGES; i++)
    lab.invlpg(FAR + i * PAGE_SIZE);
  CHECK(lab.may_have(VA, A));
  lab.invlpg(VA);
  lab.invlpg(VA);
  for (unsigned i = 0; i + 1 < MODEL_PAGES; i++)
    lab.invlpg(FAR + i * PAGE_SIZE);
  CHECK(!lab.may_have(VA, A));
}

TEST_CASE("model: Cyrix remembers that a page was not present, until it is invalidated")
{
  for (unsigned vendor : {RULE_INTEL, RULE_AMD, RULE_CYRIX}) {
    FakeLab lab(MACHINE_32, vendor);
    lab.map(VA, 0);
    lab.begin();
    lab.set(VA, 1, PAGE_A);
    CHECK((lab.paths(VA).absent_cached > 0) == (vendor == RULE_CYRIX));
    lab.invlpg(VA);
    CHECK(lab.paths(VA).absent_cached == 0);
  }
}
