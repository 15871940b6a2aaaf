/* Predictions: what an access may come to after an edit, by which rule and of which class; and what the rules say to what a CPU did. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_lab.h"

#include <string>
#include <vector>

static const uint64_t VA = 0x40000000, A = 0x2000, B = 0x5000, PAGE_A = A | E_PAGE, PAGE_B = B | E_PAGE;

/* "MUST 2000 tables", "MAY fault 3 spurious-fault", what the tables say first. */
static std::string say(const struct prediction &p)
{
  std::string text;
  for (unsigned i = 0; i < p.count; i++) {
    const struct predict_outcome *o = &p.outcome[i];
    char row[96];
    if (o->fault)
      std::snprintf(row, sizeof row, "%s fault %x %s", rules_class_name(predict_class(&p, o)), o->error, o->rule->name);
    else
      std::snprintf(row, sizeof row, "%s %llx %s", rules_class_name(predict_class(&p, o)), (unsigned long long)o->pa.v, o->rule->name);
    text += (i ? "; " : "") + std::string(row) + (o->fresh && i ? " (fresh)" : "");
  }
  return text;
}

struct row {
  const char *what;
  uint64_t before, after;
  enum machine_op op;
  unsigned cpl;
  const char *intel, *amd, *cyrix; /* NULL: as on Intel's */
};

static const row rows[] = {
  {"nothing changes", PAGE_A, PAGE_A, OP_READ, 0, "MUST 2000 tables", NULL, NULL},
  {"RO to RW", PAGE_A & ~E_RW, PAGE_A, OP_WRITE, 3, "MAY 2000 tlb-may-drop; MAY fault 7 spurious-fault", "MUST 2000 tables", NULL},
  {"RO to RW, read", PAGE_A & ~E_RW, PAGE_A, OP_READ, 3, "MUST 2000 tables", NULL, NULL},
  {"RW to RO", PAGE_A, PAGE_A & ~E_RW, OP_WRITE, 3, "MAY fault 7 tlb-may-drop; MAY 2000 tlb-may-keep", NULL, NULL},
  {"RW to RO, D was clear", PAGE_A & ~E_D, PAGE_A & ~E_D & ~E_RW, OP_WRITE, 3, "MUST fault 7 tables", NULL, NULL},
  {"RW to RO, read", PAGE_A, PAGE_A & ~E_RW, OP_READ, 3, "MUST 2000 tables", NULL, NULL},
  {"not present to present", 0, PAGE_A, OP_READ, 0, "MUST 2000 tables", NULL, "PLATFORM"},
  {"present to not present", PAGE_A, 0, OP_READ, 0, "MAY fault 0 tlb-may-drop; MAY 2000 tlb-may-keep", NULL, NULL},
  {"present to not present, A was clear", PAGE_A & ~E_A, 0, OP_READ, 0, "MUST fault 0 tables", NULL, NULL},
  {"U to S", PAGE_A, PAGE_A & ~E_US, OP_READ, 3, "MAY fault 5 tlb-may-drop; MAY 2000 tlb-may-keep", NULL, NULL},
  {"U to S, from ring 0", PAGE_A, PAGE_A & ~E_US, OP_READ, 0, "MUST 2000 tables", NULL, NULL},
  {"S to U", PAGE_A & ~E_US, PAGE_A, OP_READ, 3, "MAY 2000 tlb-may-drop; MAY fault 5 spurious-fault", "MUST 2000 tables", NULL},
  {"another frame", PAGE_A, PAGE_B, OP_READ, 0, "MAY 5000 tlb-may-drop; MAY 2000 tlb-may-keep", NULL, NULL},
  {"another frame, D was clear", PAGE_A & ~E_D, PAGE_B & ~E_D, OP_WRITE, 0, "MUST 5000 tables", NULL, NULL},
  {"another frame, D was clear, read", PAGE_A & ~E_D, PAGE_B & ~E_D, OP_READ, 0, "MAY 5000 tlb-may-drop; MAY 2000 tlb-may-keep", NULL,
   NULL},
  {"NX is set", PAGE_A, PAGE_A | E_NX, OP_EXEC, 0, "MAY fault 11 tlb-may-drop; MAY 2000 tlb-may-keep", NULL, NULL},
  {"NX is cleared", PAGE_A | E_NX, PAGE_A, OP_EXEC, 0, "MAY 2000 tlb-may-drop; MAY fault 11 spurious-fault", "MUST 2000 tables", NULL},
  {"a reserved bit is set", PAGE_A, PAGE_A | 1ULL << 51, OP_READ, 0, "MAY fault 9 tlb-may-drop; MAY 2000 tlb-may-keep", NULL, NULL},
  {"a reserved bit is cleared", PAGE_A | 1ULL << 51, PAGE_A, OP_READ, 0, "MUST 2000 tables", NULL, NULL},
};

