#include "paging/model.h"

#include <string.h>

/* The keys of PDPTE registers, and of what they may have been instead: + 8 x the register's number. Physical addresses have at most 52
 * bits. */
#define KEY_LATCH (1ULL << 60)
#define KEY_MAYBE (1ULL << 61)

#define ENTRY_P 1u
#define ENTRY_A (1u << 5)
#define ENTRY_G (1u << 8)

#define FOREVER (~0ULL)
#define BUDGET 3000 /* entry values to try for one address; only hundreds of changes at several levels take more */

/* ---- what was ---- */

static unsigned chain_of(uint64_t key)
{
  return (unsigned)(((key >> 2) ^ (key >> 11) ^ (key >> 56)) % MODEL_CHAINS);
}

static const struct model_past *past_at(const struct model *m, int32_t index)
{
  return index < 0 ? NULL : &m->past[index];
}

static const struct model_past *past_of(const struct model *m, const struct model_past *past, uint64_t key)
{
  while (past && past->key != key)
    past = past_at(m, past->next);
  return past;
}

static const struct model_past *past_first(const struct model *m, uint64_t key)
{
  return past_of(m, past_at(m, m->chain[chain_of(key)]), key);
}

static const struct model_past *past_next(const struct model *m, const struct model_past *past)
{
  return past_of(m, past_at(m, past->next), past->key);
}

/* The oldest of all makes room. It stands at the end of its chain. */
static void forget(struct model *m, const struct model_past *oldest)
{
  int32_t *link = &m->chain[chain_of(oldest->key)];
  while (&m->past[*link] != oldest)
    link = &m->past[*link].next;
  *link = -1;
  if (oldest->to > m->forgotten)
    m->forgotten = oldest->to;
}

static void remember(struct model *m, uint64_t key, uint64_t value)
{
  const struct model_past *last = past_first(m, key);
  uint64_t from = last ? last->to : 0;
  struct model_past *past = &m->past[m->pasts % MODEL_PASTS];
  if (m->pasts >= MODEL_PASTS)
    forget(m, past);
  int32_t *chain = &m->chain[chain_of(key)];
  *past = (struct model_past){.key = key, .value = value, .from = from, .to = m->now, .command = m->command, .next = *chain};
  *chain = (int32_t)(m->pasts % MODEL_PASTS);
  m->pasts++;
  m->newest = m->now;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
  return a < b ? a : b;
}

/* Whether anything can have been cached from an entry with this value. A PDPTE register has no A flag. Where it is remembered that a page
 * was not present, the entries above it need not have been marked as accessed. */
static bool cacheable(const struct model *m, uint64_t value, bool has_a)
{
  if (m->vendor == RULE_CYRIX)
    return true;
  return value & ENTRY_P && (!has_a || value & ENTRY_A);
}

#define PDPTE_COUNTS (~(uint64_t)(PAGE_SIZE - 1) | ENTRY_P) /* the address and P; the rest is ignored, or reserved */

static bool pdpte_differs(uint64_t a, uint64_t b)
{
  return ((a ^ b) & PDPTE_COUNTS) != 0;
}

/* On AMD's CPUs a PDPTE may count as it is in memory. */
static void pdpte_wrote(struct model *m, unsigned index, uint64_t before, uint64_t after)
{
  m->now++;
  if (pdpte_differs(before, after) && cacheable(m, before, false))
    remember(m, KEY_MAYBE + 8 * index, before);
  m->maybe[index] = after;
}

void model_wrote(struct model *m, paddr_t at, uint64_t before, uint64_t after)
{
  uint64_t in_root = at.v - m->root;
  model_found(m, before | after);
  if (m->latches && m->vendor == RULE_AMD && in_root < 8 * 4 && before != after)
    pdpte_wrote(m, (unsigned)in_root / 8, before, after);
  if (before == after || !cacheable(m, before, true))
    return;
  m->now++;
  remember(m, at.v, before);
}

