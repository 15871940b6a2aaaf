#include "check/private.h"

#include "lib/format.h"

/* ---- flush ----
 *
 * The whole matrix: every kind of change, then every kind of invalidation, then an access that tells. A page of each size, global and not.
 * What must come of it the rules say: after an invalidation that has to drop the translation the access must go by the tables; after one
 * that need not, either may come, and what came is an observation. A CPU without a TLB passes what must be and is observed in the rest. */

struct change {
  const char *name;
  unsigned before;     /* flags at first; the page is mapped to the first frame */
  bool absent;         /* ... or it is not mapped at all */
  uint8_t fill, probe; /* enum machine_op: the access that may cache it, and the one that tells */
  uint8_t probe_cpl;
  uint8_t feature;
  uint8_t modes;
  void (*change)(uint64_t va, unsigned shift, unsigned more);
};

static bool large(unsigned shift)
{
  return shift != PAGE_SHIFT;
}

static char first(unsigned shift)
{
  return large(shift) ? '0' : 'X';
}

static char second(unsigned shift)
{
  return large(shift) ? '1' : 'Y';
}

static void maps(uint64_t va, unsigned shift, unsigned more)
{
  bench_map(va, first(shift), EDIT_RW | more, shift);
}

static void unmaps(uint64_t va, unsigned shift, unsigned more)
{
  (void)shift;
  (void)more;
  bench_unmap(va);
}

static void other_frame(uint64_t va, unsigned shift, unsigned more)
{
  bench_map(va, second(shift), EDIT_RW | more, shift);
}

#define CHANGE_FLAGS(function, set, clear)                                                                                                 \
  static void function(uint64_t va, unsigned shift, unsigned more)                                                                         \
  {                                                                                                                                        \
    (void)shift;                                                                                                                           \
    (void)more;                                                                                                                            \
    bench_protect(va, -1, set, clear);                                                                                                     \
  }

CHANGE_FLAGS(gives_write, EDIT_RW, 0)
CHANGE_FLAGS(takes_write, 0, EDIT_RW)
CHANGE_FLAGS(to_user, EDIT_US, 0)
CHANGE_FLAGS(to_supervisor, 0, EDIT_US)
CHANGE_FLAGS(takes_execute, EDIT_NX, 0)
CHANGE_FLAGS(gives_execute, 0, EDIT_NX)
CHANGE_FLAGS(clears_a, 0, EDIT_A)
CHANGE_FLAGS(clears_d, 0, EDIT_D)
CHANGE_FLAGS(other_type, EDIT_PCD, 0)
CHANGE_FLAGS(toggles_global, EDIT_G, 0)

static int directory(void)
{
  return lab_paging()->format->levels - 2;
}

static void directory_takes_write(uint64_t va, unsigned shift, unsigned more)
{
  (void)more;
  bench_protect(va, large(shift) ? -1 : directory(), 0, EDIT_RW);
}

static void directory_absent(uint64_t va, unsigned shift, unsigned more)
{
  (void)shift;
  (void)more;
  bench_entry_set(va, directory(), bench_entry(va, directory()) & ~1ULL);
}

