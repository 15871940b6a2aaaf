#include "check/private.h"

#include "lib/format.h"

/* ---- global ----
 *
 * A translation made while CR4.PGE and G were 1 may outlive MOV CR3 and a task switch. INVLPG drops it, a change of CR4.PGE drops all. With
 * CR4.PGE = 0 the G flag means nothing. */

static void global_stale(struct bench *b)
{
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US | EDIT_G, PAGE_SHIFT);
  bench_touch(b, OP_READ, BENCH_VA);
  bench_map(BENCH_VA, 'Y', EDIT_RW | EDIT_US | EDIT_G, PAGE_SHIFT);
}

static void over_cr3(struct bench *b)
{
  global_stale(b);
  bench_cr3(false);
  bench_touch(b, OP_READ, BENCH_VA);
  bench_judge(b);
}

static void over_task_switch(struct bench *b)
{
  uint64_t cr3 = machine_register_read(REGISTER_CR3);
  global_stale(b);
  lab_task_switch(cr3 ^ 1u << 4);
  lab_task_switch(cr3);
  bench_touch(b, OP_READ, BENCH_VA);
  bench_judge(b);
}

static void global_invlpg(struct bench *b)
{
  global_stale(b);
  bench_invlpg(BENCH_VA);
  bench_touch(b, OP_READ, BENCH_VA);
  bench_judge(b);
}

static void global_pge(struct bench *b)
{
  global_stale(b);
  bench_pge();
  bench_touch(b, OP_READ, BENCH_VA);
  bench_judge(b);
}

static void without_pge(struct bench *b)
{
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  lab_register_write(REGISTER_CR4, cr4 & ~CR4_PGE);
  global_stale(b);
  bench_cr3(false);
  bench_touch(b, OP_READ, BENCH_VA);
  bench_judge(b);
  lab_register_write(REGISTER_CR4, cr4);
}

// clang-format off
static const struct check_case global_cases[] = {
  {"over MOV CR3", MODES_PAGED, FEATURE_PGE, true, true, over_cr3},
  {"over a task switch", MODES_LEGACY, FEATURE_PGE, true, true, over_task_switch},
  {"dropped by INVLPG", MODES_PAGED, FEATURE_PGE, true, true, global_invlpg},
  {"dropped by a change of CR4.PGE", MODES_PAGED, FEATURE_PGE, true, true, global_pge},
  {"CR4.PGE = 0: MOV CR3 drops it", MODES_PAGED, FEATURE_PGE, true, true, without_pge},
  {.name = NULL},
};
// clang-format on

const struct check_group_of check_global = {"global", "global pages: what they outlive, and what drops them", "Global Pages", global_cases,
                                            NULL};

/* ---- pcid ----
 *
 * With CR4.PCIDE = 1 translations belong to the PCID in CR3. A MOV CR3 with bit 63 may keep those of the PCID that it names; none may ever
 * be used under another PCID, but for global ones. INVPCID drops by type. */

#define PCID_MASK 0xfffu

static void pcid_begin(void)
{
  lab_register_write(REGISTER_CR4, machine_register_read(REGISTER_CR4) | CR4_PCIDE);
}

static void pcid_use(uint16_t pcid, bool keep)
{
  uint64_t cr3 = (machine_register_read(REGISTER_CR3) & ~(uint64_t)PCID_MASK) | pcid;
  lab_register_write(REGISTER_CR3, keep ? cr3 | 1ULL << 63 : cr3);
}

static void pcid_end(struct bench *b)
{
  bench_judge(b);
  pcid_use(0, false);
  bench_clear(b);
  lab_register_write(REGISTER_CR4, machine_register_read(REGISTER_CR4) & ~CR4_PCIDE);
}

/* Cached under PCID 1; then the table changes. */
static void pcid_stale(struct bench *b)
{
  pcid_begin();
  pcid_use(1, false);
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(b, OP_READ, BENCH_VA);
  bench_map(BENCH_VA, 'Y', EDIT_RW | EDIT_US, PAGE_SHIFT);
}

