#include "paging/model_private.h"

#include <string.h>

#define ENTRY_P 1u
#define ENTRY_A (1u << 5)
#define ENTRY_G (1u << 8)

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

const struct model_past *model_past_first(const struct model *m, uint64_t key)
{
  return past_of(m, past_at(m, m->chain[chain_of(key)]), key);
}

const struct model_past *model_past_next(const struct model *m, const struct model_past *past)
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
  const struct model_past *last = model_past_first(m, key);
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

/* Whether anything can have been cached from an entry with this value. A PDPTE register has no A flag. Where it is remembered that a page
 * was not present, the entries above it need not have been marked as accessed. */
bool model_cacheable(const struct model *m, uint64_t value, bool has_a)
{
  if (m->vendor == RULE_CYRIX)
    return true;
  return value & ENTRY_P && (!has_a || value & ENTRY_A);
}

#define PDPTE_COUNTS (~(uint64_t)(PAGE_SIZE - 1) | ENTRY_P) /* the address and P; the rest is ignored, or reserved */

bool model_pdpte_differs(uint64_t a, uint64_t b)
{
  return ((a ^ b) & PDPTE_COUNTS) != 0;
}

/* On AMD's CPUs a PDPTE may count as it is in memory. */
static void pdpte_wrote(struct model *m, unsigned index, uint64_t before, uint64_t after)
{
  m->now++;
  if (model_pdpte_differs(before, after) && model_cacheable(m, before, false))
    remember(m, KEY_MAYBE + 8 * index, before);
  m->maybe[index] = after;
}

void model_wrote(struct model *m, paddr_t at, uint64_t before, uint64_t after)
{
  uint64_t in_root = at.v - m->root;
  model_found(m, before | after);
  if (m->latches && m->vendor == RULE_AMD && in_root < 8 * 4 && before != after)
    pdpte_wrote(m, (unsigned)in_root / 8, before, after);
  /* Nothing is cached from a value that is not present. It counts only while entries have meant something else: then it is what keeps the
   * value behind it from having been read under the old meaning. (Of one without A that cannot be said: when the CPU sets A nobody sees.)
   */
  bool bounds = m->regimes > 1 && !(before & ENTRY_P);
  if (before == after || (!bounds && !model_cacheable(m, before, true)))
    return;
  m->now++;
  remember(m, at.v, before);
}

void model_saw(struct model *m, paddr_t at, uint64_t before, uint64_t after)
{
  const struct model_past *past = model_past_first(m, at.v);
  while (past && past->command == m->command && past->value != before)
    past = model_past_next(m, past);
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

uint64_t model_dropped_caches(const struct model *m, laddr_t va, enum rule_operation ignored)
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
uint64_t model_dropped_anywhere(const struct model *m, enum rule_operation ignored)
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
  if (walk->end != WALK_MAPPED || (by_latch && model_pdpte_differs(walk->step[0].entry, m->latch[walk->step[0].index])))
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

uint64_t model_pdpte_read(const struct paging *paging, unsigned index)
{
  uint64_t value;
  return machine_entry_read(paddr(paging->root.v + 8 * index), 8, &value) ? value : 0;
}

static void latch(struct model *m, const struct paging *paging)
{
  m->latches = paging->format && paging->format->root_latched;
  for (unsigned i = 0; i < 4 && m->latches; i++) {
    uint64_t value = model_pdpte_read(paging, i);
    if (model_pdpte_differs(value, m->latch[i]) && model_cacheable(m, m->latch[i], false))
      remember(m, KEY_LATCH + 8 * i, m->latch[i]);
    if (model_pdpte_differs(m->maybe[i], m->latch[i]) && model_cacheable(m, m->maybe[i], false))
      remember(m, KEY_MAYBE + 8 * i, m->maybe[i]);
    m->latch[i] = m->maybe[i] = value;
  }
}

void model_may_have_latched(struct model *m, const struct paging *paging)
{
  for (unsigned i = 0; i < 4 && m->latches; i++) {
    uint64_t value = model_pdpte_read(paging, i);
    if (model_pdpte_differs(m->maybe[i], m->latch[i]) && model_pdpte_differs(m->maybe[i], value)) /* a third possibility is one too many */
      m->forgotten = ++m->now;
    m->maybe[i] = value;
  }
}

/* Nothing that is cached can be older than the last full drop. The oldest regime that is left stands for those before it, for whoever asks
 * what there would be without that drop. */
static void forget_regimes(struct model *m)
{
  while (m->regimes > 1 && m->regime[m->regimes - 2].from <= m->all.time)
    m->regimes--;
  m->regime[m->regimes - 1].from = 0;
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