// clang-format off
static const struct change changes[] = {
  {"not present -> present", 0, true, OP_READ, OP_READ, 0, NO_FEATURE, MODES_PAGED, maps},
  {"present -> not present", EDIT_RW, false, OP_READ, OP_READ, 0, NO_FEATURE, MODES_PAGED, unmaps},
  {"another frame", EDIT_RW, false, OP_READ, OP_READ, 0, NO_FEATURE, MODES_PAGED, other_frame},
  {"another frame, fetched", EDIT_RW, false, OP_EXEC, OP_EXEC, 0, NO_FEATURE, MODES_PAGED, other_frame},
  {"another frame, written", EDIT_RW, false, OP_WRITE, OP_WRITE, 0, NO_FEATURE, MODES_PAGED, other_frame},
  {"another frame, CPL 3", EDIT_RW | EDIT_US, false, OP_READ, OP_READ, 3, NO_FEATURE, MODES_PAGED, other_frame},
  {"read-only -> writable", 0, false, OP_READ, OP_WRITE, 0, NO_FEATURE, MODES_PAGED, gives_write},
  {"writable -> read-only", EDIT_RW, false, OP_WRITE, OP_WRITE, 0, NO_FEATURE, MODES_PAGED, takes_write},
  {"supervisor -> user", EDIT_RW, false, OP_READ, OP_READ, 3, NO_FEATURE, MODES_PAGED, to_user},
  {"user -> supervisor", EDIT_RW | EDIT_US, false, OP_READ, OP_READ, 3, NO_FEATURE, MODES_PAGED, to_supervisor},
  {"executable -> XD", EDIT_RW, false, OP_EXEC, OP_EXEC, 0, FEATURE_NX, MODES_PAGED & ~(1u << MACHINE_32), takes_execute},
  {"XD -> executable", EDIT_RW | EDIT_NX, false, OP_READ, OP_EXEC, 0, FEATURE_NX, MODES_PAGED & ~(1u << MACHINE_32), gives_execute},
  {"A cleared", EDIT_RW, false, OP_READ, OP_READ, 0, NO_FEATURE, MODES_PAGED, clears_a},
  {"D cleared", EDIT_RW, false, OP_WRITE, OP_WRITE, 0, NO_FEATURE, MODES_PAGED, clears_d},
  {"another memory type", EDIT_RW, false, OP_READ, OP_READ, 0, NO_FEATURE, MODES_PAGED, other_type},
  {"G set", EDIT_RW, false, OP_READ, OP_READ, 0, FEATURE_PGE, MODES_PAGED, toggles_global},
  {"the directory's R/W cleared", EDIT_RW, false, OP_WRITE, OP_WRITE, 0, NO_FEATURE, MODES_PAGED, directory_takes_write},
  {"the directory's P cleared", EDIT_RW, false, OP_READ, OP_READ, 0, NO_FEATURE, MODES_PAGED, directory_absent},
};
// clang-format on

#define CHANGES (sizeof changes / sizeof changes[0])

/* ---- invalidations ---- */

static void none(uint64_t va)
{
  (void)va;
}

static void this_page(uint64_t va)
{
  bench_invlpg(va);
}

static void another_page(uint64_t va)
{
  bench_invlpg(va ^ (BENCH_VA ^ BENCH_FAR));
}

static void mov_cr3(uint64_t va)
{
  (void)va;
  bench_cr3(false);
}

static void mov_cr3_keep(uint64_t va)
{
  (void)va;
  bench_cr3(true);
}

static void toggle_pge(uint64_t va)
{
  (void)va;
  bench_pge();
}

static void toggle_pg(uint64_t va)
{
  (void)va;
  lab_paging_toggle();
}

static void invpcid_0(uint64_t va)
{
  lab_invpcid(0, 0, laddr(va));
}

static void invpcid_1(uint64_t va)
{
  lab_invpcid(1, 0, laddr(va));
}

static void invpcid_2(uint64_t va)
{
  lab_invpcid(2, 0, laddr(va));
}

static void invpcid_3(uint64_t va)
{
  lab_invpcid(3, 0, laddr(va));
}

/* PCD in CR3 makes it another value with the same root, so that the switch changes CR3 and has to flush; then back. */
static void task_switch(uint64_t va)
{
  const uint64_t pcd = 1u << 4;
  uint64_t cr3 = machine_register_read(REGISTER_CR3);
  (void)va;
  lab_task_switch(cr3 ^ pcd);
  lab_task_switch(cr3);
}

static const struct flush {
  const char *name;
  uint8_t feature, modes;
  bool pcide; /* CR4.PCIDE must be 1 meanwhile */
  void (*run)(uint64_t va);
} flushes[] = {
  {"nothing", NO_FEATURE, MODES_PAGED, false, none},
  {"INVLPG", FEATURE_INVLPG, MODES_PAGED, false, this_page},
  {"INVLPG of another page", FEATURE_INVLPG, MODES_PAGED, false, another_page},
  {"MOV CR3", NO_FEATURE, MODES_PAGED, false, mov_cr3},
  {"MOV CR3 with bit 63", FEATURE_PCID, MODES_LONG, true, mov_cr3_keep},
  {"CR4.PGE toggle", FEATURE_PGE, MODES_PAGED, false, toggle_pge},
  {"CR0.PG toggle", NO_FEATURE, MODES_LEGACY, false, toggle_pg},
  {"INVPCID 0", FEATURE_INVPCID, MODES_LONG, false, invpcid_0},
  {"INVPCID 1", FEATURE_INVPCID, MODES_LONG, false, invpcid_1},
  {"INVPCID 2", FEATURE_INVPCID, MODES_LONG, false, invpcid_2},
  {"INVPCID 3", FEATURE_INVPCID, MODES_LONG, false, invpcid_3},
  {"task switch", NO_FEATURE, MODES_LEGACY, false, task_switch},
};

