#include "paging/predict.h"

#include <string.h>

struct collector {
  const struct model *model;
  const struct paging *paging;
  struct prediction *prediction;
};

/* ---- outcomes ---- */

static bool same(const struct predict_outcome *a, const struct predict_outcome *b)
{
  if (a->fault != b->fault)
    return false;
  return a->fault ? a->vector == b->vector && a->error == b->error : a->pa.v == b->pa.v;
}

/* Of two ways to one outcome, the one that the tables ask for tells most; then the one that a walk takes; then the latest. */
static void merge(struct predict_outcome *into, const struct predict_outcome *other)
{
  bool walked = into->walked || other->walked, cached = into->cached || other->cached;
  uint8_t pasts = into->pasts | other->pasts;
  bool newer = other->from_past && into->from_past && other->past.to > into->past.to && other->walked == into->walked;
  bool better = (other->fresh && !into->fresh) || ((newer || (other->walked && !into->walked)) && !into->fresh);
  if (better)
    *into = *other;
  into->walked = walked;
  into->cached = cached;
  into->pasts = pasts;
}

static void add(struct prediction *p, const struct predict_outcome *outcome)
{
  for (unsigned i = 0; i < p->count; i++)
    if (same(&p->outcome[i], outcome)) {
      merge(&p->outcome[i], outcome);
      return;
    }
  if (p->count == PREDICT_MAX) {
    p->complete = false;
    return;
  }
  p->outcome[p->count++] = *outcome;
}

static struct predict_outcome outcome_of(const struct model_path *path)
{
  struct predict_outcome outcome = {.fresh = path->fresh, .walk = path->walk, .pa = path->walk.pa, .pasts = path->pasts};
  if (path->past) {
    outcome.from_past = true;
    outcome.past = *path->past;
    outcome.past_level = path->past_level;
  }
  return outcome;
}

/* Whether a cached translation lets a write through: only if D was 1 when it was cached. Otherwise the CPU walks, to set it. */
static bool dirty_enough(const struct collector *c, const struct model_path *path)
{
  const struct walk_step *leaf = walk_last(&path->walk);
  uint64_t d = format_mask(c->paging, leaf->level, leaf->entry, ROLE_D);
  return c->prediction->op != OP_WRITE || (leaf->entry & d) == d;
}

/* AMD's CPUs walk again before they refuse an access that the tables as they are may permit: no paging-structure cache counts then. */
static bool may_refuse(const struct collector *c, const struct model_path *path, uint32_t error)
{
  bool protection = error & PF_P && !(error & PF_RSVD);
  return c->model->vendor != RULE_AMD || !protection || path->past == NULL;
}

static void collect(void *context, const struct model_path *path)
{
  const struct collector *c = context;
  struct prediction *p = c->prediction;
  struct rights rights = rights_check(c->paging, &path->walk, p->op, p->cpl);
  struct predict_outcome outcome = outcome_of(path);
  bool absent = path->walk.end == WALK_NOT_PRESENT;
  outcome.fault = !rights.allowed;
  outcome.vector = rights.vector;
  outcome.error = rights.error;
  outcome.walked = path->walked && (rights.allowed || may_refuse(c, path, rights.error));
  outcome.cached = path->cached && (rights.allowed ? dirty_enough(c, path) : c->model->vendor != RULE_AMD || absent);
  if (outcome.walked || outcome.cached)
    add(p, &outcome);
}

/* ---- why each is permitted ---- */

