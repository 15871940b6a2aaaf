#include "check/private.h"
#include "check/product.h"

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

#define DATA_OFFSET 0x40u /* in the page: bench.c puts back what is there */
#define ACCESSES 6u       /* three operations, two privilege levels */
#define SLOTS_MAX 512u
#define REPORTS 6u          /* kinds of mismatches that are told of */
#define SAMPLES_LAST 60u    /* sweeps for each state, at the last level */
#define SAMPLES_ABOVE 20u   /* ... and at each level above it */
#define FEW (3u << 20)      /* so many combinations are all tried always */
#define PROGRESS (1u << 24) /* combinations between two lines that tell of it */

enum mismatch {
  NOT_REFUSED,
  NOT_ALLOWED,
  OTHER_ERROR,
  OTHER_EXCEPTION,
  OTHER_CR2,
  A_MISSING,
  D_MISSING,
  D_SET,
  ENTRY_CHANGED,
  A_MISSING_ABOVE,
  ENTRY_CHANGED_ABOVE
};

static const char *const mismatch_names[] = {
  [NOT_REFUSED] = "no fault where one must come",
  [NOT_ALLOWED] = "a fault where none may come",
  [OTHER_ERROR] = "another error code",
  [OTHER_EXCEPTION] = "another exception",
  [OTHER_CR2] = "CR2 is not the address",
  [A_MISSING] = "A is not set in the last entry",
  [D_MISSING] = "D is not set by a write",
  [D_SET] = "D is set though nothing was written",
  [ENTRY_CHANGED] = "the last entry has changed",
  [A_MISSING_ABOVE] = "A is not set in an entry above",
  [ENTRY_CHANGED_ABOVE] = "an entry above has changed",
};

/* What all sweeps have in common. */
static struct {
  const struct check_group_of *group;
  check_each each;
  void *context;
  struct check_counts *counts;
  uint64_t from, covered, total, mismatches, told;
  bool full, stopped;
  paddr_t page[2]; /* for data, for fetches */
  paddr_t table[FORMAT_LEVELS_MAX];
  uint8_t *memory[FORMAT_LEVELS_MAX]; /* of the table at each level, from the first entry that is used */
  unsigned slots;                     /* entries of the root that are free side by side */
  unsigned first;                     /* ... and which is the first */
  uint64_t cr3;
  uint32_t reported[REPORTS];
  unsigned reports;
} run;

/* One state of the control registers. */
static struct {
  struct product_state state;
  struct paging paging;
  const struct product_level *levels;
  uint32_t expect[FORMAT_LEVELS_MAX][ACCESSES][PRODUCT_KINDS];
} now;

/* One sweep. */
static struct {
  unsigned level, shape, access, first, count;
  uint64_t number; /* of its first combination */
  uint64_t above[FORMAT_LEVELS_MAX];
  uint8_t rights; /* that the entries above leave */
  uint32_t expect[PRODUCT_KINDS];
  uint64_t must[PRODUCT_KINDS], may[PRODUCT_KINDS]; /* flags that each kind of entry gets */
} sweep;

/* What the entries of each level held before a sweep, with an address for data and one for fetches; and what came. */
static uint64_t entries[FORMAT_LEVELS_MAX][2][PRODUCT_ENDS];
static uint32_t came[SLOTS_MAX];

static enum machine_op operation(unsigned access)
{
  return (enum machine_op)(access / 2);
}

static uint8_t cpl_of(unsigned access)
{
  return access % 2 ? 3 : 0;
}

/* ---- entries in memory ---- */

static void entry_put(unsigned level, unsigned slot, uint64_t value)
{
  uint8_t *memory = run.memory[level];
  if (now.paging.format->entry_bytes == 4)
    ((volatile uint32_t *)(void *)memory)[slot] = (uint32_t)value;
  else
    ((volatile uint64_t *)(void *)memory)[slot] = value;
}

