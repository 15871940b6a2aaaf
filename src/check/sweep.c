#include "check/sweep.h"

#include "lib/format.h"

#include <string.h>

#define DATA_OFFSET 0x40u /* in the page: bench.c puts back what is there */
#define SLOTS_MAX 512u
#define REPORTS 6u /* kinds of mismatches that are told of */

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

/* Where the tables are. */
static struct {
  paddr_t page[2]; /* for data, for fetches */
  paddr_t table[FORMAT_LEVELS_MAX];
  uint8_t *memory[FORMAT_LEVELS_MAX]; /* of the table at each level, from the first entry that is used */
  unsigned slots;                     /* entries of the root that are free side by side */
  unsigned first;                     /* ... and which is the first */
  uint64_t cr3;
} place;

/* What did not come as it must. */
static struct {
  void (*report)(const char *name, const char *note);
  uint64_t count;
  uint32_t reported[REPORTS];
  unsigned reports;
} mismatches;

/* One state of the control registers. */
static struct {
  struct product_state state;
  struct paging paging;
  const struct product_level *levels;
  uint32_t expect[FORMAT_LEVELS_MAX][SWEEP_ACCESSES][PRODUCT_KINDS];
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

static enum machine_op operation_of(unsigned access)
{
  return (enum machine_op)(access / 2);
}

static uint8_t cpl_of(unsigned access)
{
  return access % 2 ? 3 : 0;
}

static enum machine_op operation(void)
{
  return operation_of(sweep.access);
}

static bool fetches(void)
{
  return operation() == OP_EXEC;
}

/* ---- entries in memory ---- */

static void entry_put(unsigned level, unsigned slot, uint64_t value)
{
  uint8_t *memory = place.memory[level];
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
  paddr_t page = paddr(place.page[fetch].v & ~(span(level) - 1));
  bool table = !leaf && level + 1u < now.paging.format->levels;
  return format_set_address(&now.paging, level, value, table ? place.table[level + 1] : page);
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
  unsigned length = 0, end = 1u << format->level[0].index_bits;
  if (format->canonical) /* the lower half: its addresses follow each other, and ring 3 reaches them under any hypervisor */
    end /= 2;
  place.slots = 0;
  for (unsigned i = end; i-- > 1;) { /* the first is the kernel's */
    uint64_t entry = 0;
    machine_entry_read(paddr(lab_paging()->root.v + (uint64_t)i * format->entry_bytes), format->entry_bytes, &entry);
    length = entry == 0 ? length + 1 : 0;
    if (length > place.slots && length <= SLOTS_MAX) {
      place.slots = length;
      place.first = i;
    }
  }
  if (place.slots == 0)
    return "the root has no entry that is 0";
  place.table[0] = paddr(lab_paging()->root.v + (uint64_t)place.first * format->entry_bytes);
  for (unsigned i = 1; i < format->levels; i++)
    if (!lab_tables()->take(lab_tables()->context, &place.table[i]))
      return "no pages are left for tables";
  for (unsigned i = 0; i < format->levels; i++)
    place.memory[i] = machine_physical(place.table[i]);
  return NULL;
}

void sweep_close(void)
{
  const struct format *format = lab_paging()->format;
  memset(place.memory[0], 0, (size_t)place.slots * format->entry_bytes);
  for (unsigned i = 1; i < format->levels; i++)
    memset(place.memory[i], 0, PAGE_SIZE);
}

/* ---- reports ---- */

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
  mismatches.count++;
  for (unsigned i = 0; i < mismatches.reports; i++)
    if (mismatches.reported[i] == key)
      return;
  if (mismatches.reports == REPORTS)
    return;
  mismatches.reported[mismatches.reports++] = key;
  char name[96], bits[32], note[320];
  struct text t = {note, sizeof note};
  unsigned slot = sweep.first + index;
  const char *which = what == OTHER_ERROR ? rights_error_flags(detail, bits, sizeof bits) : "";
  format(name, sizeof name, "%s%s%s", mismatch_names[what], which[0] ? ": " : "", which);
  add(&t, "combination %llu: %s at CPL %u", (unsigned long long)(sweep.number + index), words[operation()], cpl_of(sweep.access));
  add_state(&t);
  for (unsigned i = 0; i < sweep.level; i++)
    add_entry(&t, i ? "; " : ": ", i, sweep.above[i]);
  add_entry(&t, sweep.level ? "; " : ": ", sweep.level, entries[sweep.level][fetches()][slot]);
  add_came(&t, "expected", sweep.expect[now.levels[sweep.level].kind[slot]]);
  add_came(&t, "came", came[index]);
  if (what >= A_MISSING && what <= ENTRY_CHANGED)
    add_entry(&t, ", then ", sweep.level, entry_now(place.memory[sweep.level], now.paging.format->entry_bytes, index));
  mismatches.report(name, note);
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
    uint64_t a = now.levels[i].table_a, before = sweep.above[i], after = entry_now(place.memory[i], now.paging.format->entry_bytes, 0);
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
  const uint8_t *memory = place.memory[sweep.level];
  const uint8_t *kinds = now.levels[sweep.level].kind + sweep.first;
  const uint64_t *before = entries[sweep.level][fetches()] + sweep.first;
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
static void expect(void)
{
  const struct product_level *l = &now.levels[sweep.level];
  bool write = operation() == OP_WRITE;
  for (unsigned kind = 0; kind < PRODUCT_KINDS; kind++) {
    unsigned left = kind < PRODUCT_NOT_PRESENT ? kind & (sweep.rights | PRODUCT_KEY) : kind;
    uint32_t expected = now.expect[sweep.level][sweep.access][left];
    sweep.expect[kind] = expected;
    sweep.must[kind] = expected ? 0 : l->a[kind] | (write ? l->d[kind] : 0);
    sweep.may[kind] = expected ? l->a[kind] : 0;
  }
}

static void put_above(void)
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

static bool sweep_once(void)
{
  const struct format *format = now.paging.format;
  bool fetch = fetches();
  const uint64_t *values = entries[sweep.level][fetch] + sweep.first;
  uint64_t base = format_sign_extend(format, (uint64_t)place.first << format->level[0].shift).v;
  uint64_t offset = (place.page[fetch].v & (span(sweep.level) - 1)) + (fetch ? LAB_ROUTINE_OFFSET : DATA_OFFSET);
  const struct machine_sweep accesses = {.op = operation(),
                                         .va = laddr(base + offset),
                                         .stride = span(sweep.level),
                                         .count = sweep.count,
                                         .cpl = cpl_of(sweep.access),
                                         .ac = now.state.ac,
                                         .came = came};
  put_above();
  expect();
  for (unsigned i = 0; i < sweep.count; i++)
    entry_put(sweep.level, i, values[i]);
  /* Not the lab's: the model never hears of these entries, and they are gone before it is asked again. */
  machine_register_write(REGISTER_CR3, place.cr3);
  bool done = !machine_sweep(&accesses).raised;
  if (done)
    judge();
  return done;
}

/* Where the root has less place than the values need, in several sweeps. */
bool sweep_run(unsigned level, unsigned shape, unsigned access, uint64_t number)
{
  unsigned ends = now.levels[level].ends, most = level ? SLOTS_MAX : place.slots;
  bool done = true;
  sweep.level = level;
  sweep.shape = shape;
  sweep.access = access;
  for (sweep.first = 0; sweep.first < ends && done; sweep.first += sweep.count) {
    sweep.count = ends - sweep.first < most ? ends - sweep.first : most;
    sweep.number = number + sweep.first;
    done = sweep_once();
  }
  if (level == 0)
    memset(place.memory[0], 0, (size_t)place.slots * now.paging.format->entry_bytes);
  return done;
}

void sweep_state(const struct product_state *state, const struct paging *paging, const struct product_level *levels)
{
  now.state = *state;
  now.paging = *paging;
  now.levels = levels;
  entries_make();
  for (unsigned level = 0; level < paging->format->levels; level++)
    for (unsigned access = 0; access < SWEEP_ACCESSES; access++)
      for (unsigned kind = 0; kind < PRODUCT_KINDS; kind++)
        now.expect[level][access][kind] = product_expect(paging, &levels[level], kind, operation_of(access), cpl_of(access));
}

const char *sweep_open(void (*report)(const char *name, const char *note))
{
  memset(&mismatches, 0, sizeof mismatches);
  mismatches.report = report;
  lab_frame_named("X", 1, &place.page[0].v);
  lab_frame_named("Y", 1, &place.page[1].v);
  place.cr3 = machine_register_read(REGISTER_CR3);
  return lab_frame_has_routine(place.page[1]) ? place_find() : "frame Y has no routine to call: reset";
}

uint64_t sweep_mismatches(void)
{
  return mismatches.count;
}

bool sweep_not_canonical(void)
{
  const uint64_t half = 1ULL << (lab_paging()->format->linear_bits - 1);
  const uint64_t addresses[] = {half, 1ULL << 62, ~half & ~(PAGE_SIZE - 1ULL), 1ULL << 63};
  bool good = true;
  for (unsigned access = 0; access < SWEEP_ACCESSES; access++)
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
      const struct machine_sweep one = {.op = operation_of(access),
                                        .va = laddr(addresses[i]),
                                        .count = 1,
                                        .cpl = cpl_of(access),
                                        .came = came};
      good = !machine_sweep(&one).raised && came[0] == MACHINE_CAME(VECTOR_GP, 0) && good;
    }
  return good;
}