static void check_row(const row &r, enum machine_mode mode, unsigned vendor, const char *expected)
{
  FakeLab lab(mode, vendor);
  lab.map(VA, r.before);
  lab.begin();
  lab.set(VA, lab.last(), r.after);
  CAPTURE(std::string(r.what));
  CAPTURE(mode);
  CAPTURE(vendor);
  std::string said = say(lab.predict(VA, r.op, r.cpl));
  CAPTURE(said);
  if (std::string(expected) == "PLATFORM")
    expected = "MAY 2000 tlb-may-drop; PLATFORM fault 0 not-present-kept";
  CHECK(said == expected);
  lab.invlpg(VA);
  struct prediction after = lab.predict(VA, r.op, r.cpl);
  CHECK(after.count == 1);
  CHECK(after.outcome[0].fresh);
  CHECK(std::string(after.outcome[0].rule->name) == "tables");
}

TEST_CASE("predict: what may come of each kind of edit")
{
  for (enum machine_mode mode : PAGING_MODES)
    for (const row &r : rows) {
      if (mode == MACHINE_32 && (r.before | r.after) >> 32)
        continue;
      check_row(r, mode, RULE_INTEL, r.intel);
      check_row(r, mode, RULE_AMD, r.amd ? r.amd : r.intel);
      check_row(r, mode, RULE_CYRIX, r.cyrix ? r.cyrix : r.intel);
    }
}

TEST_CASE("predict: upper levels")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, PAGE_A);
  lab.begin();
  lab.flags(VA, 1, 0, E_RW);
  CHECK(say(lab.predict(VA, OP_WRITE, 3)) == "MAY fault 7 tlb-may-drop; MAY 2000 structures-may-keep");
  lab.invlpg(VA + PAGE_SIZE); /* no paging-structure cache has it any more: what is left is the page's own translation */
  CHECK(say(lab.predict(VA, OP_WRITE, 3)) == "MAY fault 7 tlb-may-drop; MAY 2000 tlb-may-keep");
  lab.drop_all();
  lab.flags(VA, 1, E_RW);
  CHECK(say(lab.predict(VA, OP_WRITE, 3)) == "MAY 2000 tlb-may-drop; MAY fault 7 structures-may-keep");
  lab.vendor = lab.model()->vendor = RULE_AMD;
  CHECK(say(lab.predict(VA, OP_WRITE, 3)) == "MUST 2000 tables");
}

