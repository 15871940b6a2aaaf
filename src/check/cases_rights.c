#include "check/private.h"
#include "check/sweep.h"

#include "lib/format.h"

#include <string.h>

/* ---- rights ----
 *
 * Every combination of the flags in the entries of a walk, of the control registers that have a say, of read, write and fetch, at CPL 0 and
 * 3: what must come (the access done, or which error code) and which A and D flags must be set behind it. It is the idea of `access` of
 * kvm-unit-tests, in every paging mode.
 *
 * A combination belongs to the level where its walk ends: at an entry that maps a page, is not present, or has a reserved bit set. The
 * entries above it refer to tables, with each combination of R/W, U/S, XD and A. All values of the entry where walks end stand side by
 * side in one table, each translating an address of its own: so one MOV CR3 and one sweep over these addresses try them all, nothing can
 * be stale, and no INVLPG is needed.
 *
 * A page fault costs an emulator most of the time that there is. For the rest there are few steps for each combination: what must come of
 * it depends on its kind only (product.h), which loses the rights that the entries above do not have.
 *
 * What must be (SDM, Accessed and Dirty Flags): A in all entries that were used for an access that was done, and D in the leaf if it was a
 * write. What must not be: D for any other reason; A in an entry that is not present; any other bit changed. Whether an access that was
 * refused leaves A set in present entries is the CPU's choice. The entries above are shared by a sweep, and judged after it. */

#define SAMPLES_LAST 12u    /* sweeps for each state, at the last level */
#define SAMPLES_ABOVE 6u    /* ... and at each level above it */
#define FEW (3u << 20)      /* so many combinations are all tried always */
#define PROGRESS (1u << 24) /* combinations between two lines that tell of it */

static struct {
  const struct check_group_of *group;
  check_each each;
  void *context;
  struct check_counts *counts;
  uint64_t from, covered, total, told;
  uint64_t number; /* of the combination that is next */
  bool full, stopped;
} run;

/* One state of the control registers. */
static struct {
  struct product_state state;
  struct paging paging;
  const struct product_level *levels;
} now;

static bool stop(bool go_on)
{
  run.stopped = run.stopped || !go_on;
  return run.stopped;
}

static bool tell(enum check_verdict verdict, const char *name, const char *note)
{
  struct check_result result = {.group = run.group->name, .verdict = (uint8_t)verdict, .sdm = run.group->sdm};
  format(result.name, sizeof result.name, "%s", name);
  format(result.note, sizeof result.note, "%s", note);
  if (verdict == CHECK_PROGRESS)
    return !stop(run.each(run.context, &result));
  return !stop(check_done(&result, run.each, run.context, run.counts));
}

static void report(const char *name, const char *note)
{
  tell(CHECK_FAIL, name, note);
}

static bool progress(void)
{
  char note[96] = "";
  if (run.full && run.covered - run.told >= PROGRESS) {
    run.told = run.covered;
    format(note, sizeof note, "combination %llu of %llu", (unsigned long long)run.number, (unsigned long long)run.total);
  }
  return tell(CHECK_PROGRESS, "", note);
}

/* How many sweeps a level has: by the entries above, and the access. */
static unsigned groups_at(unsigned level)
{
  unsigned groups = SWEEP_ACCESSES;
  for (unsigned i = 0; i < level; i++)
    groups *= now.levels[i].tables;
  return groups;
}

/* A step that meets every kind of access. */
static unsigned step_at(unsigned level, unsigned groups)
{
  unsigned samples = level + 1u == now.paging.format->levels ? SAMPLES_LAST : SAMPLES_ABOVE;
  unsigned step = run.full || groups <= samples ? 1 : groups / samples | 1;
  return step > 1 && step % 3 == 0 ? step + 2 : step;
}

static bool level_run(unsigned level, unsigned seed, uint64_t start)
{
  unsigned groups = groups_at(level), step = step_at(level, groups), ends = now.levels[level].ends;
  if (ends == 0)
    return true;
  uint64_t first = run.from > start ? (run.from - start) / ends : 0;
  for (uint64_t group = first + (run.full ? 0 : seed * 40503u % step); group < groups; group += step) {
    run.number = start + group * ends;
    if (!progress())
      return false;
    if (!sweep_run(level, (unsigned)group / SWEEP_ACCESSES, (unsigned)group % SWEEP_ACCESSES, run.number))
      return tell(CHECK_FAIL, "an exception that no access raised", "");
    run.covered += ends;
    if (run.stopped)
      return false;
  }
  return true;
}

