/* The student's paging structures. A table is tracked from when it is first reached from the root; its shadow holds what was in it after
 * the last command, so that any change is found, whoever made it. */
#include "lab/private.h"

#include <string.h>

#define TRACKED_MAX 112

struct tracked {
  bool used, reached;
  bool seen; /* compared before */
  uint8_t level;
  uint16_t end; /* bytes of the shadow: from there on it is all zeros */
  laddr_t base; /* the first linear address its first entry translates */
  paddr_t at;
};

static struct paging paging;
static struct tracked tracked[TRACKED_MAX]; /* index = number of the shadow. The pool's pages come first */
static bool taken[TRACKED_MAX], fresh[TRACKED_MAX];

const struct paging *lab_paging(void)
{
  return &paging;
}

void lab_refresh(void)
{
  paging_read(&paging);
}

/* ---- the pool ---- */

static unsigned pool_count(void)
{
  return machine_layout()->table_count;
}

static paddr_t pool_page(unsigned index)
{
  return paddr(machine_layout()->tables.v + (uint64_t)index * PAGE_SIZE);
}

static int pool_index(paddr_t at)
{
  uint64_t offset = at.v - machine_layout()->tables.v;
  return offset < (uint64_t)pool_count() * PAGE_SIZE ? (int)(offset >> PAGE_SHIFT) : -1;
}

static uint8_t *shadow(unsigned index)
{
  return (uint8_t *)machine_layout()->shadows + (size_t)index * PAGE_SIZE;
}

void lab_tables_mark(void)
{
  memset(fresh, 0, sizeof fresh);
}

bool lab_tables_fresh(paddr_t table)
{
  int index = pool_index(table);
  return index >= 0 && fresh[index];
}

unsigned lab_tables_used(void)
{
  unsigned used = 0;
  for (unsigned i = 0; i < pool_count(); i++)
    used += taken[i];
  return used;
}

static void track(unsigned level, paddr_t at, laddr_t base);

/* From the root of every address space. */
static void track_all(void)
{
  for (unsigned i = 0; i < TRACKED_MAX; i++)
    tracked[i].reached = false;
  track(0, paging.root, laddr(0));
  for (unsigned i = 0; i < LAB_SPACES; i++)
    if (lab_space(i))
      track(0, lab_space(i)->root, laddr(0));
}

/* Tables that nothing refers to any more go back to the pool. What an undo would need of them goes too, so only the command that is being
 * done can be undone: it takes tables before it drops any. */
static void collect(void)
{
  track_all();
  for (unsigned i = 0; i < pool_count(); i++)
    if (taken[i] && !tracked[i].reached && !fresh[i])
      taken[i] = tracked[i].used = false;
  lab_undo_clear_older();
}

/* The first pages of the pool come last: see layout.h on pages whose number ends in 0 to 7. */
#define POOL_FIRST 8u

static unsigned pool_order(unsigned n)
{
  return (n + POOL_FIRST) % pool_count();
}

static int pool_free(void)
{
  for (unsigned n = 0; n < pool_count(); n++)
    if (!taken[pool_order(n)])
      return (int)pool_order(n);
  return -1;
}

/* A page that was a table before may still be known to a paging-structure cache, and its pages to a TLB. */
static void wipe(paddr_t page)
{
  unsigned bytes = paging.format->entry_bytes;
  for (unsigned at = 0; at < PAGE_SIZE; at += bytes) {
    uint64_t entry = 0;
    machine_entry_read(paddr(page.v + at), bytes, &entry);
    if (entry != 0)
      lab_entry_write(paddr(page.v + at), entry, 0);
  }
}

static bool pool_take(void *context, paddr_t *table)
{
  (void)context;
  int index = pool_free();
  if (index < 0) {
    collect();
    index = pool_free();
  }
  if (index < 0)
    return false;
  taken[index] = fresh[index] = true;
  tracked[index].used = false;
  *table = pool_page((unsigned)index);
  wipe(*table);
  memset(shadow((unsigned)index), 0, PAGE_SIZE);
  return true;
}

void lab_tables_return(paddr_t table)
{
  int index = pool_index(table);
  if (index >= 0)
    taken[index] = fresh[index] = false;
}

/* A table that was merged away stays out of the pool until collect(): a paging-structure cache may still lead to it, and undo may
 * want it back. */
static void pool_give(void *context, paddr_t table)
{
  (void)context;
  (void)table;
}

static unsigned pool_left(void *context)
{
  (void)context;
  unsigned left = pool_count() - lab_tables_used();
  if (left < 8) { /* the most that one edit can need is four */
    collect();
    left = pool_count() - lab_tables_used();
  }
  return left;
}

static bool entry_write(void *context, const struct edit_write *write)
{
  (void)context;
  model_wrote(lab_model_change(), write->at, write->before, write->after);
  lab_undo_wrote(write->at, write->bytes, write->before);
  return true;
}

/* ---- plans: edits that are not made ---- */

static bool planning;
static struct edit_write planned[LAB_PLAN_MAX];
static unsigned planned_count;

