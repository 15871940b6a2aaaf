#include "machine/sim_tlb.h"

#include "lib/random.h"

#include <string.h>

#define ENTRIES_MAX 2112
#define STRUCTURES 32

/* One array of translations. */
struct array {
  const struct sim_shape *shape;
  unsigned held; /* how many of the entries are valid */
  struct sim_entry entry[ENTRIES_MAX];
};

static const struct sim_profile *profile;
static struct array arrays[SIM_SHAPES];
static unsigned array_count;
static struct sim_structure structures[STRUCTURES];
static unsigned structure_next;
static uint64_t clock_now, random_state;

/* TRAIT_LARGE_FLUSHES_ALL: of each ring's TLB, the aligned stretch that holds all large pages cached since it was last emptied. */
struct stretch {
  uint8_t shift; /* log2 of its size; 0: there is none */
  uint64_t va;
};

static struct stretch stretches[2];

uint64_t sim_random(void)
{
  return random_next(&random_state);
}

void sim_tlb_init(const struct sim_profile *use, uint64_t seed)
{
  profile = use;
  random_state = seed;
  clock_now = 0;
  memset(structures, 0, sizeof structures);
  memset(stretches, 0, sizeof stretches);
  structure_next = 0;
  array_count = 0;
  while (array_count < SIM_SHAPES && profile->shape[array_count].sets) {
    struct array *a = &arrays[array_count];
    a->shape = &profile->shape[array_count++];
    a->held = 0;
    memset(a->entry, 0, a->shape->sets * (size_t)a->shape->ways * sizeof a->entry[0]);
  }
}

static const uint8_t shifts[] = {12, 21, 22, 30};

static unsigned size_bit(unsigned shift)
{
  return shift == PAGE_SHIFT ? SIM_4K : shift == 30 ? SIM_1G : SIM_LARGE;
}

/* The set that a page of 1 << shift bytes at va belongs to. Sets are powers of two. */
static unsigned set_number(const struct sim_shape *shape, uint64_t va, unsigned shift)
{
  uint64_t number = va >> shift;
  if (shape->xor_bits)
    number ^= number >> shape->xor_bits;
  return (unsigned)(number & (shape->sets - 1u));
}

static struct sim_entry *set_of(struct array *a, uint64_t va, unsigned shift)
{
  return &a->entry[set_number(a->shape, va, shift) * a->shape->ways];
}

static bool serves(const struct sim_entry *e, const struct sim_lookup *l)
{
  return e->valid && l->va >> e->shift == e->va >> e->shift && (e->global || e->pcid == l->pcid) && e->ring3 == l->ring3;
}

static struct sim_entry *find_in(struct array *a, const struct sim_lookup *l)
{
  for (unsigned s = 0; s < sizeof shifts; s++) {
    if (!(a->shape->pages & size_bit(shifts[s])))
      continue;
    struct sim_entry *set = set_of(a, l->va, shifts[s]);
    for (unsigned way = 0; way < a->shape->ways; way++)
      if (set[way].shift == shifts[s] && serves(&set[way], l))
        return &set[way];
  }
  return NULL;
}

/* The way that a translation goes into: where the same page's is already, else an empty one, else by the policy. */
static struct sim_entry *victim_in(const struct array *a, struct sim_entry *set, const struct sim_entry *entry)
{
  const struct sim_lookup same = {.va = entry->va, .pcid = entry->pcid, .ring3 = entry->ring3};
  struct sim_entry *empty = NULL, *oldest = set;
  for (unsigned way = 0; way < a->shape->ways; way++) {
    struct sim_entry *e = &set[way];
    if (e->shift == entry->shift && serves(e, &same))
      return e;
    if (!e->valid)
      empty = empty ? empty : e;
    else if (e->used < oldest->used)
      oldest = e;
  }
  if (empty)
    return empty;
  return a->shape->policy == POLICY_RANDOM ? &set[sim_random() & (a->shape->ways - 1u)] : oldest;
}

static void fill_in(struct array *a, const struct sim_entry *entry)
{
  struct sim_entry *victim = victim_in(a, set_of(a, entry->va, entry->shift), entry);
  a->held += !victim->valid;
  *victim = *entry;
  victim->used = ++clock_now;
}

struct sim_entry *sim_tlb_find(const struct sim_lookup *lookup, unsigned *level)
{
  for (*level = 1; *level <= 2; ++*level)
    for (unsigned i = 0; i < array_count; i++) {
      struct array *a = &arrays[i];
      if (a->shape->level != *level || !(a->shape->sides & lookup->side))
        continue;
      struct sim_entry *e = find_in(a, lookup);
      if (e == NULL)
        continue;
      e->used = ++clock_now;
      if (*level == 2)
        sim_tlb_fill(e, lookup->side); /* a hit in the second level brings it into the first */
      return e;
    }
  return NULL;
}