#define FLUSHES (sizeof flushes / sizeof flushes[0])

static bool here(uint8_t feature, uint8_t modes)
{
  return modes >> machine_mode() & 1u &&
         (feature == NO_FEATURE || machine_features_have(machine_cpu()->features, (enum machine_feature)feature));
}

static void set_pcide(bool on)
{
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  lab_register_write(REGISTER_CR4, on ? cr4 | CR4_PCIDE : cr4 & ~CR4_PCIDE);
}

static void run_cell(struct bench *b, const struct change *c, const struct flush *f, unsigned shift, unsigned global)
{
  bench_clear(b);
  if (f->pcide)
    set_pcide(true);
  if (!c->absent)
    bench_map(BENCH_VA, first(shift), c->before | global, shift);
  b->cpl = c->before & EDIT_US ? c->probe_cpl : 0;
  bench_touch(b, (enum machine_op)c->fill, BENCH_VA);
  c->change(BENCH_VA, shift, global);
  f->run(BENCH_VA);
  b->cpl = c->probe_cpl;
  bench_touch(b, (enum machine_op)c->probe, BENCH_VA);
  bench_judge(b);
  if (f->pcide) {
    bench_clear(b);
    set_pcide(false);
  }
}

static unsigned large_shift(void)
{
  const char *missing;
  unsigned shift = machine_mode() == MACHINE_32 ? 22 : 21;
  bool frames = machine_layout()->big[0].v && machine_layout()->big[1].v;
  return frames && format_level_of_size(lab_paging(), shift, &missing) >= 0 ? shift : 0;
}

static bool sensible(const struct change *c, unsigned shift, unsigned global)
{
  bool directory_of_large = large(shift) && c->change == directory_absent;
  return !directory_of_large && !(global && c->change == toggles_global);
}

static bool run_change(const struct check_group_of *group, const struct change *c, unsigned shift, unsigned global, check_each each,
                       void *context, struct check_counts *counts)
{
  for (unsigned i = 0; i < FLUSHES; i++) {
    struct check_result result = {.group = group->name, .sdm = group->sdm};
    struct bench b = {.result = &result};
    format(result.name, sizeof result.name, "%s%s%s, %s", c->name, large(shift) ? ", large" : "", global ? ", global" : "",
           flushes[i].name);
    if (!here(flushes[i].feature, flushes[i].modes))
      continue;
    run_cell(&b, c, &flushes[i], shift, global);
    if (!check_done(&result, each, context, counts))
      return false;
  }
  return true;
}

static bool matrix(const struct check_group_of *group, const struct check_extent *extent, check_each each, void *context,
                   struct check_counts *counts)
{
  (void)extent;
  const unsigned globals[] = {0, EDIT_G};
  bool pge = machine_register_read(REGISTER_CR4) & CR4_PGE;
  if (lab_paging()->format == NULL)
    return true;
  const unsigned shifts[] = {PAGE_SHIFT, large_shift()};
  for (unsigned c = 0; c < CHANGES; c++)
    for (unsigned s = 0; s < 2; s++)
      for (unsigned g = 0; g < (pge ? 2u : 1u); g++) {
        bool wanted = shifts[s] && here(changes[c].feature, changes[c].modes) && sensible(&changes[c], shifts[s], globals[g]);
        if (wanted && !run_change(group, &changes[c], shifts[s], globals[g], each, context, counts))
          return false;
      }
  return true;
}

const struct check_group_of check_flush = {"flush", "every kind of change, then every kind of invalidation: a matrix",
                                           "Operations that Invalidate TLBs and Paging-Structure Caches", NULL, matrix};