static bool plan_take(void *context, paddr_t *table)
{
  unsigned *given = context;
  unsigned left = *given;
  for (unsigned n = 0; n < pool_count(); n++)
    if (!taken[pool_order(n)] && left-- == 0) {
      ++*given;
      *table = pool_page(pool_order(n));
      return true;
    }
  return false;
}

static bool plan_write(void *context, const struct edit_write *write)
{
  (void)context;
  if (planned_count < LAB_PLAN_MAX)
    planned[planned_count] = *write;
  planned_count++;
  return false;
}

static unsigned plan_left(void *context)
{
  (void)context;
  return pool_count() - lab_tables_used();
}

void lab_plan(bool on)
{
  planning = on;
  if (on)
    planned_count = 0;
}

unsigned lab_planned(const struct edit_write **writes)
{
  *writes = planned;
  return planned_count;
}

bool lab_planning(void)
{
  return planning;
}

const struct edit_tables *lab_tables(void)
{
  static unsigned given;
  static const struct edit_tables tables = {.take = pool_take, .give = pool_give, .write = entry_write, .left = pool_left};
  static const struct edit_tables plan = {.take = plan_take, .give = pool_give, .write = plan_write, .left = plan_left, .context = &given};
  given = 0;
  return planning ? &plan : &tables;
}

/* ---- tracking ---- */

static unsigned entries_of(unsigned level)
{
  return 1u << paging.format->level[level].index_bits;
}

static uint64_t entry_in(const uint8_t *table, unsigned index)
{
  if (paging.format->entry_bytes == 4)
    return ((const volatile uint32_t *)(const void *)table)[index];
  return ((const volatile uint64_t *)(const void *)table)[index];
}

static bool present(uint64_t entry)
{
  return (entry & 1) != 0; /* P is bit 0 in every format */
}

static laddr_t entry_base(const struct tracked *t, unsigned index)
{
  return format_sign_extend(paging.format, t->base.v + ((uint64_t)index << paging.format->level[t->level].shift));
}

/* The kernel's own page tables change only by its own hand (windows), and are nobody's lesson. */
static bool kernels_own(unsigned level, laddr_t base)
{
  return level == paging.format->levels - 1u && base.v < machine_layout()->kernel_end;
}

/* The slot of the table at @p at. A table elsewhere than in the pool may take that of one which nothing refers to any more: a
 * paging-structure cache may still lead there, and what changes in it then is seen by nobody. */
static struct tracked *slot_for(paddr_t at)
{
  int index = pool_index(at);
  if (index >= 0)
    return &tracked[index];
  struct tracked *free_slot = NULL, *unreached = NULL;
  for (unsigned i = pool_count(); i < machine_layout()->shadow_count; i++) {
    if (tracked[i].used && tracked[i].at.v == at.v)
      return &tracked[i];
    if (!tracked[i].used)
      free_slot = &tracked[i];
    else if (!tracked[i].reached)
      unreached = &tracked[i];
  }
  if (free_slot)
    return free_slot;
  model_forget(lab_model_change());
  if (unreached)
    unreached->used = false;
  return unreached;
}

/* Where the shadow's zeros can begin if entry number @p index is none of them: at a multiple of 8. */
static uint16_t end_with(unsigned index)
{
  return (uint16_t)(((index + 1) * paging.format->entry_bytes + 7) & ~7u);
}

/* A table's shadow starts as what is in it now, but for a table fresh from the pool, whose shadow is empty: all of it is news. */
static void adopt(struct tracked *t, unsigned level, paddr_t at, laddr_t base)
{
  unsigned index = (unsigned)(t - tracked);
  if (index >= pool_count() || !taken[index])
    memcpy(shadow(index), machine_physical(at), entries_of(level) * (size_t)paging.format->entry_bytes);
  *t = (struct tracked){.used = true, .level = (uint8_t)level, .at = at, .base = base};
  for (unsigned i = 0; i < entries_of(level); i++) {
    uint64_t entry = entry_in(shadow(index), i);
    model_found(lab_model_change(), entry);
    t->end = entry ? end_with(i) : t->end;
  }
}

static void track(unsigned level, paddr_t at, laddr_t base)
{
  uint8_t *memory = machine_physical(at);
  if (memory == NULL || kernels_own(level, base))
    return;
  struct tracked *t = slot_for(at);
  if (t == NULL || t->reached) /* reached: a recursive mapping leads here again */
    return;
  if (!t->used)
    adopt(t, level, at, base);
  t->reached = true;
  if (level + 1u == paging.format->levels)
    return;
  for (unsigned i = 0; i < entries_of(level); i++) {
    uint64_t entry = entry_in(memory, i);
    if (present(entry) && !format_is_leaf(&paging, level, entry))
      track(level + 1, format_address(&paging, level, entry), entry_base(t, i));
  }
}

/* What an earlier mode left in the pool means nothing now. */
static void pool_clear(void)
{
  for (unsigned i = 0; i < pool_count(); i++)
    memset(machine_physical(pool_page(i)), 0, PAGE_SIZE);
}

