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
  return machine_layout()->kernel_end == 16 * MIB
           ? "the kernel itself runs in the low 16 MiB of linear addresses; set unsafe=1 to do it anyway"
           : "the kernel itself runs in the low 16 MiB of linear addresses, and its screen is in the next 16; set unsafe=1 to do it anyway";
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

bool lab_guard_is_table(paddr_t at)
{
  const struct machine_layout *l = machine_layout();
  bool root = at.v >> PAGE_SHIFT == l->root.v >> PAGE_SHIFT;
  return root || (at.v >= l->tables.v && at.v < l->tables.v + (uint64_t)l->table_count * PAGE_SIZE);
}

const char *lab_guard_table(paddr_t pa)
{
  if (unsafe_edits || lab_guard_is_table(pa))
    return NULL;
  if (machine_physical(pa) == NULL)
    return "there is no RAM where that table would be";
  return lab_guard_physical(pa, PAGE_SIZE);
}

/* How many entries of the table at @p level of the kernel's branch are the kernel's: one on the way down, in the directory one for each of
 * its page tables. */
static unsigned kernels_entries(const struct paging *paging, unsigned level)
{
  unsigned directory = paging->format->levels - 2u;
  return level < directory ? 1 : (unsigned)(machine_layout()->kernel_end >> paging->format->level[level].shift);
}

/* Whether @p at is in a table of the branch from @p root: *@p kernels says then whose the entry is. */
static bool in_branch(const struct paging *paging, paddr_t root, paddr_t at, bool *kernels)
{
  const uint64_t page = ~(uint64_t)(PAGE_SIZE - 1);
  unsigned bytes = paging->format->entry_bytes;
  paddr_t table = root;
  for (unsigned level = 0; level + 1u < paging->format->levels; level++) {
    uint64_t first = 0;
    *kernels = at.v < table.v + (uint64_t)kernels_entries(paging, level) * bytes;
    if ((at.v & page) == (table.v & page))
      return true;
    machine_entry_read(table, bytes, &first);
    table = format_address(paging, level, first);
  }
  return false;
}

const char *lab_guard_entry(paddr_t at)
{
  const struct machine_layout *l = machine_layout();
  const char *refusal = "that entry holds up the kernel's own branch of the tables; set unsafe=1 to change it anyway";
  bool kernels = false;
  if (unsafe_edits)
    return NULL;
  for (unsigned i = 0; i < LAB_SPACES; i++)
    if (lab_space(i) && in_branch(lab_paging(), lab_space(i)->root, at, &kernels))
      return kernels ? refusal : NULL;
  bool pool = at.v >= l->tables.v && at.v < l->tables.v + (uint64_t)l->table_count * PAGE_SIZE;
  return pool || lab_guard_physical(at, 1) == NULL ? NULL : refusal;
}
