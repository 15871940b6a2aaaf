#include "machine/identity.h"

#include "machine/layout.h"

/* Entries as the kernel's own branch uses them. A and D are set beforehand, so that the CPU never has to.
 *   6 5 .. 2   1   0
 *   D A    U/S R/W P */
#define ENTRY_KERNEL 0x63u
#define ENTRY_USER_CODE 0x25u
#define ENTRY_USER_STACK 0x67u
#define ENTRY_TABLE 0x27u
#define ENTRY_LARGE 0xe3u     /* ENTRY_KERNEL with PS: 2 MiB at once */
#define ENTRY_PAE_PDPTE 0x01u /* PAE PDPTEs carry no rights and no A flag: those bits are reserved */

/* The chain of single tables from the root down to the directory that holds the page tables of the low 16 MiB. */
struct branch {
  uint8_t entry_bytes;
  uint8_t upper; /* how many tables stand above the directory */
  uint8_t page_tables;
  uint8_t upper_entry;
};

static const struct branch branches[MACHINE_MODES] = {
  [MACHINE_32] = {4, 0, 4, ENTRY_TABLE},
  [MACHINE_PAE] = {8, 1, 8, ENTRY_PAE_PDPTE},
  [MACHINE_4LEVEL] = {8, 2, 8, ENTRY_TABLE},
  [MACHINE_5LEVEL] = {8, 3, 8, ENTRY_TABLE},
};

static uint32_t table_at(unsigned number)
{
  return LAYOUT_KERNEL_TABLES + number * PAGE_SIZE;
}

static void entry_put(uintptr_t memory, uint32_t at, unsigned bytes, uint64_t value)
{
  if (bytes == 4) {
    *(volatile uint32_t *)(memory + at) = (uint32_t)value;
    return;
  }
  *(volatile uint64_t *)(memory + at) = value;
}

static uint32_t leaf_entry(uint32_t page)
{
  bool window = page >= LAYOUT_WINDOWS && page < LAYOUT_WINDOWS + LAYOUT_WINDOW_COUNT * PAGE_SIZE;
  if (page == 0 || window)
    return 0;
  if (page == LAYOUT_USER_CODE)
    return page | ENTRY_USER_CODE;
  if (page == LAYOUT_USER_STACK)
    return page | ENTRY_USER_STACK;
  return page | ENTRY_KERNEL;
}

/* A table whose first @p count entries lead to the tables from number @p next on; the others are not present. */
static void table_build(const struct branch *b, uintptr_t memory, unsigned number, unsigned next, unsigned count, uint8_t flags)
{
  for (unsigned i = 0; i < PAGE_SIZE / b->entry_bytes; i++)
    entry_put(memory, table_at(number) + i * b->entry_bytes, b->entry_bytes, i < count ? table_at(next + i) | flags : 0);
}

bool identity_framebuffer(enum machine_mode mode, uint64_t framebuffer)
{
  const uint64_t room = LAYOUT_FRAMEBUFFER_END - LAYOUT_FRAMEBUFFER;
  return framebuffer != 0 && branches[mode].entry_bytes && (branches[mode].entry_bytes == 8 || framebuffer + room <= 1ULL << 32);
}

/* In 2 MiB pages, by the directory's next entries; in 32-bit paging, whose large pages take CR4.PSE, by page tables of their own. What the
 * memory is cached as is for the MTRRs to say, as without paging. */
static void framebuffer_map(const struct branch *b, uintptr_t memory, uint64_t framebuffer)
{
  unsigned directory = b->upper, tables = b->page_tables, first_table = directory + 1 + tables;
  uint64_t base = framebuffer & ~(uint64_t)(LAYOUT_FRAMEBUFFER_PAGE - 1), room = LAYOUT_FRAMEBUFFER_END - LAYOUT_FRAMEBUFFER;
  if (b->entry_bytes == 8) {
    for (unsigned i = 0; i < room / LAYOUT_FRAMEBUFFER_PAGE; i++)
      entry_put(memory, table_at(directory) + (tables + i) * 8, 8, (base + (uint64_t)i * LAYOUT_FRAMEBUFFER_PAGE) | ENTRY_LARGE);
    return;
  }
  for (unsigned i = 0; i < room >> PAGE_SHIFT; i++)
    entry_put(memory, table_at(first_table) + i * 4, 4, (base + (uint64_t)i * PAGE_SIZE) | ENTRY_KERNEL);
  for (unsigned i = 0; i < tables; i++)
    entry_put(memory, table_at(directory) + (tables + i) * 4, 4, table_at(first_table + i) | ENTRY_TABLE);
}

/* The tables may be in use while they are built again (reset): so each entry is written once, with its final value, and the kernel never
 * loses a translation that it runs on. */
void identity_build(enum machine_mode mode, uintptr_t memory, uint64_t framebuffer)
{
  const struct branch *b = &branches[mode];
  if (b->entry_bytes == 0)
    return;
  unsigned directory = b->upper;
  unsigned first_table = directory + 1;
  for (unsigned i = 0; i < b->upper; i++)
    table_build(b, memory, i, i + 1, 1, b->upper_entry);
  table_build(b, memory, directory, first_table, b->page_tables, ENTRY_TABLE);
  for (uint32_t page = 0; page < LAYOUT_KERNEL_END; page += PAGE_SIZE)
    entry_put(memory, table_at(first_table) + (page >> PAGE_SHIFT) * b->entry_bytes, b->entry_bytes, leaf_entry(page));
  if (identity_framebuffer(mode, framebuffer))
    framebuffer_map(b, memory, framebuffer);
}

paddr_t identity_entry(enum machine_mode mode, uint64_t va)
{
  const struct branch *b = &branches[mode];
  return paddr(table_at(b->upper + 1u) + (va >> PAGE_SHIFT) * b->entry_bytes);
}

unsigned identity_entry_bytes(enum machine_mode mode)
{
  return branches[mode].entry_bytes;
}