void lab_tables_init(void)
{
  pool_clear();
  memset(tracked, 0, sizeof tracked);
  memset(taken, 0, sizeof taken);
  memset(fresh, 0, sizeof fresh);
  if (paging.format != NULL)
    track_all();
}

void lab_tables_watch(void)
{
  track_all();
}

/* ---- the diff ---- */

struct reader {
  void (*each)(void *context, const struct lab_change *change);
  void *context;
  bool links_changed;
};

static void report(const struct tracked *t, unsigned index, uint64_t before, uint64_t after, struct reader *reader)
{
  struct lab_change change = {.va = entry_base(t, index),
                              .level = t->level,
                              .watched = t->seen && (pool_index(t->at) >= 0 || t->at.v == machine_layout()->root.v),
                              .at = paddr(t->at.v + (uint64_t)index * paging.format->entry_bytes),
                              .before = before,
                              .after = after};
  if (t->level + 1u < paging.format->levels)
    reader->links_changed = true;
  model_saw(lab_model_change(), change.at, before, after);
  reader->each(reader->context, &change);
}

/* Compares the entries of one machine word: two, where entries are half as wide. */
static void compare_word(struct tracked *t, uint8_t *past, const uint8_t *now, unsigned first, struct reader *reader)
{
  unsigned bytes = paging.format->entry_bytes;
  for (unsigned index = first; index * bytes < first * bytes + sizeof(uintptr_t) && index < entries_of(t->level); index++) {
    uint64_t before = entry_in(past, index), after = entry_in(now, index);
    if (before == after)
      continue;
    memcpy(past + (size_t)index * bytes, &after, bytes);
    t->end = t->end > end_with(index) ? t->end : end_with(index);
    report(t, index, before, after, reader);
  }
}

/* Tables are mostly zeros, and of those only the table is read: each word must be as the one before it. */
static bool unchanged(const struct tracked *t, const uint8_t *past, const uint8_t *now, unsigned bytes)
{
  const uint8_t *zeros = now + t->end;
  if (memcmp(now, past, t->end) != 0)
    return false;
  return t->end == bytes || (*(const uint64_t *)(const void *)zeros == 0 && memcmp(zeros, zeros + 8, bytes - t->end - 8u) == 0);
}

static void compare(struct tracked *t, struct reader *reader)
{
  uint8_t *past = shadow((unsigned)(t - tracked));
  const uint8_t *now = machine_physical(t->at);
  unsigned bytes = entries_of(t->level) * paging.format->entry_bytes;
  if (now == NULL || unchanged(t, past, now, bytes)) /* nearly always */
    return;
  /* Look at machine words first, and at entries only where a word differs. */
  for (unsigned at = 0; at < bytes; at += sizeof(uintptr_t))
    if (*(const volatile uintptr_t *)(const void *)(now + at) != *(const uintptr_t *)(const void *)(past + at))
      compare_word(t, past, now, at / paging.format->entry_bytes, reader);
}

/* The numbers of those in use, which are few. */
static unsigned tracked_used(uint8_t numbers[TRACKED_MAX])
{
  unsigned used = 0;
  for (unsigned i = 0; i < TRACKED_MAX; i++)
    if (tracked[i].used)
      numbers[used++] = (uint8_t)i;
  return used;
}

static void compare_level(unsigned level, const uint8_t *numbers, unsigned used, struct reader *reader)
{
  for (unsigned i = 0; i < used; i++) {
    struct tracked *t = &tracked[numbers[i]];
    if (t->level != level)
      continue;
    compare(t, reader);
    t->seen = true;
  }
}

static bool refers(const struct tracked *t, paddr_t at)
{
  const uint8_t *memory = machine_physical(t->at);
  for (unsigned i = 0; memory && t->level + 1u < paging.format->levels && i < entries_of(t->level); i++) {
    uint64_t entry = entry_in(memory, i);
    if (present(entry) && !format_is_leaf(&paging, t->level, entry) &&
        format_address(&paging, t->level, entry).v >> PAGE_SHIFT == at.v >> PAGE_SHIFT)
      return true;
  }
  return false;
}

bool lab_tables_refer(paddr_t at)
{
  for (unsigned i = 0; i < TRACKED_MAX; i++)
    if (tracked[i].used && refers(&tracked[i], at))
      return true;
  return false;
}

void lab_diff(void (*each)(void *context, const struct lab_change *change), void *context)
{
  struct reader reader = {.each = each, .context = context};
  if (paging.format == NULL)
    return;
  uint8_t numbers[TRACKED_MAX];
  unsigned used = tracked_used(numbers);
  /* By level, so that a new table is told of before what is in it. Links that changed may lead to tables not yet tracked. */
  for (unsigned level = 0; level < paging.format->levels; level++) {
    reader.links_changed = false;
    compare_level(level, numbers, used, &reader);
    if (!reader.links_changed)
      continue;
    track_all();
    used = tracked_used(numbers);
  }
}