/* ---- the whole product ---- */

static void state_take(unsigned index)
{
  now.state = product_state(index);
  now.paging = product_paging(&now.state);
  now.levels = product_levels(&now.paging);
}

static uint64_t level_total(unsigned level)
{
  return (uint64_t)groups_at(level) * now.levels[level].ends;
}

static uint64_t state_total(void)
{
  uint64_t total = 0;
  for (unsigned i = 0; i < now.paging.format->levels; i++)
    total += level_total(i);
  return total;
}

static bool state_run(unsigned index, uint64_t start)
{
  if (!product_enter(&now.state))
    return tell(CHECK_FAIL, "the CPU refused a change of its control registers", "");
  sweep_state(&now.state, &now.paging, now.levels);
  for (unsigned level = 0; level < now.paging.format->levels; level++) {
    uint64_t end = start + level_total(level);
    if (end > run.from && !level_run(level, index, start))
      return false;
    start = end;
  }
  return true;
}

static void states_run(void)
{
  uint64_t start = 0;
  run.total = 0;
  for (unsigned i = 0; i < product_states(); i++) {
    state_take(i);
    run.total += state_total();
  }
  run.full = run.full || run.total <= FEW;
  for (unsigned i = 0; i < product_states(); i++) {
    state_take(i);
    uint64_t end = start + state_total();
    if (end > run.from && !state_run(i, start))
      return;
    start = end;
  }
}

/* ---- what has no entries ---- */

static bool missing(enum machine_feature feature, const char *what)
{
  if (machine_features_have(machine_cpu()->features, feature))
    return true;
  return tell(CHECK_SKIP, what, machine_features[feature].cpuid_bit);
}

static bool features_tell(void)
{
  bool wide = machine_mode() >= MACHINE_4LEVEL;
  return missing(FEATURE_SMEP, "with CR4.SMEP") && missing(FEATURE_SMAP, "with CR4.SMAP and EFLAGS.AC") &&
         (machine_mode() == MACHINE_32 || missing(FEATURE_NX, "with EFER.NXE")) && (!wide || missing(FEATURE_PKU, "with CR4.PKE"));
}

/* An address that is not canonical never reaches a walk. */
static bool not_canonical(void)
{
  if (!lab_paging()->format->canonical)
    return true;
  return tell(sweep_not_canonical() ? CHECK_PASS : CHECK_FAIL, "not canonical: #GP(0)", "");
}

static bool summary(void)
{
  char name[96], note[96] = "";
  if (run.stopped) {
    format(note, sizeof note, "stopped; check rights from %llu goes on",
           (unsigned long long)(run.number > run.from ? run.number : run.from));
    return tell(CHECK_OBSERVED, "not all combinations", run.full ? note : "stopped");
  }
  format(name, sizeof name, "covered %llu of %llu combinations", (unsigned long long)run.covered, (unsigned long long)run.total);
  if (sweep_mismatches())
    format(note, sizeof note, "%llu mismatches", (unsigned long long)sweep_mismatches());
  return tell(sweep_mismatches() ? CHECK_OBSERVED : CHECK_PASS, name, note);
}

static bool matrix(const struct check_group_of *group, const struct check_extent *extent, check_each each, void *context,
                   struct check_counts *counts)
{
  memset(&run, 0, sizeof run);
  run.group = group;
  run.each = each;
  run.context = context;
  run.counts = counts;
  run.full = extent->full;
  run.from = extent->from;
  if (lab_paging()->format == NULL)
    return tell(CHECK_SKIP, "all combinations", "paging is off");
  bench_clear(NULL);
  const char *why = sweep_open(report);
  if (why)
    return tell(CHECK_SKIP, "all combinations", why);
  if (features_tell() && not_canonical()) {
    product_keep();
    states_run();
    product_restore();
  }
  sweep_close();
  bench_flush_all();
  return summary();
}

const struct check_group_of check_rights = {"rights", "every combination of entries, control registers and accesses",
                                            "Determination of Access Rights", NULL, matrix};
