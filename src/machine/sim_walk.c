#include "machine/sim_walk.h"

#include "paging/format.h"
#include "paging/rights.h"

#define KEY_ACCESS_DISABLE 1u
#define KEY_WRITE_DISABLE 2u

static bool trait(const struct sim_walker *w, enum sim_trait t)
{
  return (w->profile->traits & t) != 0;
}

static bool defect(const struct sim_walker *w, enum sim_defect_bit d)
{
  return (w->profile->defects & d) != 0;
}

static void level_prepare(struct sim_level *out, const struct paging *paging, unsigned level)
{
  const struct format_level *l = &paging->format->level[level];
  uint64_t ps = l->leaf == LEAF_IF_PS ? 1ULL << 7 : 0;
  uint64_t table = 1, leaf = l->leaf == LEAF_NEVER ? 1 : 1 | ps; /* entries of each kind: P, and PS where that makes the leaf */
  bool ps_works = l->leaf == LEAF_IF_PS && format_is_leaf(paging, level, leaf);
  uint64_t kind = l->leaf == LEAF_ALWAYS || ps_works ? leaf : table;
  *out = (struct sim_level){
    .shift = l->shift,
    .index_bits = l->index_bits,
    .never_leaf = l->leaf == LEAF_NEVER,
    .always_leaf = l->leaf == LEAF_ALWAYS,
    .leaf_if_ps = ps_works,
    .p = 1,
    .ps = ps,
    .rw = format_mask(paging, level, kind, ROLE_RW),
    .us = format_mask(paging, level, kind, ROLE_US),
    .nx = format_mask(paging, level, kind, ROLE_NX),
    .a = format_mask(paging, level, kind, ROLE_A),
    .d = format_mask(paging, level, leaf, ROLE_D),
    .sets_d = format_mask(paging, level, leaf, ROLE_D),
    .g = format_mask(paging, level, leaf, ROLE_G),
    .pk = format_mask(paging, level, leaf, ROLE_PK),
    .reserved_table = l->leaf == LEAF_ALWAYS ? 0 : format_reserved(paging, level, table),
    .reserved_leaf = format_reserved(paging, level, leaf),
    .address_table = l->leaf == LEAF_ALWAYS ? 0 : format_mask(paging, level, table, ROLE_ADDRESS),
    .address_leaf = format_mask(paging, level, leaf, ROLE_ADDRESS),
  };
  while (out->pk && !(out->pk >> out->pk_low & 1))
    out->pk_low++;
}

/* Some defects are masks and switches that a sound CPU would not have like this. */
static void defects_prepare(struct sim_walker *w)
{
  w->wp = w->wp && !defect(w, DEFECT_WP_IGNORED);
  w->smep = w->smep && !defect(w, DEFECT_SMEP_IGNORED);
  w->smap = w->smap && !defect(w, DEFECT_SMAP_IGNORED);
  w->pke = w->pke && !defect(w, DEFECT_PKE_IGNORED);
  for (unsigned i = 0; i < w->levels; i++) {
    struct sim_level *l = &w->level[i];
    if (defect(w, DEFECT_NX_IGNORED))
      l->nx = 0;
    if (defect(w, DEFECT_RESERVED_IGNORED))
      l->reserved_table = l->reserved_leaf = 0;
    if (defect(w, DEFECT_A_NOT_SET))
      l->a = 0;
    if (defect(w, DEFECT_D_NOT_SET))
      l->sets_d = 0;
  }
}

void sim_walk_prepare(struct sim_walker *walker, const struct sim_profile *profile)
{
  struct paging paging;
  walker->profile = profile;
  paging_read(&paging);
  if (paging.format == NULL)
    return;
  walker->levels = paging.format->levels;
  walker->entry_bytes = paging.format->entry_bytes;
  walker->root = paging.root.v;
  walker->wp = paging.wp;
  walker->smep = paging.smep;
  walker->smap = paging.smap;
  walker->ac = paging.ac;
  walker->pke = paging.pke;
  walker->tells_fetches = paging.smep || (paging.nxe && walker->entry_bytes == 8);
  walker->pkru = paging.pkru;
  walker->latched = paging.format->root_latched;
  for (unsigned i = 0; i < walker->levels; i++)
    level_prepare(&walker->level[i], &paging, i);
  defects_prepare(walker);
}

