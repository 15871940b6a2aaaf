/* The search for paths: every way in which an address can be translated by values that its entries had. */
#include "paging/model_private.h"

#define FOREVER (~0ULL)
#define BUDGET 3000 /* entry values to try for one address; only hundreds of changes at several levels take more */

struct search {
  const struct model *m;
  enum rule_operation ignored;
  struct paging paging; /* with the conditions of the regime that is being looked at */
  uint64_t from, to;    /* all entries of a path were read at from <= t < to */
  uint64_t leaf_from;   /* ... and the last one not before this */
  bool walk;            /* the walk may be going on now; else only what a TLB has kept is wanted */
  bool global;          /* only global translations are wanted */
  unsigned *budget;     /* entries that may still be tried */
  void (*each)(void *context, const struct model_path *path);
  void *context;
};

/* How far a path has come. */
struct trail {
  struct model_path path; /* path.cached: everything so far may be in a cache */
  uint64_t time;          /* the earliest that its last entry can have been read */
  uint64_t end;           /* the first of its entries to change did so then: all were read before */
};

/* One value that an entry has or had. */
struct value {
  uint64_t value, from, to;
  const struct model_past *past; /* NULL: it has it now */
  bool fresh;                    /* ... in memory */
};

static uint64_t earliest(uint64_t a, uint64_t b)
{
  return a < b ? a : b;
}

static uint64_t latest(uint64_t a, uint64_t b)
{
  return a > b ? a : b;
}

static void step_into(const struct search *s, const struct trail *trail, paddr_t table, const struct value *value);

/* The first time from @p time on at which the PCID was in use: under no other is anything cached for it. */
static uint64_t in_use(const struct model *m, uint64_t time)
{
  uint64_t first = latest(time, m->root_from);
  for (unsigned i = 0; i < MODEL_ROOTS && m->old_roots > 0 && time < m->root_from; i++) {
    const struct model_past *old = &m->old_root[i];
    if (old->key == m->pcid && old->to > time && latest(time, old->from) < first)
      first = latest(time, old->from);
  }
  return first;
}

/* The first time at which the value can have been read while entries meant what they mean under regime number @p regime; FOREVER: never. */
static uint64_t time_under(const struct search *s, unsigned regime, const struct trail *trail, const struct value *value, uint64_t end)
{
  const struct model *m = s->m;
  uint64_t regime_end = regime ? m->regime[regime - 1].from : FOREVER;
  uint64_t time = latest(latest(trail->time, value->from), latest(s->from, m->regime[regime].from));
  time = s->global ? time : in_use(m, time);
  return time < end && time < regime_end ? time : FOREVER;
}

static bool tried_before(const struct model *m, unsigned regime)
{
  for (unsigned i = 0; i < regime; i++)
    if (m->regime[i].conditions == m->regime[regime].conditions)
      return true;
  return false;
}

/* Tries the value with each meaning that it can have had. Of several regimes with one meaning the earliest permits most. */
static void try_value(const struct search *s, const struct trail *trail, paddr_t table, const struct value *value)
{
  const struct model *m = s->m;
  uint64_t end = value->to < s->to ? value->to : s->to;
  for (unsigned regime = 0; regime < m->regimes; regime++) {
    struct trail on = *trail;
    struct search under = *s;
    if (tried_before(m, regime))
      continue;
    on.time = FOREVER;
    for (unsigned i = regime; i < m->regimes; i++) {
      uint64_t time = m->regime[i].conditions == m->regime[regime].conditions ? time_under(s, i, trail, value, end) : FOREVER;
      on.time = time < on.time ? time : on.time;
    }
    if (on.time == FOREVER)
      continue;
    on.end = end < on.end ? end : on.end;
    under.paging.conditions = m->regime[regime].conditions;
    under.walk = s->walk && regime == 0;
    on.path.fresh = on.path.fresh && regime == 0;
    step_into(&under, &on, table, value);
  }
}