static void stretch_extend(struct stretch *s, const struct sim_entry *large)
{
  if (s->shift == 0)
    s->va = large->va;
  if (s->shift < large->page_shift)
    s->shift = large->page_shift;
  while (s->shift < 63 && s->va >> s->shift != large->va >> s->shift)
    s->shift++;
}

void sim_tlb_fill(const struct sim_entry *entry, unsigned side)
{
  const struct sim_entry copy = *entry;
  if (copy.large)
    stretch_extend(&stretches[copy.ring3], &copy);
  for (unsigned i = 0; i < array_count; i++)
    if (arrays[i].shape->sides & side && arrays[i].shape->pages & size_bit(copy.shift))
      fill_in(&arrays[i], &copy);
}

/* ---- invalidation ---- */

struct drop {
  uint64_t va;
  uint32_t pcid;
  bool page; /* only the page that va is in */
  bool globals;
  bool kept; /* DEFECT_INVLPG_KEEPS_FRAGMENT: a fragment stays, and which */
  uint64_t kept_va;
};

static bool keeps_fragment(const struct sim_entry *e, struct drop *d)
{
  bool other_fragment = e->shift < e->page_shift && e->va >> e->shift != d->va >> e->shift;
  if (!(profile->defects & DEFECT_INVLPG_KEEPS_FRAGMENT) || !d->page || !other_fragment)
    return false;
  if (!d->kept)
    d->kept_va = e->va;
  d->kept = true;
  return e->va == d->kept_va;
}

static bool drops(const struct sim_entry *e, struct drop *d)
{
  unsigned shift = e->page_shift; /* all fragments of a large page go */
  if (d->page && e->va >> shift != d->va >> shift)
    return false;
  if (e->global ? !d->globals : d->pcid != SIM_ALL_PCIDS && e->pcid != d->pcid)
    return false;
  return !keeps_fragment(e, d);
}

/* Looks at @p count entries, or at fewer when all that the array holds were seen. */
static void drop_in(struct array *a, struct sim_entry *from, unsigned count, struct drop *d)
{
  unsigned left = a->held;
  for (struct sim_entry *e = from; left > 0 && e < from + count; e++) {
    if (!e->valid)
      continue;
    left--;
    if (!drops(e, d))
      continue;
    e->valid = false;
    a->held--;
  }
}

void sim_tlb_drop_entry(struct sim_entry *entry)
{
  for (struct array *a = arrays; a < arrays + array_count; a++)
    a->held -= entry >= a->entry && entry < a->entry + ENTRIES_MAX && entry->valid;
  entry->valid = false;
}

/* The TLB of the one ring is emptied, where @p va is in its stretch of large pages. */
static void drop_by_stretch(uint64_t va, uint8_t ring3)
{
  struct stretch *s = &stretches[ring3];
  if (s->shift == 0 || s->va >> s->shift != va >> s->shift)
    return;
  for (struct array *a = arrays; a < arrays + array_count; a++)
    for (unsigned n = 0; n < a->shape->sets * (unsigned)a->shape->ways; n++)
      if (a->entry[n].valid && a->entry[n].ring3 == ring3) {
        a->entry[n].valid = false;
        a->held--;
      }
  s->shift = 0;
}

/* A page's translations are in the sets that it belongs to; its fragments may be in any. */
static void drop_page_in(struct array *a, struct drop *d)
{
  for (unsigned i = 0; i < sizeof shifts; i++)
    if (a->shape->pages & size_bit(shifts[i]))
      drop_in(a, set_of(a, d->va, shifts[i]), a->shape->ways, d);
}

static void drop_all(struct drop *d)
{
  bool in_its_sets = d->page && !(profile->traits & TRAIT_FRAGMENTS);
  for (struct array *a = arrays; a < arrays + array_count; a++)
    if (in_its_sets)
      drop_page_in(a, d);
    else
      drop_in(a, a->entry, a->shape->sets * (unsigned)a->shape->ways, d);
}

void sim_structure_drop(uint32_t pcid)
{
  for (unsigned i = 0; i < STRUCTURES; i++)
    if (pcid == SIM_ALL_PCIDS || structures[i].pcid == pcid)
      structures[i].valid = false;
}

void sim_tlb_drop_page(uint64_t va, uint16_t pcid, unsigned reach)
{
  struct drop page = {.va = va, .pcid = pcid, .page = true, .globals = (reach & SIM_GLOBALS) != 0};
  drop_all(&page);
  if (reach & SIM_STRUCTURES)
    sim_structure_drop(pcid);
  for (uint8_t ring3 = 0; ring3 < 2 && profile->traits & TRAIT_LARGE_FLUSHES_ALL; ring3++)
    drop_by_stretch(va, ring3);
}