TEST_CASE("predict: global translations after MOV CR3, PDPTE registers, control registers, addresses that are not canonical, paging off")
{
  FakeLab lab(MACHINE_32);
  lab.map(VA, PAGE_A | E_G);
  lab.begin();
  lab.set(VA, 1, PAGE_B);
  lab.mov_cr3(0);
  CHECK(say(lab.predict(VA)) == "MAY 5000 tlb-may-drop; MAY 2000 global-may-keep");

  FakeLab pae(MACHINE_PAE);
  pae.map(VA, PAGE_A);
  pae.begin();
  pae.set(VA, 0, 0);
  CHECK(say(pae.predict(VA)) == "MUST 2000 pdptes");
  FakeLab amd(MACHINE_PAE, RULE_AMD);
  amd.map(VA, PAGE_A);
  amd.begin();
  amd.set(VA, 0, 0);
  CHECK(say(amd.predict(VA)) == "MAY fault 0 pdptes-amd; MAY 2000 pdptes-amd");

  FakeLab large(MACHINE_32);
  large.map(VA, 0, 0x400000 | E_PAGE | E_PS);
  large.begin();
  large.paging.conditions &= ~(unsigned)CONDITION_PSE;
  large.op(OPERATION_CR4_PSE);
  CHECK(say(large.predict(VA)).find("MAY 400000 tlb-may-keep") != std::string::npos);
  FakeLab nx(MACHINE_PAE);
  nx.map(VA, PAGE_A | E_NX);
  nx.begin();
  nx.paging.conditions &= ~(unsigned)CONDITION_NXE;
  model_conditions(nx.model(), &nx.paging);
  CHECK(say(nx.predict(VA)) == "MAY fault 9 tlb-may-drop; MAY 2000 tlb-may-keep");

  FakeLab wide(MACHINE_4LEVEL);
  wide.begin();
  struct prediction p = wide.predict(0x8000000000000000);
  CHECK(say(p) == "MUST fault 0 not-canonical");
  CHECK(p.outcome[0].vector == VECTOR_GP);

  FakeLab off(MACHINE_32);
  off.begin();
  off.paging.format = NULL;
  CHECK(say(off.predict(VA)) == "MUST 40000000 tables");
}

/* ---- what happened ---- */

static struct machine_fault page_fault(uint32_t error, uint64_t cr2 = VA)
{
  struct machine_fault fault = {};
  fault.raised = fault.has_error = true;
  fault.vector = VECTOR_PF;
  fault.error = error;
  fault.cr2 = cr2;
  return fault;
}

static const struct machine_fault none = {};

static std::string blamed(FakeLab &lab, const struct prediction &p, const struct machine_fault &fault, bool known = false, uint64_t pa = 0)
{
  struct predict_violation v = predict_blame(lab.model(), &lab.paging, &p, &fault, known, paddr(pa));
  return v.rule->name;
}

TEST_CASE("predict: an outcome is found by its fault or its page")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, PAGE_A);
  lab.begin();
  lab.set(VA, 3, 0);
  struct prediction p = lab.predict(VA);
  struct machine_fault fault = page_fault(0);
  CHECK(predict_find_fault(&p, &fault) == &p.outcome[0]);
  fault.error = 4;
  CHECK(predict_find_fault(&p, &fault) == nullptr);
  CHECK(predict_find_page(&p, paddr(A + 0x123)) == &p.outcome[1]);
  CHECK(predict_find_page(&p, paddr(B)) == nullptr);
}

TEST_CASE("predict: the operation that should have dropped a translation is named")
{
  static const struct {
    enum rule_operation operation;
    const char *rule;
  } drops[] = {{OPERATION_INVLPG, "invlpg"},
               {OPERATION_MOV_CR3, "mov-cr3"},
               {OPERATION_CR4_PGE, "cr4-pge"},
               {OPERATION_PAGE_FAULT, "page-fault"}};
  for (auto &drop : drops) {
    FakeLab lab(MACHINE_4LEVEL);
    lab.map(VA, PAGE_A);
    lab.begin();
    lab.set(VA, 3, PAGE_B);
    model_command(lab.model(), 7);
    lab.op(drop.operation, VA);
    struct prediction p = lab.predict(VA);
    CHECK(p.count == 1);
    CHECK(blamed(lab, p, none, true, A) == drop.rule);
    struct predict_violation v = predict_blame(lab.model(), &lab.paging, &p, &none, true, paddr(A));
    CHECK(v.drop.command == 7);
    CHECK(blamed(lab, p, none, true, 0x9000) == "tables"); /* it was never there */
  }
}

TEST_CASE("predict: what else can be against the rules")
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, PAGE_A & ~E_RW);
  lab.begin();
  CHECK(blamed(lab, lab.predict(VA, OP_WRITE, 3), none) == "rights");
  CHECK(blamed(lab, lab.predict(VA, OP_WRITE, 3), page_fault(2)) == "error-code");
  CHECK(blamed(lab, lab.predict(VA, OP_READ, 3), page_fault(4)) == "not-present");
  CHECK(blamed(lab, lab.predict(VA, OP_READ, 3), page_fault(5)) == "tables");
  CHECK(blamed(lab, lab.predict(0x8000000000000000), none) == "not-canonical");
  lab.set(VA, 3, PAGE_A | 1ULL << 51);
  lab.invlpg(VA);
  CHECK(blamed(lab, lab.predict(VA), none, true, 0x9000) == "reserved-bits");
  FakeLab amd(MACHINE_4LEVEL, RULE_AMD);
  amd.map(VA, PAGE_A & ~E_RW);
  amd.begin();
  amd.set(VA, 3, PAGE_A);
  CHECK(blamed(amd, amd.predict(VA, OP_WRITE, 3), page_fault(7)) == "walk-again");
}