static void kept(struct bench *b)
{
  pcid_stale(b);
  pcid_use(2, true);
  pcid_use(1, true);
  bench_touch(b, OP_READ, BENCH_VA);
  pcid_end(b);
}

static void not_anothers(struct bench *b)
{
  pcid_stale(b);
  pcid_use(2, true);
  bench_touch(b, OP_READ, BENCH_VA);
  pcid_end(b);
}

static void dropped(struct bench *b)
{
  pcid_stale(b);
  pcid_use(2, true);
  pcid_use(1, false);
  bench_touch(b, OP_READ, BENCH_VA);
  pcid_end(b);
}

static void from_afar(struct bench *b, uint64_t type)
{
  pcid_stale(b);
  pcid_use(2, true);
  lab_invpcid(type, 1, laddr(BENCH_VA));
  pcid_use(1, true);
  bench_touch(b, OP_READ, BENCH_VA);
  pcid_end(b);
}

static void afar_0(struct bench *b)
{
  from_afar(b, 0);
}

static void afar_1(struct bench *b)
{
  from_afar(b, 1);
}

static void afar_2(struct bench *b)
{
  from_afar(b, 2);
}

static void afar_3(struct bench *b)
{
  from_afar(b, 3);
}

static void pcide_off(struct bench *b)
{
  pcid_stale(b);
  pcid_use(0, true);
  lab_register_write(REGISTER_CR4, machine_register_read(REGISTER_CR4) & ~CR4_PCIDE);
  bench_touch(b, OP_READ, BENCH_VA);
  pcid_begin();
  pcid_end(b);
}

// clang-format off
static const struct check_case pcid_cases[] = {
  {"kept by bit 63, used again", MODES_LONG, FEATURE_PCID, true, true, kept},
  {"not used under another PCID", MODES_LONG, FEATURE_PCID, true, true, not_anothers},
  {"dropped by MOV CR3 without bit 63", MODES_LONG, FEATURE_PCID, true, true, dropped},
  {"dropped by INVPCID 0 from another PCID", MODES_LONG, FEATURE_INVPCID, true, true, afar_0},
  {"dropped by INVPCID 1 from another PCID", MODES_LONG, FEATURE_INVPCID, true, true, afar_1},
  {"dropped by INVPCID 2 from another PCID", MODES_LONG, FEATURE_INVPCID, true, true, afar_2},
  {"dropped by INVPCID 3 from another PCID", MODES_LONG, FEATURE_INVPCID, true, true, afar_3},
  {"dropped by clearing CR4.PCIDE", MODES_LONG, FEATURE_PCID, true, true, pcide_off},
  {.name = NULL},
};
// clang-format on

const struct check_group_of check_pcid = {"pcid", "process-context identifiers, bit 63 of CR3, INVPCID",
                                          "Process-Context Identifiers (PCIDs)", pcid_cases, NULL};

/* ---- pae ----
 *
 * PAE paging has four PDPTEs, which MOV CR3 loads into registers and checks: a reserved bit is a #GP, and nothing is loaded. Walks use the
 * registers. AMD's CPUs may look at memory in a guest. */

static uint64_t pdpte(uint64_t change)
{
  uint64_t entry = bench_entry(BENCH_VA, 0);
  bench_entry_set(BENCH_VA, 0, entry ^ change);
  return entry;
}

static void latched(struct bench *b)
{
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  uint64_t entry = pdpte(1);
  bench_touch(b, OP_READ, BENCH_VA);
  bench_judge(b);
  bench_entry_set(BENCH_VA, 0, entry);
}

static void loaded(struct bench *b)
{
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  uint64_t entry = pdpte(1);
  bench_cr3(false);
  bench_touch(b, OP_READ, BENCH_VA);
  bench_judge(b);
  bench_entry_set(BENCH_VA, 0, entry);
  bench_cr3(false);
}