static inline uint64_t entry_now(const uint8_t *memory, unsigned bytes, unsigned slot)
{
  if (bytes == 4)
    return ((const volatile uint32_t *)(const void *)memory)[slot];
  return ((const volatile uint64_t *)(const void *)memory)[slot];
}

static uint64_t span(unsigned level)
{
  return 1ULL << now.paging.format->level[level].shift;
}

/* With the address of the page that it maps, or of the next table. */
static uint64_t addressed(unsigned level, uint64_t value, bool leaf, bool fetch)
{
  paddr_t page = paddr(run.page[fetch].v & ~(span(level) - 1));
  bool table = !leaf && level + 1u < now.paging.format->levels;
  return format_set_address(&now.paging, level, value, table ? run.table[level + 1] : page);
}

static void entries_make(void)
{
  for (unsigned level = 0; level < now.paging.format->levels; level++) {
    const struct product_level *l = &now.levels[level];
    for (unsigned i = 0; i < l->ends; i++)
      for (unsigned fetch = 0; fetch < 2; fetch++)
        entries[level][fetch][i] = addressed(level, l->end[i], l->leaf[i], fetch != 0);
  }
}

/* Whether the root has place, and there are tables; else why not. */
static const char *place_find(void)
{
  const struct format *format = lab_paging()->format;
  unsigned root_entries = 1u << format->level[0].index_bits, length = 0;
  unsigned lowest = format->canonical ? root_entries / 2 : 1; /* addresses from there on follow each other */
  run.slots = 0;
  for (unsigned i = root_entries; i-- > lowest;) {
    uint64_t entry = 0;
    machine_entry_read(paddr(lab_paging()->root.v + (uint64_t)i * format->entry_bytes), format->entry_bytes, &entry);
    length = entry == 0 ? length + 1 : 0;
    if (length > run.slots && length <= SLOTS_MAX) {
      run.slots = length;
      run.first = i;
    }
  }
  if (run.slots == 0)
    return "the root has no entry that is 0";
  run.table[0] = paddr(lab_paging()->root.v + (uint64_t)run.first * format->entry_bytes);
  for (unsigned i = 1; i < format->levels; i++)
    if (!lab_tables()->take(lab_tables()->context, &run.table[i]))
      return "no pages are left for tables";
  for (unsigned i = 0; i < format->levels; i++)
    run.memory[i] = machine_physical(run.table[i]);
  return NULL;
}

static void place_leave(void)
{
  const struct format *format = lab_paging()->format;
  memset(run.memory[0], 0, (size_t)run.slots * format->entry_bytes);
  for (unsigned i = 1; i < format->levels; i++)
    memset(run.memory[i], 0, PAGE_SIZE);
}

/* ---- reports ---- */

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

/* Text that grows; what does not fit is left out. */
struct text {
  char *at;
  size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  int length = format_args(t->at, t->left, fmt, ap);
  va_end(ap);
  size_t used = length < 0 ? 0 : (size_t)length < t->left ? (size_t)length : t->left - 1;
  t->at += used;
  t->left -= used;
}

static void add_state(struct text *t)
{
  const struct product_state *s = &now.state;
  bool any = s->wp || s->smep || s->smap || s->ac || s->nxe || s->pke;
  add(t, "%s%s%s%s%s%s", any ? " with" : "", s->wp ? " WP" : "", s->smep ? " SMEP" : "", s->smap ? " SMAP" : "", s->ac ? " AC" : "",
      s->nxe ? " NXE" : "");
  if (s->pke)
    add(t, " PKRU=0x%x", s->pkru);
}

static void add_entry(struct text *t, const char *before, unsigned level, uint64_t entry)
{
  char flags[64];
  format_flags(&now.paging, level, entry, flags, sizeof flags);
  add(t, "%s%s %s", before, now.paging.format->level[level].name, flags[0] ? flags : "not present");
}

