#include "paging/advice.h"

/* One change, with what its tests ask. */
struct change {
  const struct paging *paging;
  const struct model *model;
  const struct advice_change *of;
  bool was_leaf, is_leaf;
};

static bool lost(const struct change *c, enum field_role role)
{
  uint64_t mask = format_mask(c->paging, c->of->level, c->of->before, role);
  return (c->of->before & ~c->of->after & mask) != 0;
}

static bool gained(const struct change *c, enum field_role role)
{
  uint64_t mask = format_mask(c->paging, c->of->level, c->of->after, role);
  return (c->of->after & ~c->of->before & mask) != 0;
}

static bool differs(const struct change *c, enum field_role role)
{
  return lost(c, role) || gained(c, role);
}

static bool is_pdpte(const struct change *c)
{
  return c->of->level == 0 && c->paging->format->root_latched;
}

/* A CPU caches an entry that has a reserved bit set as little as one that is not present. */
static bool absent(const struct change *c, uint64_t entry)
{
  return !(entry & 1) || entry & format_reserved(c->paging, c->of->level, entry);
}

static bool was_absent(const struct change *c)
{
  return absent(c, c->of->before);
}

static bool was_unused(const struct change *c)
{
  return (format_mask(c->paging, c->of->level, c->of->before, ROLE_A) & ~c->of->before) != 0;
}

/* A page below it that is not present may be remembered as such, though nothing marks the entry as accessed. */
static bool was_unused_table(const struct change *c)
{
  return !c->was_leaf && was_unused(c);
}

static bool is_absent(const struct change *c)
{
  return absent(c, c->of->after);
}

static bool size_changes(const struct change *c)
{
  return c->was_leaf != c->is_leaf;
}

static bool table_moves(const struct change *c)
{
  return !c->was_leaf && differs(c, ROLE_ADDRESS);
}

static bool frame_moves(const struct change *c)
{
  return c->was_leaf && (differs(c, ROLE_ADDRESS) || differs(c, ROLE_ADDRESS_HIGH));
}

/* U/S = 1 takes something away too, where SMEP or SMAP keep the supervisor from user-mode addresses. */
static bool takes_right(const struct change *c)
{
  bool user_is_less = c->paging->smep || c->paging->smap;
  return lost(c, ROLE_RW) || lost(c, ROLE_US) || gained(c, ROLE_NX) || differs(c, ROLE_PK) || (user_is_less && gained(c, ROLE_US));
}

static bool gives_right(const struct change *c)
{
  return gained(c, ROLE_RW) || gained(c, ROLE_US) || lost(c, ROLE_NX);
}

static bool type_changes(const struct change *c)
{
  return differs(c, ROLE_PWT) || differs(c, ROLE_PCD) || differs(c, ROLE_PAT);
}

static bool global_changes(const struct change *c)
{
  return differs(c, ROLE_G);
}

static bool clears_a(const struct change *c)
{
  return lost(c, ROLE_A);
}

static bool clears_d(const struct change *c)
{
  return lost(c, ROLE_D);
}

static bool sets_ad(const struct change *c)
{
  return gained(c, ROLE_A) || gained(c, ROLE_D);
}

static bool anything(const struct change *c)
{
  (void)c;
  return true;
}

/* The first row whose test holds, on a CPU for which its rule holds, is what the change is. */
static const struct kind {
  const char *rule;
  uint8_t need; /* enum advice_need */
  bool (*test)(const struct change *c);
} kinds[] = {
  {"edit-pdpte", NEED_FLUSH, is_pdpte},
  {"edit-maps", NEED_NOTHING, was_absent},
  {"edit-maps-kept", NEED_FLUSH, was_absent},
  {"edit-maps-kept", NEED_FLUSH, was_unused_table},
  {"edit-unused", NEED_NOTHING, was_unused},
  {"edit-unmaps", NEED_FLUSH, is_absent},
  {"edit-size", NEED_FLUSH, size_changes},
  {"edit-table", NEED_FLUSH, table_moves},
  {"edit-frame", NEED_FLUSH, frame_moves},
  {"edit-takes-right", NEED_FLUSH, takes_right},
  {"edit-type", NEED_FLUSH, type_changes},
  {"edit-global", NEED_FLUSH, global_changes},
  {"edit-gives-right", NEED_OPTIONAL, gives_right},
  {"edit-gives-right-amd", NEED_NOTHING, gives_right},
  {"edit-clears-d", NEED_OPTIONAL, clears_d},
  {"edit-clears-a", NEED_OPTIONAL, clears_a},
  {"edit-sets-ad", NEED_NOTHING, sets_ad},
  {"edit-nothing", NEED_NOTHING, anything},
};