static void reserved_pdpte(struct bench *b)
{
  const uint64_t reserved = 1u << 1; /* R/W elsewhere; reserved in a PDPTE of PAE paging */
  uint64_t entry = bench_entry(BENCH_VA, 0);
  bench_entry_set(BENCH_VA, 0, entry | 1 | reserved);
  struct machine_fault fault = bench_cr3(false);
  bench_entry_set(BENCH_VA, 0, entry);
  if (fault.raised && fault.vector == VECTOR_GP)
    bench_pass(b, "#GP");
  else
    bench_fail(b, fault.raised ? "another exception" : "no fault: the reserved bit was not looked at");
  bench_cr3(false);
}

static void untouched(struct bench *b)
{
  const uint64_t bit_5 = 1u << 5; /* A elsewhere; reserved here, and what a walk would set if it did not know */
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  uint64_t before = bench_entry(BENCH_VA, 0) & ~bit_5;
  bench_entry_set(BENCH_VA, 0, before);
  bench_flush_all();
  bench_touch(b, OP_READ, BENCH_VA);
  uint64_t after = bench_entry(BENCH_VA, 0);
  bench_entry_set(BENCH_VA, 0, before);
  if (after == before)
    bench_pass(b, "no flag set");
  else
    bench_fail(b, after & ~before & bit_5 ? "bit 5, which is reserved, was set" : "the CPU changed it");
}

// clang-format off
static const struct check_case pae_cases[] = {
  {"a PDPTE changed in memory, no MOV CR3", 1u << MACHINE_PAE, NO_FEATURE, false, false, latched},
  {"a PDPTE changed in memory, MOV CR3", 1u << MACHINE_PAE, NO_FEATURE, false, false, loaded},
  {"MOV CR3 with a reserved bit in a PDPTE: #GP", 1u << MACHINE_PAE, NO_FEATURE, false, false, reserved_pdpte},
  {"a walk writes nothing into a PDPTE", 1u << MACHINE_PAE, NO_FEATURE, false, false, untouched},
  {.name = NULL},
};
// clang-format on

const struct check_group_of check_pae = {"pae", "the PDPTE registers of PAE paging", "PDPTE Registers", pae_cases, NULL};

/* ---- caches ----
 *
 * The entry of a directory changes while the entries of both tables do not: a page that nobody has used is then found through the old table
 * where the old entry came from a paging-structure cache. Any INVLPG drops those caches, MOV CR3 too. */