static void add_came(struct text *t, const char *word, uint32_t value)
{
  char flags[32];
  uint32_t error = MACHINE_CAME_ERROR(value);
  if (value == 0)
    add(t, "; %s no fault", word);
  else if (MACHINE_CAME_VECTOR(value) == VECTOR_PF)
    add(t, "; %s #PF 0x%x%s%s", word, error, error ? " " : "", rights_error_flags(error, flags, sizeof flags));
  else
    add(t, "; %s exception %u", word, MACHINE_CAME_VECTOR(value));
}

/* @p index: of the combination in the sweep. @p detail tells mismatches of a kind apart. */
static void mismatch(enum mismatch what, uint32_t detail, unsigned index)
{
  static const char *const words[] = {[OP_READ] = "read", [OP_WRITE] = "write", [OP_EXEC] = "fetch"};
  uint32_t key = (uint32_t)what << 16 | detail;
  run.mismatches++;
  for (unsigned i = 0; i < run.reports; i++)
    if (run.reported[i] == key)
      return;
  if (run.reports == REPORTS)
    return;
  run.reported[run.reports++] = key;
  char name[96], note[sizeof((struct check_result *)0)->note];
  struct text t = {note, sizeof note};
  unsigned slot = sweep.first + index, fetch = operation(sweep.access) == OP_EXEC;
  format(name, sizeof name, "combination %llu: %s", (unsigned long long)(sweep.number + index), mismatch_names[what]);
  add(&t, "%s at CPL %u", words[operation(sweep.access)], cpl_of(sweep.access));
  add_state(&t);
  for (unsigned i = 0; i < sweep.level; i++)
    add_entry(&t, i ? "; " : ": ", i, sweep.above[i]);
  add_entry(&t, sweep.level ? "; " : ": ", sweep.level, entries[sweep.level][fetch][slot]);
  add_came(&t, "expected", sweep.expect[now.levels[sweep.level].kind[slot]]);
  add_came(&t, "came", came[index]);
  if (what >= A_MISSING && what <= ENTRY_CHANGED)
    add_entry(&t, ", then ", sweep.level, entry_now(run.memory[sweep.level], now.paging.format->entry_bytes, index));
  tell(CHECK_FAIL, name, note);
}

/* ---- judging ---- */

static void judge_outcome(unsigned index, uint32_t expected)
{
  uint32_t got = came[index];
  uint32_t changed = (expected ^ got) & 0xffff;
  if (got == 0)
    mismatch(NOT_REFUSED, 0, index);
  else if (expected == 0)
    mismatch(NOT_ALLOWED, 0, index);
  else if (MACHINE_CAME_VECTOR(expected) != MACHINE_CAME_VECTOR(got))
    mismatch(OTHER_EXCEPTION, MACHINE_CAME_VECTOR(got), index);
  else if (changed)
    mismatch(OTHER_ERROR, changed, index);
  else
    mismatch(OTHER_CR2, 0, index);
}

static void judge_entry(unsigned index, unsigned kind, uint64_t before, uint64_t after)
{
  uint64_t missing = (before | sweep.must[kind]) & ~after;
  if (missing & now.levels[sweep.level].a[kind])
    mismatch(A_MISSING, 0, index);
  else if (missing & now.levels[sweep.level].d[kind])
    mismatch(D_MISSING, 0, index);
  else if ((after & ~(before | sweep.must[kind] | sweep.may[kind])) == now.levels[sweep.level].d[kind])
    mismatch(D_SET, 0, index);
  else
    mismatch(ENTRY_CHANGED, 0, index);
}

static void judge_above(unsigned used, bool allowed)
{
  for (unsigned i = 0; i < sweep.level; i++) {
    uint64_t a = now.levels[i].table_a, before = sweep.above[i], after = entry_now(run.memory[i], now.paging.format->entry_bytes, 0);
    if (i == 0 && now.paging.format->root_latched)
      continue;
    if ((before | a) != (after | a))
      mismatch(ENTRY_CHANGED_ABOVE, 0, used);
    else if ((before & ~after) || (allowed && a & ~after))
      mismatch(A_MISSING_ABOVE, 0, used);
  }
}