static const struct kind *kind_of(const struct change *c, const struct rule **rule)
{
  const struct kind *kind = kinds;
  for (;; kind++) {
    *rule = rules_named(kind->rule);
    if ((*rule)->vendors & c->model->vendor && kind->test(c))
      return kind;
  }
}

struct older {
  const struct advice_change *than;
  const struct walk *now;
  bool found;
};

/* Whether the path is there only because of the change itself, whose kind says what that means. */
static bool own_past(const struct advice_change *of, const struct model_path *path)
{
  return path->pasts == 1u << of->level && path->past->value == of->before;
}

static bool same_translation(const struct walk *a, const struct walk *b)
{
  return a->end == b->end && a->pa.v == b->pa.v && a->shift == b->shift && a->writable == b->writable && a->user == b->user &&
         a->executable == b->executable && a->global == b->global && a->key == b->key;
}

static void note_older(void *context, const struct model_path *path)
{
  struct older *older = context;
  bool past = path->cached && path->past && path->walk.end == WALK_MAPPED;
  older->found = older->found || (past && !own_past(older->than, path) && !same_translation(&path->walk, older->now));
}

static bool older_may_be_cached(const struct change *c)
{
  const struct walk now = walk_run(c->paging, c->of->va);
  struct older older = {.than = c->of, .now = &now};
  if (now.end == WALK_NOT_CANONICAL)
    return false;
  model_paths(c->model, c->paging, &now, MODEL_PERMITTED, note_older, &older);
  return older.found;
}

/* INVLPG drops all fragments of a large page only while the tables map it as one (rule "fragments"). */
static bool one_page(const struct change *c)
{
  bool small = c->of->level + 1u == c->paging->format->levels;
  return small || (c->was_leaf && c->is_leaf && !is_absent(c));
}

static uint8_t how(const struct change *c, const struct advice *advice)
{
  bool globals = c->model->globals && c->paging->conditions & CONDITION_PGE && !was_absent(c);
  bool invlpg = machine_features_have(machine_cpu()->features, FEATURE_INVLPG);
  if (invlpg && advice->entries == 1 && one_page(c))
    return HOW_INVLPG;
  return globals ? HOW_ALL : HOW_CR3; /* a change of CR4.PGE loads the PDPTEs too */
}

void advice_add(struct advice *advice, const struct model *model, const struct paging *paging, const struct advice_change *change)
{
  struct change c = {.paging = paging, .model = model, .of = change};
  const struct rule *rule;
  bool last = change->level + 1u == paging->format->levels;
  c.was_leaf = last || (change->before & 1 && format_is_leaf(paging, change->level, change->before));
  c.is_leaf = last || (change->after & 1 && format_is_leaf(paging, change->level, change->after));
  const struct kind *kind = kind_of(&c, &rule);
  uint8_t need = kind->need;
  bool older = need == NEED_NOTHING && (c.was_leaf || c.is_leaf) && older_may_be_cached(&c);
  if (older)
    need = NEED_FLUSH;
  if (advice->rule == NULL || need > advice->need) {
    advice->rule = older ? rules_named("edit-unmaps") : rule;
    advice->older = older;
    advice->va = change->va;
    advice->level = change->level;
    advice->need = need;
  }
  if (need == NEED_NOTHING)
    return;
  advice->entries++;
  advice->table = advice->table || !c.was_leaf || !c.is_leaf;
  uint8_t this_how = how(&c, advice);
  if (this_how > advice->how)
    advice->how = this_how;
}