/* The latest comes first: behind one that was over when the search begins, all were. */
static void try_pasts(const struct search *s, const struct trail *trail, paddr_t table, const struct model_past *past)
{
  for (; past && past->to > s->from; past = model_past_next(s->m, past)) {
    const struct value old = {.value = past->value, .from = past->from, .to = past->to, .past = past};
    try_value(s, trail, table, &old);
  }
}

/* The PDPTE register, and whatever may be in its place. */
static void try_pdpte(const struct search *s, const struct trail *trail, paddr_t table, unsigned index)
{
  const struct model *m = s->m;
  uint64_t in_memory = model_pdpte_read(&s->paging, index);
  const struct model_past *past = model_past_first(m, KEY_LATCH + 8 * index);
  struct value now = {.value = m->latch[index], .from = past ? past->to : 0, .to = FOREVER};
  struct value other = {.value = m->maybe[index], .to = FOREVER};
  now.fresh = !model_pdpte_differs(now.value, in_memory);
  other.fresh = !model_pdpte_differs(other.value, in_memory);
  try_value(s, trail, table, &now);
  if (model_pdpte_differs(now.value, other.value))
    try_value(s, trail, table, &other);
  try_pasts(s, trail, table, past);
  try_pasts(s, trail, table, model_past_first(m, KEY_MAYBE + 8 * index));
}

/* Every value that the entry of @p va in @p table can have been read with. */
static void try_entry(const struct search *s, const struct trail *trail, paddr_t table)
{
  unsigned level = trail->path.walk.steps, bytes = s->paging.format->entry_bytes;
  unsigned index = format_index(s->paging.format, level, trail->path.walk.va);
  if (level == 0 && s->paging.format->root_latched) {
    try_pdpte(s, trail, table, index);
    return;
  }
  uint64_t key = table.v + (uint64_t)index * bytes;
  const struct model_past *past = model_past_first(s->m, key);
  struct value now = {.from = past ? past->to : 0, .to = FOREVER, .fresh = true};
  if (machine_entry_read(paddr(key), bytes, &now.value))
    try_value(s, trail, table, &now);
  try_pasts(s, trail, table, past);
}

/* An INVLPG elsewhere in a large page drops its translation here too. What that has left of paging-structure caches, under other PCIDs,
 * may have led to the page again, as long as its own entry was there. */
static bool outlived(const struct search *s, const struct trail *trail, const struct value *value)
{
  uint64_t end = s->global && s->m->pcide ? value->to : trail->end;
  const struct walk *walk = &trail->path.walk;
  if (walk->end != WALK_MAPPED || walk->shift == PAGE_SHIFT)
    return true;
  return model_dropped(s->m, walk->va, s->global, walk->shift, s->ignored).time < end;
}

static bool all_used(const struct paging *paging, const struct walk *walk)
{
  for (unsigned i = 0; i < walk->steps; i++)
    if (format_mask(paging, i, walk->step[i].entry, ROLE_A) & ~walk->step[i].entry)
      return false;
  return true;
}

/* The path's end, of whatever kind. What is not present, reserved or refused is found by a walk now, or not at all. */
static void finish(const struct search *s, struct trail *trail, const struct value *value)
{
  struct model_path *path = &trail->path;
  bool absent = path->walk.end == WALK_NOT_PRESENT && s->m->vendor == RULE_CYRIX;
  bool mapped = path->walk.end == WALK_MAPPED && all_used(&s->paging, &path->walk);
  path->walked = s->walk && value->past == NULL;
  path->cached = path->cached && (mapped || absent) && outlived(s, trail, value);
  bool wanted = path->walked || path->cached;
  if (s->global)
    wanted = path->cached && path->walk.global && s->leaf_from < value->to;
  if (wanted)
    s->each(s->context, path);
}

