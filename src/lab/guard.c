#include "lab/private.h"

static bool unsafe_edits;

void lab_unsafe_set(bool unsafe)
{
  unsafe_edits = unsafe;
}

static bool overlaps(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_end)
{
  return a < b_end && (a >= b || b - a < a_length);
}

const char *lab_guard_linear(laddr_t va, uint64_t span)
{
  if (unsafe_edits || !overlaps(va.v, span, 0, machine_layout()->kernel_end))
    return NULL;
  return "the kernel itself runs in the low 16 MiB of linear addresses; set unsafe=1 to do it anyway";
}

const char *lab_guard_physical(paddr_t pa, uint64_t length)
{
  const struct machine_layout *l = machine_layout();
  uint64_t frames_end = l->frames.v + (uint64_t)l->frame_count * PAGE_SIZE;
  uint64_t own_end = 4 * MIB; /* the kernel, its tables and the lab frames, which are the student's */
  bool below = overlaps(pa.v, length, 0, l->frames.v);
  bool above = overlaps(pa.v, length, frames_end, own_end);
  if (unsafe_edits || (!below && !above))
    return NULL;
  return "that is the kernel's own memory; set unsafe=1 to do it anyway";
}

const char *lab_guard_table(paddr_t pa)
{
  const struct machine_layout *l = machine_layout();
  bool root = (pa.v & ~(uint64_t)(PAGE_SIZE - 1)) == (l->root.v & ~(uint64_t)(PAGE_SIZE - 1));
  bool pool = pa.v >= l->tables.v && pa.v < l->tables.v + (uint64_t)l->table_count * PAGE_SIZE;
  if (unsafe_edits || root || pool)
    return NULL;
  if (machine_physical(pa) == NULL)
    return "there is no RAM where that table would be";
  return lab_guard_physical(pa, PAGE_SIZE);
}