void model_saw(struct model *m, paddr_t at, uint64_t before, uint64_t after)
{
  const struct model_past *past = past_first(m, at.v);
  while (past && past->command == m->command && past->value != before)
    past = past_next(m, past);
  if (past == NULL || past->command != m->command)
    model_wrote(m, at, before, after);
}

void model_found(struct model *m, uint64_t entry)
{
  if (entry & ENTRY_G)
    m->globals = true;
}

void model_command(struct model *m, uint32_t command)
{
  m->command = command;
}

/* ---- what must be gone ---- */

static const struct model_drop *later(const struct model_drop *a, const struct model_drop *b, enum rule_operation ignored)
{
  bool counts = ignored != MODEL_NO_DROPS && (b->operation != ignored || b->operation == OPERATION_NONE);
  return counts && b->time > a->time ? b : a;
}

static struct model_context *context_of(struct model *m, uint16_t pcid)
{
  for (unsigned i = 0; i < MODEL_CONTEXTS; i++)
    if (m->context[i].used && m->context[i].pcid == pcid)
      return &m->context[i];
  /* Forgetting that a context was dropped only permits more. */
  struct model_context *c = &m->context[m->next_context++ % MODEL_CONTEXTS];
  *c = (struct model_context){.used = true, .pcid = pcid};
  return c;
}

static const struct model_context *context_find(const struct model *m, uint16_t pcid)
{
  static const struct model_context none;
  for (unsigned i = 0; i < MODEL_CONTEXTS; i++)
    if (m->context[i].used && m->context[i].pcid == pcid)
      return &m->context[i];
  return &none;
}

/* Whether dropping the page dropped a translation of @p va by a page of 1 << @p shift bytes. SDM, Details of TLB Use: where the tables map
 * the address by a large page, all its fragments go; translations by smaller pages that were there before are none of its fragments, and
 * of a larger page that was there before, other fragments may have stayed. */
static bool covers(const struct model_page *p, laddr_t va, unsigned shift)
{
  unsigned both = p->shift < shift ? p->shift : shift;
  return p->used && p->va.v >> both == va.v >> both;
}

static unsigned pages_used(const struct model *m)
{
  return m->next_page < MODEL_PAGES ? m->next_page : MODEL_PAGES;
}

struct model_drop model_dropped(const struct model *m, laddr_t va, bool global, unsigned shift, enum rule_operation ignored)
{
  static const struct model_drop never;
  const struct model_drop *last = later(&never, &m->all, ignored);
  if (!global)
    last = later(later(last, &m->nonglobal, ignored), &context_find(m, m->pcid)->tlb, ignored);
  for (unsigned i = 0; i < pages_used(m); i++) {
    const struct model_page *p = &m->page[i];
    if (covers(p, va, shift) && (global ? p->globals : p->pcid == m->pcid))
      last = later(last, &p->drop, ignored);
  }
  return *last;
}

static uint64_t dropped_caches(const struct model *m, laddr_t va, enum rule_operation ignored)
{
  static const struct model_drop never;
  const struct model_drop *last = later(later(&never, &m->all, ignored), &m->nonglobal, ignored);
  last = later(last, &context_find(m, m->pcid)->caches, ignored);
  for (unsigned i = 0; i < pages_used(m); i++) {
    const struct model_page *p = &m->page[i];
    if (p->caches_only_here && p->pcid == m->pcid && covers(p, va, PAGE_SHIFT))
      last = later(last, &p->drop, ignored);
  }
  return last->time;
}

/* A global translation may be made under another PCID, by a walk that starts from that one's paging-structure caches. */
static uint64_t caches_anywhere(const struct model *m, enum rule_operation ignored)
{
  static const struct model_drop never;
  return later(later(&never, &m->all, ignored), &m->nonglobal, ignored)->time;
}

/* A page that was dropped before is written over first; else the oldest, which only permits more. */
static struct model_page *page_slot(struct model *m, const struct model_page *wanted)
{
  for (unsigned i = 0; i < pages_used(m); i++) {
    struct model_page *p = &m->page[i];
    bool same = p->va.v == wanted->va.v && p->shift == wanted->shift && p->pcid == wanted->pcid && p->globals == wanted->globals &&
                p->caches_only_here == wanted->caches_only_here;
    if (p->used && same)
      return p;
  }
  return &m->page[m->next_page++ % MODEL_PAGES];
}