static void judge(void)
{
  const unsigned bytes = now.paging.format->entry_bytes;
  const uint8_t *memory = run.memory[sweep.level];
  const uint8_t *kinds = now.levels[sweep.level].kind + sweep.first;
  const uint64_t *before = entries[sweep.level][operation(sweep.access) == OP_EXEC] + sweep.first;
  unsigned used = 0;
  bool allowed = false;
  for (unsigned i = 0; i < sweep.count; i++) {
    unsigned kind = kinds[i];
    uint32_t expected = sweep.expect[kind];
    uint64_t after = entry_now(memory, bytes, i);
    if (came[i] != expected)
      judge_outcome(i, expected);
    else if ((after | sweep.may[kind]) != (before[i] | sweep.must[kind] | sweep.may[kind]))
      judge_entry(i, kind, before[i], after);
    if (expected == 0 && came[i] == 0 && !allowed) {
      allowed = true;
      used = i;
    }
  }
  judge_above(used, allowed);
}

/* ---- sweeps ---- */

/* The rights of an entry that maps a page are those that the entries above leave too. */
static void sweep_expect(void)
{
  const struct product_level *l = &now.levels[sweep.level];
  bool write = operation(sweep.access) == OP_WRITE;
  for (unsigned kind = 0; kind < PRODUCT_KINDS; kind++) {
    unsigned left = kind < PRODUCT_NOT_PRESENT ? kind & (sweep.rights | PRODUCT_KEY) : kind;
    uint32_t expected = now.expect[sweep.level][sweep.access][left];
    sweep.expect[kind] = expected;
    sweep.must[kind] = expected ? 0 : l->a[kind] | (write ? l->d[kind] : 0);
    sweep.may[kind] = expected ? l->a[kind] : 0;
  }
}

static void sweep_above(void)
{
  unsigned shape = sweep.shape;
  sweep.rights = PRODUCT_RIGHTS;
  for (unsigned i = sweep.level; i-- > 0;) {
    const struct product_level *l = &now.levels[i];
    unsigned chosen = shape % l->tables;
    shape /= l->tables;
    sweep.rights &= l->rights[chosen];
    sweep.above[i] = addressed(i, l->table[chosen], false, false);
    entry_put(i, 0, sweep.above[i]);
  }
}

static bool sweep_run(void)
{
  const struct format *format = now.paging.format;
  enum machine_op op = operation(sweep.access);
  bool fetch = op == OP_EXEC;
  const uint64_t *values = entries[sweep.level][fetch] + sweep.first;
  uint64_t base = format_sign_extend(format, (uint64_t)run.first << format->level[0].shift).v;
  uint64_t offset = (run.page[fetch].v & (span(sweep.level) - 1)) + (fetch ? LAB_ROUTINE_OFFSET : DATA_OFFSET);
  const struct machine_sweep accesses = {.op = op,
                                         .va = laddr(base + offset),
                                         .stride = span(sweep.level),
                                         .count = sweep.count,
                                         .cpl = cpl_of(sweep.access),
                                         .ac = now.state.ac,
                                         .came = came};
  sweep_above();
  sweep_expect();
  for (unsigned i = 0; i < sweep.count; i++)
    entry_put(sweep.level, i, values[i]);
  machine_register_write(REGISTER_CR3, run.cr3);
  struct machine_fault fault = machine_sweep(&accesses);
  run.covered += sweep.count;
  if (fault.raised)
    return tell(CHECK_FAIL, "an exception that no access raised", "");
  judge();
  return !run.stopped;
}

static bool progress(void)
{
  char note[96] = "";
  if (run.full && run.covered - run.told >= PROGRESS) {
    run.told = run.covered;
    format(note, sizeof note, "combination %llu of %llu", (unsigned long long)sweep.number, (unsigned long long)run.total);
  }
  return tell(CHECK_PROGRESS, "", note);
}