static uint32_t fault(const struct sim_walker *w, const struct sim_want *want, uint32_t bits)
{
  if (want->op == OP_WRITE && !defect(w, DEFECT_WRONG_ERROR))
    bits |= PF_WR;
  if (want->cpl == 3)
    bits |= PF_US;
  if (want->op == OP_EXEC && w->tells_fetches)
    bits |= PF_ID;
  return bits + 1;
}

uint32_t sim_walk_absent(const struct sim_walker *walker, const struct sim_want *want)
{
  return fault(walker, want, 0);
}

/* SDM, Protection Keys: they are for data accesses to user-mode addresses. */
static bool key_refuses(const struct sim_walker *w, const struct sim_entry *e, const struct sim_want *want)
{
  if (!w->pke || !e->user || want->op == OP_EXEC)
    return false;
  uint32_t rights = w->pkru >> (2 * e->key);
  bool write_refused = want->op == OP_WRITE && rights & KEY_WRITE_DISABLE && (want->cpl == 3 || w->wp);
  return rights & KEY_ACCESS_DISABLE || write_refused;
}

static bool ring_refuses(const struct sim_walker *w, const struct sim_entry *e, const struct sim_want *want)
{
  if (want->cpl == 3)
    return (!e->user && !defect(w, DEFECT_US_IGNORED)) || (want->op == OP_WRITE && !e->writable) || (want->op == OP_EXEC && !e->executable);
  if (want->op == OP_EXEC)
    return !e->executable || (e->user && w->smep);
  return (e->user && w->smap && !w->ac) || (want->op == OP_WRITE && !e->writable && w->wp);
}

uint32_t sim_walk_rights(const struct sim_walker *walker, const struct sim_entry *entry, const struct sim_want *want)
{
  bool key = key_refuses(walker, entry, want);
  if (!key && !ring_refuses(walker, entry, want))
    return 0;
  return fault(walker, want, key ? PF_P | PF_PK : PF_P);
}

/* PSE-36: bits 20:13 of a 4 MiB page's entry are address bits 39:32. */
static uint64_t page_address(const struct sim_walker *w, const struct sim_level *l, uint64_t entry)
{
  uint64_t high = w->entry_bytes == 4 && l->shift == 22 ? (entry >> 13 & 0xff & ~(l->reserved_leaf >> 13)) << 32 : 0;
  return (entry & l->address_leaf) | high;
}

struct walking {
  uint64_t at[5], entry[5];
  unsigned first, last; /* levels that were read */
};

/* What the entry read at level @p i is to have set now. */
static uint64_t flags_due(const struct sim_walker *w, const struct sim_want *want, unsigned i, bool leaf)
{
  const struct sim_level *l = &w->level[i];
  bool writes = want->op == OP_WRITE || (defect(w, DEFECT_D_ON_READ) && want->op == OP_READ && !want->speculative);
  if (want->speculative && defect(w, DEFECT_FILLS_WITHOUT_A))
    return 0;
  if (i == 0 && w->latched)
    return trait(w, TRAIT_PDPTE_ACCESSED) ? 1u << 5 : 0;
  return l->a | (leaf && writes ? l->sets_d : 0);
}

/* The entries used get A, the leaf D for a write: an atomic or into each, as the CPU does it. */
static void set_flags(const struct sim_walker *w, struct walking *walking, const struct sim_want *want, bool leaf)
{
  for (unsigned i = walking->first; i <= walking->last; i++) {
    uint64_t set = flags_due(w, want, i, leaf && i == walking->last);
    if ((walking->entry[i] & set) == set)
      continue;
    walking->entry[i] |= set;
    machine_entry_write(paddr(walking->at[i]), w->entry_bytes, walking->entry[i]);
  }
}

static bool entry_read(const struct sim_walker *w, unsigned level, uint64_t at, uint64_t *entry)
{
  if (level == 0 && w->latched && !trait(w, TRAIT_PDPTES_IN_MEMORY)) {
    *entry = w->pdpte[(at - w->root) / 8];
    return true;
  }
  return machine_entry_read(paddr(at), w->entry_bytes, entry);
}

/* Starts from the paging-structure cache where it has the table, else from the root. Gives the level of the first entry to read. */
static unsigned walk_start(const struct sim_walker *w, const struct sim_want *want, uint64_t *table, struct sim_entry *out)
{
  unsigned directory = w->levels - 2u;
  const struct sim_structure *s = NULL;
  if (trait(w, TRAIT_STRUCTURE_CACHES))
    s = sim_structure_find(want->va >> w->level[directory].shift, want->pcid);
  *table = s ? s->table : w->root;
  out->writable = s ? s->writable : true;
  out->user = s ? s->user : true;
  out->executable = s ? s->executable : true;
  return s ? directory + 1 : 0;
}