/* How large the page at @p va is, as the CPU sees it: through its PDPTE registers, where there are any. */
static unsigned page_shift(const struct model *m, const struct walk *walk, const struct format *format)
{
  bool by_latch = format && format->root_latched && walk->steps > 0;
  if (walk->end != WALK_MAPPED || (by_latch && pdpte_differs(walk->step[0].entry, m->latch[walk->step[0].index])))
    return PAGE_SHIFT;
  return walk->shift;
}

static void drop_page(struct model *m, const struct paging *paging, const struct rule *rule, laddr_t va, uint16_t pcid)
{
  struct walk walk = walk_run(paging, va);
  if (walk.end == WALK_NOT_CANONICAL)
    return;
  unsigned shift = pcid == m->pcid ? page_shift(m, &walk, paging->format) : PAGE_SHIFT; /* what its own tables say is not known */
  const struct model_page page = {.used = true,
                                  .globals = rule->globals,
                                  .shift = (uint8_t)shift,
                                  .pcid = pcid,
                                  .va = laddr(va.v & ~address_mask(PAGE_SHIFT)),
                                  .caches_only_here = rule->caches == SCOPE_PAGE,
                                  .drop = {m->now, m->command, rule->operation}};
  *page_slot(m, &page) = page;
}

/* An operation that is said to drop global translations of one PCID drops those of that PCID only, and others may be used under it: so
 * for them it counts only while there is but one PCID. */
static void drop(struct model *m, const struct paging *paging, const struct rule *rule, laddr_t va, uint16_t pcid)
{
  const struct model_drop drop = {m->now, m->command, rule->operation};
  bool everything = rule->globals && !m->pcide;
  if (rule->tlb == SCOPE_PAGE)
    drop_page(m, paging, rule, va, pcid);
  if (rule->tlb == SCOPE_CONTEXT)
    *(everything ? &m->all : &context_of(m, pcid)->tlb) = drop;
  if (rule->tlb == SCOPE_ALL)
    *(rule->globals ? &m->all : &m->nonglobal) = drop;
  if (rule->caches == SCOPE_CONTEXT)
    context_of(m, pcid)->caches = drop;
}

/* ---- what else entries mean by ---- */

static uint64_t pdpte_read(const struct paging *paging, unsigned index)
{
  uint64_t value;
  return machine_entry_read(paddr(paging->root.v + 8 * index), 8, &value) ? value : 0;
}

static void latch(struct model *m, const struct paging *paging)
{
  m->latches = paging->format && paging->format->root_latched;
  for (unsigned i = 0; i < 4 && m->latches; i++) {
    uint64_t value = pdpte_read(paging, i);
    if (pdpte_differs(value, m->latch[i]) && cacheable(m, m->latch[i], false))
      remember(m, KEY_LATCH + 8 * i, m->latch[i]);
    if (pdpte_differs(m->maybe[i], m->latch[i]) && cacheable(m, m->maybe[i], false))
      remember(m, KEY_MAYBE + 8 * i, m->maybe[i]);
    m->latch[i] = m->maybe[i] = value;
  }
}

void model_may_have_latched(struct model *m, const struct paging *paging)
{
  for (unsigned i = 0; i < 4 && m->latches; i++) {
    uint64_t value = pdpte_read(paging, i);
    if (pdpte_differs(m->maybe[i], m->latch[i]) && pdpte_differs(m->maybe[i], value)) /* a third possibility is one too many */
      m->forgotten = ++m->now;
    m->maybe[i] = value;
  }
}

/* Nothing that is cached can be older than the last full drop. */
static void forget_regimes(struct model *m)
{
  while (m->regimes > 1 && m->regime[m->regimes - 2].from <= m->all.time)
    m->regimes--;
}