void sim_tlb_drop(uint32_t pcid, unsigned reach)
{
  struct drop all = {.pcid = pcid, .globals = (reach & SIM_GLOBALS) != 0};
  drop_all(&all);
  memset(stretches, 0, sizeof stretches);
  if (reach & SIM_STRUCTURES)
    sim_structure_drop(pcid);
}

/* ---- the paging-structure cache ---- */

const struct sim_structure *sim_structure_find(uint64_t prefix, uint16_t pcid)
{
  for (unsigned i = 0; i < STRUCTURES; i++)
    if (structures[i].valid && structures[i].prefix == prefix && structures[i].pcid == pcid)
      return &structures[i];
  return NULL;
}

void sim_structure_fill(const struct sim_structure *structure)
{
  structures[structure_next] = *structure;
  structure_next = (structure_next + 1) % STRUCTURES;
}

/* ---- looking in: machine.h's view of all this ---- */

/* Behind the arrays of translations comes the paging-structure cache, as one more: fully associative, and with no ways where there is none.
 */
bool machine_tlb_array(unsigned index, struct machine_tlb_array *array)
{
  if (index > array_count)
    return false;
  if (index == array_count) {
    bool here = profile->traits & TRAIT_STRUCTURE_CACHES;
    *array = (struct machine_tlb_array){.name = "paging structures", .structures = true, .sets = 1, .ways = here ? STRUCTURES : 0};
    return true;
  }
  const struct sim_shape *s = arrays[index].shape;
  *array = (struct machine_tlb_array){.name = s->name,
                                      .sets = s->sets,
                                      .ways = s->ways,
                                      .data = s->sides & SIM_DATA,
                                      .code = s->sides & SIM_CODE,
                                      .level = s->level};
  for (unsigned i = 0; i < sizeof shifts; i++)
    if (s->pages & size_bit(shifts[i]))
      array->pages |= 1ULL << shifts[i];
  return true;
}

unsigned machine_tlb_set(unsigned index, laddr_t va, unsigned shift)
{
  return index < array_count ? set_number(arrays[index].shape, va.v, shift) : 0;
}

static struct machine_tlb_entry entry_seen(unsigned array, unsigned slot, uint16_t tag)
{
  const struct sim_entry *e = &arrays[array].entry[slot];
  unsigned ways = arrays[array].shape->ways;
  return (struct machine_tlb_entry){.array = array,
                                    .set = slot / ways,
                                    .way = slot % ways,
                                    .va = laddr(e->va),
                                    .pa = paddr(e->pa),
                                    .shift = e->shift,
                                    .page_shift = e->page_shift,
                                    .key = e->key,
                                    .pcid = e->pcid,
                                    .present = e->present,
                                    .writable = e->writable,
                                    .user = e->user,
                                    .executable = e->executable,
                                    .global = e->global,
                                    .dirty = e->dirty,
                                    .ring3 = e->ring3,
                                    .proven = profile->traits & TRAIT_PROVEN_RIGHTS,
                                    .by_write = e->for_write,
                                    .by_user = e->for_user,
                                    .current = e->global || e->pcid == tag};
}

static struct machine_tlb_entry structure_seen(unsigned slot, uint16_t tag)
{
  const struct sim_structure *s = &structures[slot];
  return (struct machine_tlb_entry){.array = array_count,
                                    .way = slot,
                                    .va = laddr(s->prefix << s->shift),
                                    .pa = paddr(s->table),
                                    .shift = s->shift,
                                    .page_shift = s->shift,
                                    .pcid = s->pcid,
                                    .present = true,
                                    .writable = s->writable,
                                    .user = s->user,
                                    .executable = s->executable,
                                    .current = s->pcid == tag};
}

bool sim_tlb_next(unsigned *cursor, uint16_t tag, struct machine_tlb_entry *entry)
{
  unsigned array = *cursor / ENTRIES_MAX, slot = *cursor % ENTRIES_MAX;
  for (; array < array_count; array++, slot = 0)
    for (; slot < arrays[array].shape->sets * (unsigned)arrays[array].shape->ways; slot++)
      if (arrays[array].entry[slot].valid) {
        *entry = entry_seen(array, slot, tag);
        *cursor = array * ENTRIES_MAX + slot + 1;
        return true;
      }
  for (; slot < STRUCTURES; slot++)
    if (structures[slot].valid) {
      *entry = structure_seen(slot, tag);
      *cursor = array_count * ENTRIES_MAX + slot + 1;
      return true;
    }
  return false;
}
