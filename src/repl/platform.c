#include "repl/platform.h"

#include "lab/lab.h"
#include "lib/format.h"
#include "repl/bochs.h"
#include "repl/state.h"

/* Two pages in different page tables, far from where students map things: their addresses exist in every mode. */
#define PROBE_VA 0xffa00000ULL
#define PROBE_VA2 0xffe00000ULL

static uint64_t frame(char letter)
{
  uint64_t pa = 0;
  lab_frame_named(&letter, 1, &pa);
  return pa;
}

/* A page of whoever will access it: SMAP lets the supervisor not touch the user's. */
static void map(uint64_t va, char letter, unsigned more, unsigned cpl)
{
  edit_map(lab_paging(), lab_tables(), laddr(va), paddr(frame(letter)), EDIT_RW | (cpl ? EDIT_US : 0) | more, 0, PAGE_SHIFT);
}

static void unmap(uint64_t va)
{
  edit_unmap(lab_paging(), lab_tables(), laddr(va), false);
}

/* The letter that a read finds, or 0 when it faults. */
static char seen(uint64_t va, unsigned cpl)
{
  struct machine_access access = {.op = OP_READ, .va = laddr(va), .cpl = (uint8_t)cpl, .size = 1};
  return machine_access(&access).fault.raised ? 0 : (char)access.value;
}

static void flush_all(void)
{
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  if (cr4 & CR4_PGE) {
    lab_register_write(REGISTER_CR4, cr4 & ~CR4_PGE);
    lab_register_write(REGISTER_CR4, cr4);
  }
  lab_register_write(REGISTER_CR3, machine_register_read(REGISTER_CR3));
}

static void invlpg(uint64_t va)
{
  const struct machine_invlpg operand = {.va = laddr(va)};
  lab_invlpg(&operand);
}

/* ---- the experiments: each says what it saw ---- */

static const char faults[] = "the access faults"; /* PKRU may forbid it */

static const char *stale_pte(unsigned cpl)
{
  map(PROBE_VA, 'A', 0, cpl);
  seen(PROBE_VA, cpl);
  map(PROBE_VA, 'B', 0, cpl);
  return seen(PROBE_VA, cpl) == 'A' ? "stays stale" : "seen at once";
}

static const char *after_invlpg(unsigned cpl)
{
  map(PROBE_VA, 'A', 0, cpl);
  seen(PROBE_VA, cpl);
  map(PROBE_VA, 'B', 0, cpl);
  invlpg(PROBE_VA);
  char letter = seen(PROBE_VA, cpl);
  return letter == 'B' ? "seen" : letter == 'A' ? "STILL STALE (a violation)" : faults;
}

static const char *global_over_cr3(unsigned cpl)
{
  if (!(machine_register_read(REGISTER_CR4) & CR4_PGE))
    return "CR4.PGE is 0";
  map(PROBE_VA, 'A', EDIT_G, cpl);
  seen(PROBE_VA, cpl);
  map(PROBE_VA, 'B', EDIT_G, cpl);
  lab_register_write(REGISTER_CR3, machine_register_read(REGISTER_CR3));
  return seen(PROBE_VA, cpl) == 'A' ? "survives" : "dropped";
}

static const char *not_present(unsigned cpl)
{
  unmap(PROBE_VA);
  flush_all();
  seen(PROBE_VA, cpl);
  map(PROBE_VA, 'A', 0, cpl);
  return seen(PROBE_VA, cpl) == 'A' ? "not remembered" : "remembered";
}

/* Two tables that differ in a page nobody has touched. When the entry that leads to the first is made to lead to the second, and the
 * untouched page is still found through the first, that entry came from a paging-structure cache. */
static const char *structure_cache(unsigned cpl)
{
  const struct paging *paging = lab_paging();
  unsigned directory = paging->format->levels - 2u;
  map(PROBE_VA, 'A', 0, cpl);
  map(PROBE_VA + PAGE_SIZE, 'A', 0, cpl);
  map(PROBE_VA2 + PAGE_SIZE, 'B', 0, cpl);
  struct walk other = walk_run(paging, laddr(PROBE_VA2));
  flush_all();
  seen(PROBE_VA, cpl);
  edit_entry(paging, lab_tables(), laddr(PROBE_VA), directory, walk_at(&other, directory)->entry);
  return seen(PROBE_VA + PAGE_SIZE, cpl) == 'A' ? "there is one" : "none seen";
}

static const char *ad_refill(unsigned cpl)
{
  map(PROBE_VA, 'A', 0, cpl);
  seen(PROBE_VA, cpl);
  edit_protect(lab_paging(), lab_tables(), laddr(PROBE_VA), -1, 0, EDIT_A);
  seen(PROBE_VA, cpl);
  struct walk walk = walk_run(lab_paging(), laddr(PROBE_VA));
  const struct walk_step *leaf = walk_last(&walk);
  return leaf->entry & format_mask(lab_paging(), leaf->level, leaf->entry, ROLE_A) ? "always comes back" : "stays clear on a hit";
}

// clang-format off
static const struct experiment {
  const char *what;
  const char *(*run)(unsigned cpl);
} experiments[] = {
  {"a changed entry, not invalidated", stale_pte},
  {"a changed entry after INVLPG", after_invlpg},
  {"a global page over MOV CR3", global_over_cr3},
  {"that a page was not present", not_present},
  {"paging-structure cache (PDE)", structure_cache},
  {"A cleared, not invalidated", ad_refill},
};
// clang-format on

#define EXPERIMENTS (sizeof experiments / sizeof experiments[0])

static bool unused(uint64_t va)
{
  struct walk walk = walk_run(lab_paging(), laddr(va));
  return walk.end == WALK_NOT_PRESENT;
}

/* The tables are made before the experiment: PAE paging would not see a new PDPTE until CR3 is loaded. */
static const char *run_one(const struct experiment *e, unsigned cpl)
{
  lab_undo_begin();
  map(PROBE_VA, 'A', 0, cpl);
  map(PROBE_VA2, 'A', 0, cpl);
  flush_all();
  const char *saw = seen(PROBE_VA, cpl) ? e->run(cpl) : faults;
  lab_undo();
  flush_all();
  return saw;
}

bool platform_report(struct record *r)
{
  if (!unused(PROBE_VA) || !unused(PROBE_VA + PAGE_SIZE) || !unused(PROBE_VA2 + PAGE_SIZE))
    return record_refuse(r, "the experiments need 0x%llx and 0x%llx unmapped: unmap them, or reset", PROBE_VA, PROBE_VA2);
  bool visible = false;
  struct record_node *list = record_array(r, &r->root, "experiments", NULL);
  for (unsigned i = 0; i < EXPERIMENTS; i++) {
    struct record_node *row = record_object(r, list, NULL);
    const char *ring0 = run_one(&experiments[i], 0), *ring3 = run_one(&experiments[i], 3);
    record_string(r, row, "experiment", experiments[i].what);
    record_string(r, row, "ring0", ring0);
    record_string(r, row, "ring3", ring3);
    visible = visible || (i == 0 && (ring0[0] == 's' && ring0[1] == 't')) || (i == 0 && ring3[1] == 't');
  }
  record_bool(r, &r->root, "tlb_visible", visible);
  record_string(r, &r->root, "clock", state_clock());
  record_bool(r, &r->root, "bochs", bochs_here());
  record_format(r, &r->root, "note", "clock: %s%s%s", state_clock(), visible ? "" : "; no TLB is observable here",
                bochs_here() ? "; this is Bochs, whose debugger shows the TLB: 'tlb VA' says how" : "");
  return true;
}