static void table_changes(struct bench *b)
{
  int directory = lab_paging()->format->levels - 2;
  bench_map(BENCH_PAGE(0), 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_map(BENCH_PAGE(1), 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_map(BENCH_FAR + PAGE_SIZE, 'Y', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(b, OP_READ, BENCH_PAGE(0));
  bench_entry_set(BENCH_VA, directory, bench_entry(BENCH_FAR, directory));
}

static void cache_nothing(struct bench *b)
{
  table_changes(b);
  bench_touch(b, OP_READ, BENCH_PAGE(1));
  bench_observe(b, b->touch.outcome == LAB_STALE ? "through the old table" : "through the new table");
}

static void cache_invlpg(struct bench *b)
{
  table_changes(b);
  bench_invlpg(BENCH_VA + 0x100000);
  bench_touch(b, OP_READ, BENCH_PAGE(1));
  bench_judge(b);
}

static void cache_cr3(struct bench *b)
{
  table_changes(b);
  bench_cr3(false);
  bench_touch(b, OP_READ, BENCH_PAGE(1));
  bench_judge(b);
}

static void used_page(struct bench *b)
{
  table_changes(b);
  bench_touch(b, OP_READ, BENCH_PAGE(0));
  bench_judge(b);
}

// clang-format off
static const struct check_case cache_cases[] = {
  {"the directory's entry changed, a page not used before", MODES_PAGED, NO_FEATURE, false, true, cache_nothing},
  {"... after INVLPG of any page", MODES_PAGED, FEATURE_INVLPG, false, true, cache_invlpg},
  {"... after MOV CR3", MODES_PAGED, NO_FEATURE, false, true, cache_cr3},
  {"the directory's entry changed, a page used before", MODES_PAGED, NO_FEATURE, true, true, used_page},
  {.name = NULL},
};
// clang-format on

const struct check_group_of check_caches = {"caches", "paging-structure caches", "Caches for Paging Structures", cache_cases, NULL};

/* ---- faults ----
 *
 * Which exception, which error code, and CR2; that a page fault is raised for nothing else; and the faults of the instructions themselves.
 * The model compares the error code and CR2 of every access, so a case has only to lead there. */

static void fault_at(struct bench *b, unsigned flags, enum machine_op op, uint8_t cpl)
{
  b->cpl = cpl;
  bench_map(BENCH_VA, 'X', flags, PAGE_SHIFT);
  bench_touch(b, op, BENCH_VA);
  bench_judge(b);
}

static void absent(struct bench *b)
{
  bench_touch(b, OP_WRITE, BENCH_VA);
  bench_judge(b);
}

static void user_write_ro(struct bench *b)
{
  fault_at(b, EDIT_US, OP_WRITE, 3);
}

static void user_read_sup(struct bench *b)
{
  fault_at(b, EDIT_RW, OP_READ, 3);
}

static void fetch_nx(struct bench *b)
{
  fault_at(b, EDIT_RW | EDIT_US | EDIT_NX, OP_EXEC, 3);
}

/* A control register's bit is 1 for one access. */
static void with_control(struct bench *b, uint64_t bit, enum machine_op op)
{
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  lab_register_write(REGISTER_CR4, cr4 | bit);
  bench_touch(b, op, BENCH_VA);
  lab_register_write(REGISTER_CR4, cr4);
  bench_judge(b);
}

static void smep(struct bench *b)
{
  with_control(b, CR4_SMEP, OP_EXEC);
}

static void smap(struct bench *b)
{
  with_control(b, CR4_SMAP, OP_READ);
}

/* Key 1 of PKRU: access disabled. */
static void key(struct bench *b)
{
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  lab_register_write(REGISTER_CR4, cr4 | CR4_PKE);
  lab_register_write(REGISTER_PKRU, 1u << 2);
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_entry_set(BENCH_VA, -1, bench_entry(BENCH_VA, -1) | 1ULL << 59);
  bench_flush_all();
  bench_touch(b, OP_READ, BENCH_VA);
  lab_register_write(REGISTER_PKRU, 0);
  lab_register_write(REGISTER_CR4, cr4);
  bench_judge(b);
}

/* A reserved bit: in 32-bit paging bit 21 of a 4 MiB page's entry (with PSE-36, whose address ends below it), in the others bit 51, which
 * is above MAXPHYADDR on every CPU but the largest. */
static void reserved(struct bench *b)
{
  bool narrow = machine_mode() == MACHINE_32;
  bench_map(BENCH_VA, narrow ? '0' : 'X', EDIT_RW | EDIT_US, narrow ? 22 : PAGE_SHIFT);
  bench_entry_set(BENCH_VA, -1, bench_entry(BENCH_VA, -1) | 1ULL << (narrow ? 21 : 51));
  struct walk walk = walk_run(lab_paging(), laddr(BENCH_VA));
  if (walk.end != WALK_RESERVED) {
    bench_skip(b, "no such reserved bit here");
    return;
  }
  bench_touch(b, OP_READ, BENCH_VA);
  bench_judge(b);
}

static void not_canonical(struct bench *b)
{
  bench_touch(b, OP_READ, 1ULL << 62);
  bench_judge(b);
}

static void expect_gp(struct bench *b, const struct machine_fault *fault)
{
  if (fault->raised && fault->vector == VECTOR_GP && fault->error == 0)
    bench_pass(b, "#GP(0)");
  else
    bench_fail(b, fault->raised ? "another exception" : "no fault");
}

static void invpcid_type(struct bench *b)
{
  struct machine_result result = lab_invpcid(4, 0, laddr(0));
  expect_gp(b, &result.fault);
}

static void invpcid_descriptor(struct bench *b)
{
  struct machine_result result = lab_invpcid(0, 0x1000, laddr(0));
  expect_gp(b, &result.fault);
}

static void invpcid_address(struct bench *b)
{
  struct machine_result result = lab_invpcid(0, 0, laddr(1ULL << 62));
  expect_gp(b, &result.fault);
}

static void invpcid_pcid(struct bench *b)
{
  struct machine_result result = lab_invpcid(1, 1, laddr(0)); /* CR4.PCIDE is 0 */
  expect_gp(b, &result.fault);
}

static void cr3_bit_63(struct bench *b)
{
  struct machine_fault fault = lab_register_write(REGISTER_CR3, machine_register_read(REGISTER_CR3) | 1ULL << 63);
  expect_gp(b, &fault);
}

static void spurious_once(struct bench *b)
{
  bench_map(BENCH_VA, 'X', EDIT_US, PAGE_SHIFT);
  b->cpl = 3;
  bench_touch(b, OP_READ, BENCH_VA);
  bench_protect(BENCH_VA, -1, EDIT_RW, 0);
  bool spurious = bench_touch(b, OP_WRITE, BENCH_VA) == LAB_FAULT;
  if (spurious && bench_touch(b, OP_WRITE, BENCH_VA) == LAB_FAULT)
    bench_fail(b, "it came again");
  else
    bench_observe(b, spurious ? "once" : "not at all");
}

// clang-format off
static const struct check_case fault_cases[] = {
  {"not present: W, and CR2", MODES_PAGED, NO_FEATURE, false, true, absent},
  {"read-only, written in ring 3: P W U", MODES_PAGED, NO_FEATURE, false, false, user_write_ro},
  {"supervisor page read in ring 3: P U", MODES_PAGED, NO_FEATURE, false, false, user_read_sup},
  {"XD page fetched: P U I", MODES_PAGED & ~(1u << MACHINE_32), FEATURE_NX, false, false, fetch_nx},
  {"SMEP: the supervisor fetches from a user page: P I", MODES_PAGED, FEATURE_SMEP, false, false, smep},
  {"SMAP: the supervisor reads a user page: P", MODES_PAGED, FEATURE_SMAP, false, false, smap},
  {"a protection key refuses: P PK", MODES_LONG, FEATURE_PKU, false, true, key},
  {"reserved bit: P RSVD", MODES_PAGED & ~(1u << MACHINE_32), NO_FEATURE, false, true, reserved},
  {"reserved bit of a 4 MiB page: P RSVD", 1u << MACHINE_32, FEATURE_PSE36, false, true, reserved},
  {"not canonical: #GP", MODES_LONG, NO_FEATURE, false, true, not_canonical},
  {"a right added: a spurious fault comes once", MODES_PAGED, NO_FEATURE, false, false, spurious_once},
  {"INVPCID type 4: #GP", MODES_LONG, FEATURE_INVPCID, false, false, invpcid_type},
  {"INVPCID with a reserved bit: #GP", MODES_LONG, FEATURE_INVPCID, false, false, invpcid_descriptor},
  {"INVPCID 0 of an address not canonical: #GP", MODES_LONG, FEATURE_INVPCID, false, false, invpcid_address},
  {"INVPCID 1 of a PCID while CR4.PCIDE is 0: #GP", MODES_LONG, FEATURE_INVPCID, false, false, invpcid_pcid},
  {"MOV CR3 with bit 63 while CR4.PCIDE is 0: #GP", MODES_LONG, FEATURE_PCID, false, false, cr3_bit_63},
  {.name = NULL},
};
// clang-format on

const struct check_group_of check_faults = {"faults", "exceptions, error codes, CR2", "Page-Fault Exceptions", fault_cases, NULL};
