#include "lab/private.h"

#include <string.h>

#define PCID_MASK 0xfffu

static struct lab_space spaces[LAB_SPACES];

const struct lab_space *lab_space(unsigned index)
{
  return index < LAB_SPACES && spaces[index].used ? &spaces[index] : NULL;
}

void lab_spaces_init(void)
{
  memset(spaces, 0, sizeof spaces);
  spaces[0] = (struct lab_space){.used = true, .root = machine_layout()->root};
}

unsigned lab_space_current(void)
{
  for (unsigned i = 0; i < LAB_SPACES; i++)
    if (spaces[i].used && spaces[i].root.v == lab_paging()->root.v)
      return i;
  return 0;
}

uint64_t lab_space_cr3(unsigned index)
{
  bool pcide = machine_register_read(REGISTER_CR4) & CR4_PCIDE;
  return spaces[index].root.v | (pcide ? spaces[index].pcid & PCID_MASK : 0);
}

void lab_space_entered(unsigned index)
{
  spaces[index].entered++;
}

/* Copies the entries of the kernel's branch from the table of space 0: from the root down each level has one table on the way, the
 * directory one entry per page table of the kernel's. The page tables themselves are shared. */
static void branch_copy(const struct paging *paging, const paddr_t *copies)
{
  paddr_t table = spaces[0].root;
  unsigned bytes = paging->format->entry_bytes, directory = paging->format->levels - 2u;
  for (unsigned level = 0; level <= directory; level++) {
    unsigned entries = level < directory ? 1 : (unsigned)(machine_layout()->kernel_end >> paging->format->level[level].shift);
    uint64_t first = 0;
    for (unsigned i = 0; i < entries; i++) {
      uint64_t entry = 0;
      machine_entry_read(paddr(table.v + (uint64_t)i * bytes), bytes, &entry);
      first = i == 0 ? entry : first;
      if (level < directory)
        entry = format_set_address(paging, level, entry, copies[level + 1]);
      lab_entry_write(paddr(copies[level].v + (uint64_t)i * bytes), 0, entry);
    }
    table = format_address(paging, level, first);
  }
}

/* That the kernel is mapped in the new space is no news. */
static void no_news(void *context, const struct lab_change *change)
{
  (void)context;
  (void)change;
}

const char *lab_space_new(unsigned *index)
{
  const struct paging *paging = lab_paging();
  const struct edit_tables *tables = lab_tables();
  paddr_t copies[FORMAT_LEVELS_MAX] = {{0}};
  unsigned needed = paging->format->levels - 1u;
  for (*index = 0; *index < LAB_SPACES && spaces[*index].used; ++*index)
    ;
  if (*index == LAB_SPACES)
    return "there are 8 spaces already; reset takes all but the first away";
  if (tables->left(tables->context) < needed)
    return "no pages are left for another space's paging structures";
  for (unsigned i = 0; i < needed; i++)
    if (!tables->take(tables->context, &copies[i]))
      return "no pages are left for another space's paging structures";
  branch_copy(paging, copies);
  spaces[*index] = (struct lab_space){.used = true, .root = copies[0], .pcid = (uint16_t)*index};
  lab_tables_watch();
  lab_diff(no_news, NULL);
  return NULL;
}