void model_operation(struct model *m, const struct paging *paging, enum rule_operation operation, laddr_t va, uint16_t pcid)
{
  const struct rule *rule = rules_of_operation(operation, m->vendor);
  m->now++;
  if (rule->latches)
    latch(m, paging);
  model_conditions(m, paging); /* what is dropped was made under the old ones */
  m->now++;
  drop(m, paging, rule, va, pcid);
  forget_regimes(m);
}

void model_forget(struct model *m)
{
  m->forgotten = ++m->now;
}

static void remember_root(struct model *m)
{
  struct model_past *old = &m->old_root[m->old_roots++ % MODEL_ROOTS];
  if (old->to > m->forgotten)
    m->forgotten = old->to;
  *old = (struct model_past){.key = m->pcid, .value = m->root, .from = m->root_from, .to = m->now, .command = m->command, .next = -1};
  m->newest = m->now;
}

void model_root(struct model *m, const struct paging *paging, bool pcide, uint16_t pcid)
{
  m->pcide = pcide;
  if (paging->root.v == m->root && pcid == m->pcid)
    return;
  m->now++;
  remember_root(m);
  m->root = paging->root.v;
  m->root_from = m->now;
  m->pcid = pcid;
}

void model_conditions(struct model *m, const struct paging *paging)
{
  if (m->regimes && m->regime[0].conditions == paging->conditions)
    return;
  m->now++;
  m->newest = m->now;
  if (m->regimes == MODEL_REGIMES) {
    m->forgotten = m->now;
    m->regimes--;
  }
  memmove(&m->regime[1], &m->regime[0], m->regimes * sizeof m->regime[0]);
  m->regime[0].conditions = paging->conditions;
  m->regime[0].from = m->regimes ? m->now : 0;
  m->regimes++;
}

void model_init(struct model *m, unsigned vendor, const struct paging *paging)
{
  memset(m, 0, sizeof *m);
  memset(m->chain, 0xff, sizeof m->chain);
  m->now = 1;
  m->vendor = vendor;
  m->root = paging->root.v;
  latch(m, paging);
  m->pasts = 0;
  memset(m->chain, 0xff, sizeof m->chain);
  model_conditions(m, paging);
  m->all.time = ++m->now;
}

/* ---- the paths ---- */

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

static void try_pasts(const struct search *s, const struct trail *trail, paddr_t table, const struct model_past *past)
{
  for (; past; past = past_next(s->m, past)) {
    const struct value old = {.value = past->value, .from = past->from, .to = past->to, .past = past};
    try_value(s, trail, table, &old);
  }
}

/* The PDPTE register, and whatever may be in its place. */
static void try_pdpte(const struct search *s, const struct trail *trail, paddr_t table, unsigned index)
{
  const struct model *m = s->m;
  uint64_t in_memory = pdpte_read(&s->paging, index);
  const struct model_past *past = past_first(m, KEY_LATCH + 8 * index);
  struct value now = {.value = m->latch[index], .from = past ? past->to : 0, .to = FOREVER};
  struct value other = {.value = m->maybe[index], .to = FOREVER};
  now.fresh = !pdpte_differs(now.value, in_memory);
  other.fresh = !pdpte_differs(other.value, in_memory);
  try_value(s, trail, table, &now);
  if (pdpte_differs(now.value, other.value))
    try_value(s, trail, table, &other);
  try_pasts(s, trail, table, past);
  try_pasts(s, trail, table, past_first(m, KEY_MAYBE + 8 * index));
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
  const struct model_past *past = past_first(s->m, key);
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
  path->cached = path->cached && cacheable(s->m, value->value, has_a);
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
  uint64_t global = globals && m->pcide ? earliest(caches_anywhere(m, ignored), s.leaf_from) : s.leaf_from;
  bool complete = m->forgotten <= global;
  if (m->newest <= global && m->regimes == 1 && !paging->format->root_latched) {
    only_path(&s, now);
    return complete;
  }
  uint64_t caches = latest(tlb, dropped_caches(m, va, ignored));
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