/* All values of one entry, with one access: where the root has less place than they need, in several sweeps. */
static bool sweep_all(void)
{
  unsigned ends = now.levels[sweep.level].ends, most = sweep.level ? SLOTS_MAX : run.slots;
  uint64_t number = sweep.number;
  for (sweep.first = 0; sweep.first < ends; sweep.first += sweep.count) {
    sweep.count = ends - sweep.first < most ? ends - sweep.first : most;
    sweep.number = number + sweep.first;
    if (!progress() || !sweep_run())
      return false;
  }
  if (sweep.level == 0)
    memset(run.memory[0], 0, (size_t)run.slots * now.paging.format->entry_bytes);
  return true;
}

/* How many sweeps a level has: by the entries above, and the access. */
static unsigned groups_at(unsigned level)
{
  unsigned groups = ACCESSES;
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
    sweep.level = level;
    sweep.shape = (unsigned)group / ACCESSES;
    sweep.access = (unsigned)group % ACCESSES;
    sweep.number = start + group * ends;
    if (!sweep_all())
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

static void expectations_make(void)
{
  for (unsigned level = 0; level < now.paging.format->levels; level++)
    for (unsigned access = 0; access < ACCESSES; access++)
      for (unsigned kind = 0; kind < PRODUCT_KINDS; kind++)
        now.expect[level][access][kind] = product_expect(&now.paging, &now.levels[level], kind, operation(access), cpl_of(access));
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
  entries_make();
  expectations_make();
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
  const struct format *format = lab_paging()->format;
  if (!format->canonical)
    return true;
  const uint64_t half = 1ULL << (format->linear_bits - 1), addresses[] = {half, 1ULL << 62, ~half & ~(PAGE_SIZE - 1ULL), 1ULL << 63};
  for (unsigned access = 0; access < ACCESSES; access++)
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
      const struct machine_sweep one = {.op = operation(access),
                                        .va = laddr(addresses[i]),
                                        .count = 1,
                                        .cpl = cpl_of(access),
                                        .came = came};
      machine_sweep(&one);
      if (came[0] != MACHINE_CAME(VECTOR_GP, 0))
        return tell(CHECK_FAIL, "not canonical: #GP(0)", came[0] ? "another exception" : "no fault");
    }
  return tell(CHECK_PASS, "not canonical: #GP(0)", "");
}

static const char *prepare(void)
{
  if (lab_paging()->format == NULL)
    return "paging is off";
  lab_frame_named("X", 1, &run.page[0].v);
  lab_frame_named("Y", 1, &run.page[1].v);
  if (!lab_frame_has_routine(run.page[1]))
    return "frame Y has no routine to call: reset";
  bench_clear(NULL);
  run.cr3 = machine_register_read(REGISTER_CR3);
  return place_find();
}

static bool summary(void)
{
  char name[96], note[96] = "";
  if (run.stopped) {
    format(note, sizeof note, "stopped; check rights from %llu goes on", (unsigned long long)sweep.number);
    return tell(CHECK_OBSERVED, "not all combinations", run.full ? note : "stopped");
  }
  format(name, sizeof name, "covered %llu of %llu combinations", (unsigned long long)run.covered, (unsigned long long)run.total);
  if (run.mismatches)
    format(note, sizeof note, "%llu mismatches", (unsigned long long)run.mismatches);
  return tell(run.mismatches ? CHECK_OBSERVED : CHECK_PASS, name, note);
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
  const char *why = prepare();
  if (why)
    return tell(CHECK_SKIP, "all combinations", why);
  if (!features_tell() || !not_canonical())
    return false;
  product_keep();
  states_run();
  product_restore();
  place_leave();
  bench_flush_all();
  return summary();
}

const struct check_group_of check_rights = {"rights", "every combination of entries, control registers and accesses",
                                            "Determination of Access Rights", NULL, matrix};
