#include "machine/sim_walk.h"

#include "paging/format.h"
#include "paging/rights.h"

#define KEY_ACCESS_DISABLE 1u
#define KEY_WRITE_DISABLE 2u

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

void sim_walk_prepare(struct sim_walker *walker)
{
  struct paging paging;
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
  walker->nxe = paging.nxe && walker->entry_bytes == 8;
  walker->pge = (paging.conditions & CONDITION_PGE) != 0;
  walker->pkru = paging.pkru;
  walker->latched = paging.format->root_latched;
  for (unsigned i = 0; i < walker->levels; i++)
    level_prepare(&walker->level[i], &paging, i);
}

static uint32_t fault(const struct sim_walker *w, const struct sim_want *want, uint32_t bits)
{
  if (want->op == OP_WRITE)
    bits |= PF_WR;
  if (want->cpl == 3)
    bits |= PF_US;
  if (want->op == OP_EXEC && (w->nxe || w->smep))
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
    return !e->user || (want->op == OP_WRITE && !e->writable) || (want->op == OP_EXEC && !e->executable);
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

/* The entries used get A, the leaf D for a write: an atomic or into each, as the CPU does it. */
static void set_flags(const struct sim_walker *w, const struct sim_profile *profile, struct walking *walking, const struct sim_want *want,
                      bool leaf)
{
  for (unsigned i = walking->first; i <= walking->last; i++) {
    const struct sim_level *l = &w->level[i];
    uint64_t set = l->a;
    if (i == 0 && w->latched)
      set = profile->traits & TRAIT_PDPTE_ACCESSED ? 1u << 5 : 0;
    if (leaf && i == walking->last && want->op == OP_WRITE)
      set |= l->d;
    if ((walking->entry[i] & set) == set)
      continue;
    walking->entry[i] |= set;
    machine_entry_write(paddr(walking->at[i]), w->entry_bytes, walking->entry[i]);
  }
}

static bool entry_read(const struct sim_walker *w, const struct sim_profile *profile, unsigned level, uint64_t at, uint64_t *entry)
{
  if (level == 0 && w->latched && !(profile->traits & TRAIT_PDPTES_IN_MEMORY)) {
    *entry = w->pdpte[(at - w->root) / 8];
    return true;
  }
  return machine_entry_read(paddr(at), w->entry_bytes, entry);
}

/* Starts from the paging-structure cache where it has the table, else from the root. Gives the level of the first entry to read. */
static unsigned walk_start(const struct sim_walker *w, const struct sim_profile *profile, const struct sim_want *want, uint64_t *table,
                           struct sim_entry *out)
{
  unsigned directory = w->levels - 2u;
  const struct sim_structure *s = NULL;
  if (profile->traits & TRAIT_STRUCTURE_CACHES)
    s = sim_structure_find(want->va >> w->level[directory].shift, want->pcid);
  *table = s ? s->table : w->root;
  out->writable = s ? s->writable : true;
  out->user = s ? s->user : true;
  out->executable = s ? s->executable : true;
  return s ? directory + 1 : 0;
}

static void structure_remember(const struct sim_walker *w, const struct sim_want *want, uint64_t table, const struct sim_entry *sofar)
{
  const struct sim_structure s = {.valid = true,
                                  .writable = sofar->writable,
                                  .user = sofar->user,
                                  .executable = sofar->executable,
                                  .pcid = want->pcid,
                                  .prefix = want->va >> w->level[w->levels - 2u].shift,
                                  .table = table};
  sim_structure_fill(&s);
}

uint32_t sim_walk(const struct sim_walker *walker, const struct sim_profile *profile, const struct sim_want *want, struct sim_entry *out,
                  unsigned *reads)
{
  struct walking walking = {0};
  uint64_t table;
  *out = (struct sim_entry){0};
  walking.first = walk_start(walker, profile, want, &table, out);
  for (unsigned i = walking.first; i < walker->levels; i++) {
    const struct sim_level *l = &walker->level[i];
    uint64_t entry, at = table + (want->va >> l->shift & ((1u << l->index_bits) - 1)) * walker->entry_bytes;
    if (!entry_read(walker, profile, i, at, &entry) || !(entry & l->p))
      return fault(walker, want, 0);
    ++*reads;
    bool leaf = l->always_leaf || (l->leaf_if_ps && entry & l->ps);
    uint64_t reserved = leaf ? l->reserved_leaf : l->reserved_table;
    if (entry & reserved && !(i == 0 && walker->latched))
      return fault(walker, want, profile->traits & TRAIT_RSVD_WITHOUT_P ? PF_RSVD : PF_P | PF_RSVD);
    walking.at[i] = at;
    walking.entry[i] = entry;
    walking.last = i;
    out->writable = out->writable && (entry & l->rw) == l->rw;
    out->user = out->user && (entry & l->us) == l->us;
    out->executable = out->executable && !(entry & l->nx);
    if (leaf) {
      out->valid = out->present = true;
      out->shift = out->page_shift = l->shift;
      out->large = l->shift != PAGE_SHIFT;
      out->pa = page_address(walker, l, entry);
      out->va = want->va >> l->shift << l->shift;
      out->global = (entry & l->g) != 0;
      out->key = (uint8_t)((entry & l->pk) >> l->pk_low);
      out->pcid = want->pcid;
      break;
    }
    if (profile->traits & TRAIT_A_AS_WALKED)
      set_flags(walker, profile, &walking, want, false);
    table = entry & l->address_table;
    if (i == walker->levels - 2u && profile->traits & TRAIT_STRUCTURE_CACHES)
      structure_remember(walker, want, table, out);
  }
  uint32_t refused = sim_walk_rights(walker, out, want);
  if (refused) { /* the entries above the leaf were used for a translation; the leaf was not */
    if (walking.last > walking.first && !(profile->traits & TRAIT_A_IF_ALLOWED)) {
      walking.last--;
      set_flags(walker, profile, &walking, want, false);
    }
    return refused;
  }
  set_flags(walker, profile, &walking, want, true);
  const struct sim_level *leaf_level = &walker->level[walking.last];
  out->dirty = (walking.entry[walking.last] & leaf_level->d) != 0;
  return 0;
}