/* An access that goes by the tables, after which entry @p level of the walk has gained @p sets. */
static std::string aftermath(uint64_t pte, enum machine_op op, unsigned level, uint64_t sets, const struct machine_fault &fault = none)
{
  FakeLab lab(MACHINE_4LEVEL);
  lab.map(VA, pte);
  lab.flags(VA, 2, 0, E_A);
  lab.begin();
  struct walk before = walk_run(&lab.paging, laddr(VA));
  struct prediction p = lab.predict(VA, op);
  machine_entry_write(paddr(lab.at(VA, level)), 8, lab.get(VA, level) | sets);
  if (level != 2 && !fault.raised && !(sets & 1ULL << 9))
    machine_entry_write(paddr(lab.at(VA, 2)), 8, lab.get(VA, 2) | E_A);
  struct predict_violation v = predict_aftermath(&lab.paging, &p, &p.outcome[0], &before, &fault);
  return v.rule ? v.rule->name : "";
}

TEST_CASE("predict: the flags and CR2 after an access")
{
  const uint64_t fresh_pte = A | E_P | E_RW | E_US, IGNORED = 1ULL << 9;
  CHECK(aftermath(fresh_pte, OP_READ, 3, E_A) == "");
  CHECK(aftermath(fresh_pte, OP_READ, 3, 0) == "accessed");
  CHECK(aftermath(fresh_pte, OP_READ, 3, E_A | IGNORED) == "accessed"); /* the PDE's A is missing */
  CHECK(aftermath(fresh_pte, OP_READ, 3, E_A | E_D) == "dirty");
  CHECK(aftermath(fresh_pte, OP_WRITE, 3, E_A | E_D) == "");
  CHECK(aftermath(fresh_pte, OP_WRITE, 3, E_A) == "dirty");
  CHECK(aftermath(fresh_pte, OP_WRITE, 3, E_D) == "accessed");
  CHECK(aftermath(0, OP_READ, 3, 0, page_fault(0)) == "");
  CHECK(aftermath(0, OP_READ, 3, 0, page_fault(0, VA + 8)) == "error-code");
  CHECK(aftermath(0, OP_WRITE, 3, 0, page_fault(2)) == "");
  CHECK(aftermath(fresh_pte & ~E_RW, OP_WRITE, 3, E_D, page_fault(3)) == "dirty");
}

TEST_CASE("predict: every outcome has a rule")
{
  Random random(test_seed() + 7);
  for (unsigned i = 0; i < 300; i++) {
    enum machine_mode mode = PAGING_MODES[(size_t)random.below(4)];
    unsigned vendors[] = {RULE_INTEL, RULE_AMD, RULE_CYRIX};
    FakeLab lab(mode, vendors[(size_t)random.below(3)]);
    lab.map(VA, PAGE_A);
    lab.begin();
    for (unsigned n = 0; n < 6; n++) {
      unsigned level = (unsigned)random.below(lab.last() + 1u);
      const uint64_t table_bits[] = {E_RW, E_US, E_A};
      uint64_t bit = level == lab.last() ? 1ULL << random.below(9) : table_bits[(size_t)random.below(3)];
      if (!lab.is_pdpte(level))
        lab.set(VA, level, lab.get(VA, level) ^ bit);
      for (enum machine_op op : {OP_READ, OP_WRITE, OP_EXEC}) {
        struct prediction p = lab.predict(VA, op, random.coin() ? 3 : 0);
        CHECK(p.count > 0);
        for (unsigned k = 0; k < p.count; k++)
          CHECK(p.outcome[k].rule != nullptr);
      }
    }
  }
}
