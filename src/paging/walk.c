#include "paging/walk.h"

#include <string.h>

/* With paging off there is nothing to walk: the linear address is the physical address, all 4 GiB alike. */
static struct walk walk_unpaged(struct walk walk)
{
  walk.end = format_canonical(NULL, walk.va) ? WALK_MAPPED : WALK_NOT_CANONICAL;
  walk.pa = paddr(walk.va.v);
  walk.shift = 32;
  return walk;
}

/* An entry without a right's bit (its mask is then 0) leaves that right as it was. */
static void and_rights(struct walk *walk, const uint64_t *masks, uint64_t entry)
{
  walk->writable = walk->writable && !(masks[ROLE_RW] & ~entry);
  walk->user = walk->user && !(masks[ROLE_US] & ~entry);
  walk->executable = walk->executable && !(masks[ROLE_NX] & entry);
}

static void map_page(struct walk *walk, const struct paging *paging, const uint64_t *masks, unsigned level, uint64_t entry)
{
  walk->shift = paging->format->level[level].shift;
  walk->pa = paddr(format_address(paging, level, entry).v | (walk->va.v & address_mask(walk->shift)));
  walk->global = (masks[ROLE_G] & entry) != 0;
  walk->key = masks[ROLE_PK] ? (uint8_t)format_value(paging, level, entry, ROLE_PK) : 0;
  walk->end = WALK_MAPPED;
}

static void begin(struct walk *walk, laddr_t va)
{
  memset(walk, 0, sizeof *walk);
  walk->va = va;
  walk->writable = walk->user = walk->executable = true;
}

static struct walk_step *place_step(struct walk *walk, const struct paging *paging, unsigned level, paddr_t table)
{
  struct walk_step *step = &walk->step[level];
  step->level = (uint8_t)level;
  step->index = (uint16_t)format_index(paging->format, level, walk->va);
  step->table = table;
  step->at = paddr(table.v + (uint64_t)step->index * paging->format->entry_bytes);
  return step;
}

/* Takes the step whose entry has been read. False where the walk ends with it; walk->end then says how. */
static bool take_step(struct walk *walk, const struct paging *paging, struct walk_step *step)
{
  unsigned level = step->level;
  const uint64_t *masks = format_masks(paging, level, step->entry);
  walk->steps++;
  step->leaf = format_is_leaf(paging, level, step->entry);
  walk->end = WALK_NOT_PRESENT;
  if (!(masks[ROLE_P] & step->entry))
    return false;
  walk->end = WALK_RESERVED;
  bool latched = level == 0 && paging->format->root_latched;
  if (!latched && step->entry & masks[ROLE_RESERVED])
    return false;
  and_rights(walk, masks, step->entry);
  if (step->leaf)
    map_page(walk, paging, masks, level, step->entry);
  return !step->leaf;
}

bool walk_begin(const struct paging *paging, laddr_t va, struct walk *walk)
{
  begin(walk, va);
  walk->end = WALK_NOT_CANONICAL;
  return paging->format && format_canonical(paging->format, va);
}

bool walk_enter(const struct paging *paging, struct walk *walk, paddr_t table, uint64_t entry)
{
  struct walk_step *step = place_step(walk, paging, walk->steps, table);
  step->entry = entry;
  return take_step(walk, paging, step);
}

struct walk walk_run(const struct paging *paging, laddr_t va)
{
  const struct format *format = paging->format;
  struct walk walk;
  if (!walk_begin(paging, va, &walk))
    return format ? walk : walk_unpaged(walk);
  paddr_t table = paging->root;
  for (unsigned level = 0; level < format->levels; level++) {
    struct walk_step *step = place_step(&walk, paging, level, table);
    walk.end = WALK_NO_MEMORY;
    if (!machine_entry_read(step->at, format->entry_bytes, &step->entry) || !take_step(&walk, paging, step))
      break;
    table = format_address(paging, level, step->entry);
  }
  return walk;
}

const struct walk_step *walk_last(const struct walk *walk)
{
  return walk->steps ? &walk->step[walk->steps - 1] : NULL;
}

const struct walk_step *walk_at(const struct walk *walk, unsigned level)
{
  return level < walk->steps ? &walk->step[level] : NULL;
}