static void structure_remember(const struct sim_walker *w, const struct sim_want *want, uint64_t table, const struct sim_entry *sofar)
{
  uint8_t shift = w->level[w->levels - 2u].shift;
  const struct sim_structure s = {.valid = true,
                                  .shift = shift,
                                  .writable = sofar->writable,
                                  .user = sofar->user,
                                  .executable = sofar->executable,
                                  .pcid = want->pcid,
                                  .prefix = want->va >> shift,
                                  .table = table};
  sim_structure_fill(&s);
}

static void leaf_take(const struct sim_walker *w, const struct sim_want *want, const struct sim_level *l, uint64_t entry,
                      struct sim_entry *out)
{
  out->valid = out->present = true;
  out->shift = out->page_shift = l->shift;
  out->large = l->shift != PAGE_SHIFT;
  out->pa = page_address(w, l, entry);
  out->va = want->va >> l->shift << l->shift;
  out->global = (entry & l->g) != 0;
  out->key = (uint8_t)((entry & l->pk) >> l->pk_low);
  out->pcid = want->pcid;
}

/* Goes on from an entry that refers to a table. Only an entry with A set may be cached, so A is set before. */
static uint64_t table_take(const struct sim_walker *w, const struct sim_want *want, struct walking *walking, const struct sim_entry *sofar)
{
  unsigned i = walking->last;
  bool cached = i == w->levels - 2u && trait(w, TRAIT_STRUCTURE_CACHES);
  uint64_t table = walking->entry[i] & w->level[i].address_table;
  if (cached || trait(w, TRAIT_A_AS_WALKED))
    set_flags(w, walking, want, false);
  if (cached)
    structure_remember(w, want, table, sofar);
  return table;
}

/* Access refused: the entries above the leaf were used for a translation; the leaf was not. */
static void refused_flags(const struct sim_walker *w, struct walking *walking, const struct sim_want *want)
{
  if (walking->last == walking->first || trait(w, TRAIT_A_IF_ALLOWED))
    return;
  walking->last--;
  set_flags(w, walking, want, false);
}

/* TRAIT_A_AS_WALKED: of a PDPTE it is only found out afterwards that it maps a page. */
static bool a_comes_first(const struct sim_walker *w, const struct sim_level *l, uint64_t entry)
{
  return trait(w, TRAIT_A_AS_WALKED) && l->shift == 30 && !(entry & l->reserved_table);
}

uint32_t sim_walk(const struct sim_walker *walker, const struct sim_want *want, struct sim_entry *out, unsigned *reads)
{
  struct walking walking = {0};
  uint64_t table;
  *out = (struct sim_entry){0};
  walking.first = walk_start(walker, want, &table, out);
  for (unsigned i = walking.first; i < walker->levels; i++) {
    const struct sim_level *l = &walker->level[i];
    uint64_t entry, at = table + (want->va >> l->shift & ((1u << l->index_bits) - 1)) * walker->entry_bytes;
    if (!entry_read(walker, i, at, &entry) || !(entry & l->p))
      return fault(walker, want, 0);
    ++*reads;
    bool leaf = l->always_leaf || (l->leaf_if_ps && entry & l->ps);
    uint64_t reserved = leaf ? l->reserved_leaf : l->reserved_table;
    walking.at[i] = at;
    walking.entry[i] = entry;
    walking.last = i;
    if (leaf && a_comes_first(walker, l, entry))
      set_flags(walker, &walking, want, false);
    if (entry & reserved && !(i == 0 && walker->latched))
      return fault(walker, want, trait(walker, TRAIT_RSVD_WITHOUT_P) ? PF_RSVD : PF_P | PF_RSVD);
    out->writable = out->writable && (entry & l->rw) == l->rw;
    out->user = out->user && (entry & l->us) == l->us;
    out->executable = out->executable && !(entry & l->nx);
    if (leaf) {
      leaf_take(walker, want, l, entry, out);
      break;
    }
    table = table_take(walker, want, &walking, out);
  }
  uint32_t refused = sim_walk_rights(walker, out, want);
  if (refused) {
    refused_flags(walker, &walking, want);
    return refused;
  }
  set_flags(walker, &walking, want, true);
  const struct sim_level *leaf_level = &walker->level[walking.last];
  out->dirty = (walking.entry[walking.last] & leaf_level->d) != 0;
  return 0;
}
