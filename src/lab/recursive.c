/* The paging structures mapped by themselves: an entry of the root that refers to the root makes each walk through it end a level
 * early, at a table instead of a page. PAE's four root entries cannot do that, but four PDEs of the last directory can.
 *
 *   4-level   PML4[511] -> PML4    PTE of va: 511, i0, i1, i2, offset i3 * 8
 *   PAE       PDPT[3] -> PD3,  PD3[508 + i] -> PDi    PTE of va: 3, 508 + i0, i1, offset i2 * 8 */
#include "lab/private.h"

static unsigned entries_of(const struct format *format, unsigned level)
{
  return 1u << format->level[level].index_bits;
}

/* An address is built from indexes, root first. */
static uint64_t with_index(const struct format *format, uint64_t va, unsigned level, uint64_t index)
{
  return va | index << format->level[level].shift;
}

/* In PAE paging one level less can be told of: the directories take the root's place. */
static bool by_directory(const struct format *format)
{
  return format->root_latched;
}

bool lab_recursive_address(laddr_t va, unsigned level, laddr_t *entry)
{
  const struct format *f = lab_paging()->format;
  unsigned last = f->levels - 1u, shifted = last - level; /* how many levels the walk ends early, less one */
  uint64_t at = 0, slot = entries_of(f, 1) - 4u;
  if (by_directory(f) && level == 0)
    return false;
  unsigned to = 0; /* the level whose index is built next */
  if (by_directory(f)) {
    at = with_index(f, 0, 0, 3);
    to = 1;
    for (; shifted > 0; shifted--)
      at = with_index(f, at, to++, slot + 3);
    at = with_index(f, at, to++, slot + format_index(f, 0, va));
  } else {
    for (shifted++; shifted > 0; shifted--, to++)
      at = with_index(f, at, to, entries_of(f, 0) - 1u);
  }
  for (unsigned from = by_directory(f) ? 1 : 0; to <= last; from++, to++)
    at = with_index(f, at, to, format_index(f, from, va));
  at += (uint64_t)format_index(f, level, va) * f->entry_bytes;
  *entry = format_sign_extend(f, at);
  return true;
}

/* The entry that refers to a table of the level it stands at: of the root to the root, or of directory 3 to directory i. */
struct link {
  unsigned level, number;
  laddr_t va;    /* an address that it translates */
  laddr_t to_va; /* ... and one below the table that it is to refer to */
};

static unsigned link_count(const struct format *f)
{
  return by_directory(f) ? 4 : 1;
}

static struct link link_at(const struct format *f, unsigned number)
{
  struct link link = {.number = number};
  if (!by_directory(f)) {
    link.va = format_sign_extend(f, with_index(f, 0, 0, entries_of(f, 0) - 1u));
    return link;
  }
  link.level = 1;
  link.va = laddr(with_index(f, with_index(f, 0, 0, 3), 1, entries_of(f, 1) - 4u + number));
  link.to_va = laddr(with_index(f, 0, 0, number));
  return link;
}

/* The table that a link refers to, or would. */
static bool target(const struct link *link, paddr_t *table)
{
  struct walk walk = walk_run(lab_paging(), link->to_va);
  const struct walk_step *step = walk_at(&walk, link->level);
  *table = step ? step->table : paddr(0);
  return step != NULL;
}

bool lab_recursive(void)
{
  const struct paging *paging = lab_paging();
  struct link link = link_at(paging->format, by_directory(paging->format) ? 3 : 0);
  struct walk walk = walk_run(paging, link.va);
  const struct walk_step *step = walk_at(&walk, link.level);
  paddr_t table;
  return step && step->entry & 1 && !step->leaf && target(&link, &table) && format_address(paging, link.level, step->entry).v == table.v;
}

static const char *link_write(const struct link *link, bool on)
{
  const struct paging *paging = lab_paging();
  paddr_t table;
  uint64_t entry = 0;
  if (!target(link, &table))
    return "there is no table to map";
  if (on) { /* P, R/W; the supervisor's */
    entry = format_set_address(paging, link->level, 3, table);
  }
  return edit_entry(paging, lab_tables(), link->va, link->level, entry);
}

/* In PAE paging all four directories must be there. */
static const char *directories_make(bool on)
{
  const struct paging *paging = lab_paging();
  for (unsigned i = 0; i < 4 && on && by_directory(paging->format); i++) {
    const char *why = edit_reach(paging, lab_tables(), laddr(with_index(paging->format, 0, 0, i)), 1);
    if (why)
      return why;
  }
  return NULL;
}

const char *lab_recursive_set(bool on)
{
  const struct paging *paging = lab_paging();
  if (on == lab_recursive())
    return on ? "the paging structures are mapped by themselves already" : "they are not mapped by themselves";
  const char *why = directories_make(on);
  for (unsigned i = 0; i < link_count(paging->format) && !why; i++) {
    struct link link = link_at(paging->format, i);
    struct walk walk = walk_run(paging, link.va);
    const struct walk_step *step = walk_at(&walk, link.level);
    if (on && step && step->entry & 1)
      return "the last entries of the table are in use: unmap what is mapped at the top of the address space first";
  }
  for (unsigned i = 0; i < link_count(paging->format) && !why; i++) {
    /* Off: the last link goes first, for the others are found through it. */
    struct link link = link_at(paging->format, on ? i : link_count(paging->format) - 1 - i);
    why = link_write(&link, on);
  }
  return why;
}