static const char *rule_name(const struct model *model, const struct prediction *p, const struct predict_outcome *o)
{
  bool amd = model->vendor == RULE_AMD;
  if (o->fault && o->vector == VECTOR_GP)
    return "not-canonical";
  if (o->fresh)
    return p->count > 1 ? "tlb-may-drop" : "tables";
  if (!o->from_past) { /* the entries are as they were: a PDPTE register is not, or a control register has them mean something else */
    bool latched = model->latches && o->walked;
    return !latched ? "tlb-may-keep" : amd ? "pdptes-amd" : "pdptes";
  }
  if (o->fault && o->walk.end == WALK_NOT_PRESENT && !o->walked)
    return "not-present-kept";
  if (o->fault && !o->walked)
    return "spurious-fault";
  if (o->walked || o->past_level == MODEL_ROOT)
    return "structures-may-keep";
  /* No walk that is permitted now comes to it, whatever entry has changed: it can only be a finished translation. */
  if (o->walk.global && o->past.to <= model_dropped(model, p->va, false, o->walk.shift, MODEL_PERMITTED).time)
    return "global-may-keep";
  return "tlb-may-keep";
}

/* What the tables in memory say may come where the PDPTE registers say something else: then by the rule that lets them count at once. */
static void name_rules(const struct model *model, struct prediction *p)
{
  const struct rule *at_once = rules_named("pdptes-amd");
  bool latched = false;
  for (unsigned i = 0; i < p->count; i++) {
    p->outcome[i].rule = rules_named(rule_name(model, p, &p->outcome[i]));
    latched = latched || p->outcome[i].rule == at_once;
  }
  if (latched && p->outcome[0].fresh)
    p->outcome[0].rule = at_once;
}

static void fresh_first(struct prediction *p)
{
  for (unsigned i = 1; i < p->count; i++)
    if (p->outcome[i].fresh && !p->outcome[0].fresh) {
      const struct predict_outcome first = p->outcome[0];
      p->outcome[0] = p->outcome[i];
      p->outcome[i] = first;
    }
}

static void predict(const struct model *model, const struct paging *paging, const struct walk *now, enum rule_operation ignored,
                    struct prediction *p)
{
  struct collector c = {.model = model, .paging = paging, .prediction = p};
  p->count = 0;
  p->complete = true;
  if (!paging->format || now->end == WALK_NOT_CANONICAL) {
    const struct model_path path = {.walk = *now, .fresh = true, .walked = true};
    collect(&c, &path);
  } else if (!model_paths(model, paging, now, ignored, collect, &c)) {
    p->complete = false;
  }
  if (now->end == WALK_NO_MEMORY)
    p->complete = false;
  fresh_first(p);
  name_rules(model, p);
}

void predict_access(const struct model *model, const struct paging *paging, const struct walk *now, enum machine_op op, uint8_t cpl,
                    struct prediction *prediction)
{
  prediction->va = now->va;
  prediction->op = op;
  prediction->cpl = cpl;
  predict(model, paging, now, MODEL_PERMITTED, prediction);
}

void predict_ignoring(const struct model *model, const struct paging *paging, const struct prediction *of, enum rule_operation ignored,
                      struct prediction *prediction)
{
  const struct walk now = walk_run(paging, of->va);
  prediction->va = of->va;
  prediction->op = of->op;
  prediction->cpl = of->cpl;
  predict(model, paging, &now, ignored, prediction);
}

enum rule_class predict_class(const struct prediction *prediction, const struct predict_outcome *outcome)
{
  if (prediction->count == 1 && prediction->complete)
    return RULE_MUST;
  return outcome->rule->class == RULE_PLATFORM ? RULE_PLATFORM : RULE_MAY;
}

/* ---- what happened ---- */

const struct predict_outcome *predict_find_fault(const struct prediction *prediction, const struct machine_fault *fault)
{
  for (unsigned i = 0; i < prediction->count; i++) {
    const struct predict_outcome *o = &prediction->outcome[i];
    if (o->fault && o->vector == fault->vector && (!fault->has_error || o->error == fault->error))
      return o;
  }
  return NULL;
}

const struct predict_outcome *predict_find_page(const struct prediction *prediction, paddr_t pa)
{
  const uint64_t page = ~(uint64_t)(PAGE_SIZE - 1);
  for (unsigned i = 0; i < prediction->count; i++) {
    const struct predict_outcome *o = &prediction->outcome[i];
    if (!o->fault && (o->pa.v & page) == (pa.v & page))
      return o;
  }
  return NULL;
}