static void step_into(const struct search *s, const struct trail *trail, paddr_t table, const struct value *value)
{
  struct trail on = *trail;
  struct model_path *path = &on.path;
  unsigned level = path->walk.steps;
  if (*s->budget == 0)
    return;
  --*s->budget;
  bool has_a = format_mask(&s->paging, level, value->value, ROLE_A) != 0;
  path->cached = path->cached && model_cacheable(s->m, value->value, has_a);
  path->fresh = path->fresh && value->fresh;
  if (value->past) {
    path->pasts |= (uint8_t)(1u << level);
    path->past = value->past;
    path->past_level = (uint8_t)level;
    if (!path->cached) /* an entry that has changed can only come from a cache, which needs those above it too */
      return;
  }
  if (walk_enter(&s->paging, &path->walk, table, value->value))
    try_entry(s, &on, format_address(&s->paging, level, value->value));
  else
    finish(s, &on, value);
}

/* The roots that CR3 has named before: under this PCID, or, for global translations, under any. In PAE paging the registers stand
 * between, and have their own past. */
static void try_old_roots(const struct search *s, struct trail *trail)
{
  const struct model *m = s->m;
  trail->path.fresh = false;
  trail->path.past_level = MODEL_ROOT;
  for (unsigned i = 0; i < MODEL_ROOTS && !s->paging.format->root_latched; i++) {
    const struct model_past *old = &m->old_root[i];
    bool wanted = old->to > s->from && (s->global || old->key == m->pcid) && old->value != s->paging.root.v;
    trail->path.past = old;
    trail->time = latest(s->from, old->from);
    if (wanted)
      try_entry(s, trail, paddr(old->value));
  }
}

static void search(struct search *s, laddr_t va, uint64_t from, uint64_t to, bool walk, bool global)
{
  struct trail trail = {.path = {.fresh = true, .cached = true}, .time = from, .end = FOREVER};
  s->from = from;
  s->to = to;
  s->walk = walk;
  s->global = global;
  if (from >= to || !walk_begin(&s->paging, va, &trail.path.walk))
    return;
  try_entry(s, &trail, s->paging.root);
  if (s->m->old_roots > 0)
    try_old_roots(s, &trail);
}

/* Nearly always nothing on the way has another value than it ever had since the last drop: then there is but the one path. */
static void only_path(const struct search *s, const struct walk *now)
{
  struct model_path path = {.walk = *now, .fresh = true, .walked = true};
  path.cached = now->end == WALK_MAPPED && all_used(&s->paging, now);
  if (now->end != WALK_NO_MEMORY)
    s->each(s->context, &path);
}

bool model_paths(const struct model *m, const struct paging *paging, const struct walk *now, enum rule_operation ignored,
                 void (*each)(void *context, const struct model_path *path), void *context)
{
  unsigned budget = BUDGET;
  struct search s = {.m = m, .ignored = ignored, .paging = *paging, .budget = &budget, .each = each, .context = context};
  laddr_t va = now->va;
  bool globals = m->globals && paging->conditions & CONDITION_PGE;
  uint64_t tlb = model_dropped(m, va, false, PAGE_SHIFT, ignored).time;
  s.leaf_from = globals ? model_dropped(m, va, true, PAGE_SHIFT, ignored).time : tlb;
  uint64_t global = globals && m->pcide ? earliest(model_dropped_anywhere(m, ignored), s.leaf_from) : s.leaf_from;
  bool complete = m->forgotten <= global;
  if (m->newest <= global && m->regimes == 1 && !paging->format->root_latched) {
    only_path(&s, now);
    return complete;
  }
  uint64_t caches = latest(tlb, model_dropped_caches(m, va, ignored));
  /* What a walk now finds, or a TLB has from a walk since the paging-structure caches were dropped last; */
  search(&s, va, caches, FOREVER, true, false);
  /* what a TLB has kept from before that; */
  if (m->newest > tlb)
    search(&s, va, tlb, caches, false, false);
  /* and global translations, from any address space. */
  if (globals && m->newest > global)
    search(&s, va, global, FOREVER, false, true);
  return complete && budget > 0;
}