static struct predict_violation broken(const char *rule)
{
  return (struct predict_violation){.rule = rules_named(rule)};
}

struct happened {
  const struct machine_fault *fault;
  bool pa_known;
  paddr_t pa;
  bool flags; /* the page is right, but no walk has set its flags */
};

/* Whether it could have happened, through a cached translation, had operations of that kind dropped nothing. */
static bool explained(const struct model *model, const struct paging *paging, const struct prediction *prediction,
                      const struct happened *what, enum rule_operation ignored)
{
  static struct prediction without; /* too large for a kernel's stack */
  const struct predict_outcome *o = NULL;
  predict_ignoring(model, paging, prediction, ignored, &without);
  if (what->fault->raised)
    o = predict_find_fault(&without, what->fault);
  else if (what->pa_known)
    o = predict_find_page(&without, what->pa);
  return o && (what->flags ? o->cached : !o->fresh);
}

/* The operation that should have dropped the translation and did not: the most particular one comes first. */
static enum rule_operation undropped(const struct model *model, const struct paging *paging, const struct prediction *prediction,
                                     const struct happened *what)
{
  static const uint8_t particular_first[] =
    {OPERATION_PAGE_FAULT,  OPERATION_INVLPG,          OPERATION_INVPCID_ADDRESS,   OPERATION_MOV_CR3,
     OPERATION_TASK_SWITCH, OPERATION_INVPCID_CONTEXT, OPERATION_INVPCID_NONGLOBAL, OPERATION_INVPCID_ALL,
     OPERATION_CR4_SMEP,    OPERATION_CR4_PGE,         OPERATION_CR4_PSE,           OPERATION_CR4_PCIDE,
     OPERATION_CR0_PG};
  for (unsigned i = 0; i < sizeof particular_first; i++)
    if (explained(model, paging, prediction, what, (enum rule_operation)particular_first[i]))
      return (enum rule_operation)particular_first[i];
  return OPERATION_NONE;
}

/* The PDPTE registers forbid it, and the tables in memory ask for it: then the registers were not used, or loaded when they must not be. */
static bool by_memory(const struct paging *paging, const struct prediction *prediction, const struct happened *what)
{
  const struct walk walk = walk_run(paging, prediction->va);
  const struct rights rights = rights_check(paging, &walk, prediction->op, prediction->cpl);
  bool latched = false;
  for (unsigned i = 0; i < prediction->count; i++)
    latched = latched || prediction->outcome[i].rule == rules_named("pdptes");
  if (!latched || rights.allowed == what->fault->raised)
    return false;
  if (rights.allowed)
    return what->pa_known && walk.pa.v >> PAGE_SHIFT == what->pa.v >> PAGE_SHIFT;
  return rights.vector == what->fault->vector && rights.error == what->fault->error;
}

struct predict_violation predict_blame(const struct model *model, const struct paging *paging, const struct prediction *prediction,
                                       const struct machine_fault *fault, bool pa_known, paddr_t pa)
{
  const struct happened what = {.fault = fault, .pa_known = pa_known, .pa = pa};
  if (by_memory(paging, prediction, &what))
    return broken("pdptes");
  enum rule_operation operation = undropped(model, paging, prediction, &what);
  struct model_drop drop = model_dropped(model, prediction->va, false, PAGE_SHIFT, MODEL_PERMITTED);
  struct predict_violation v = {.drop = {.operation = (uint8_t)operation}};
  if (drop.operation == operation)
    v.drop = drop;
  v.rule = rules_of_operation(operation, model->vendor);
  if (operation != OPERATION_NONE)
    return v;
  if (explained(model, paging, prediction, &what, MODEL_NO_DROPS)) {
    v.drop = drop;
    v.rule = rules_of_operation((enum rule_operation)drop.operation, model->vendor);
    return v;
  }
  for (unsigned i = 0; i < prediction->count; i++) {
    const struct predict_outcome *p = &prediction->outcome[i];
    if (p->rule == rules_named("pdptes"))
      return broken("pdptes");
    if (fault->raised && p->fault && p->vector == fault->vector)
      return broken("error-code");
    if (!fault->raised && p->fault && p->vector == VECTOR_GP)
      return broken("not-canonical");
    if (!fault->raised && p->fault && p->error & PF_P)
      return broken(p->error & PF_RSVD ? "reserved-bits" : "rights");
  }
  if (fault->raised && model->vendor == RULE_AMD)
    return broken("walk-again");
  if (fault->raised && !(fault->error & PF_P) && fault->vector == VECTOR_PF)
    return broken("not-present");
  return broken("tables");
}

/* ---- A, D, CR2 ---- */

static uint64_t entry_now(const struct paging *paging, const struct walk_step *step)
{
  uint64_t value = step->entry;
  machine_entry_read(step->at, paging->format->entry_bytes, &value);
  return value;
}

/* Whether the walk left a flag clear that it had to set. An entry that a paging-structure cache has had need not be looked at. */
static bool flag_missing(const struct paging *paging, const struct predict_outcome *outcome, enum field_role role)
{
  const struct walk *walk = &outcome->walk;
  for (unsigned i = 0; i < walk->steps; i++) {
    const struct walk_step *step = &walk->step[i];
    uint64_t now = entry_now(paging, step);
    bool concerned = now & 1 && !(outcome->pasts >> i & 1) && (role == ROLE_A || step->leaf);
    if (concerned && format_mask(paging, step->level, now, role) & ~now)
      return true;
  }
  return false;
}

static bool dirty_appeared(const struct paging *paging, const struct walk *before)
{
  const struct walk_step *leaf = walk_last(before);
  if (before->end != WALK_MAPPED || !leaf)
    return false;
  return (entry_now(paging, leaf) & ~leaf->entry & format_mask(paging, leaf->level, leaf->entry, ROLE_D)) != 0;
}

/* Where a frame serves as a table, a write can change the very entries that lead to it. */
static bool writes_its_own_walk(const struct prediction *p, const struct predict_outcome *o)
{
  const uint64_t word = sizeof(uint64_t);
  for (unsigned i = 0; i < o->walk.steps && p->op == OP_WRITE && !o->fault; i++)
    if (o->walk.step[i].at.v / word == o->pa.v / word || o->walk.step[i].at.v / word == (o->pa.v + word - 1) / word)
      return true;
  return false;
}

struct predict_violation predict_aftermath(const struct paging *paging, const struct prediction *prediction,
                                           const struct predict_outcome *outcome, const struct walk *before,
                                           const struct machine_fault *fault)
{
  const struct predict_violation none = {.rule = NULL};
  bool wrote = prediction->op == OP_WRITE && !fault->raised;
  if (!paging->format || writes_its_own_walk(prediction, outcome))
    return none;
  if (fault->raised && fault->vector == VECTOR_PF && fault->cr2 != prediction->va.v)
    return broken("error-code");
  if (!wrote && dirty_appeared(paging, before))
    return broken("dirty");
  if (outcome->fault || outcome->cached || !outcome->walked)
    return none;
  if (flag_missing(paging, outcome, ROLE_A))
    return broken("accessed");
  return wrote && flag_missing(paging, outcome, ROLE_D) ? broken("dirty") : none;
}

struct predict_violation predict_blame_flags(const struct model *model, const struct paging *paging, const struct prediction *prediction,
                                             const struct predict_outcome *outcome, struct predict_violation found)
{
  static const struct machine_fault none;
  const struct happened what = {.fault = &none, .pa_known = true, .pa = outcome->pa, .flags = true};
  if (found.rule == NULL || outcome->fault || outcome->cached)
    return found;
  enum rule_operation operation = undropped(model, paging, prediction, &what);
  if (operation != OPERATION_NONE)
    found.rule = rules_of_operation(operation, model->vendor);
  return found;
}
