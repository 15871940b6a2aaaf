#include "measure/pages.h"

#include "lib/random.h"

#include <string.h>

#define TABLES_MAX 64
#define TAKEN_MAX 128
#define FRAMES_MAX 32
#define JUMP_BYTES 16u /* a jump in each: no two share what a CPU fetches at once */

/* What `exec` calls everywhere: mov $0, %eax; ret. */
static const uint8_t routine[8] = {0xb8, 0, 0, 0, 0, 0xc3};

static struct {
  unsigned shift, level, count, flags;
  unsigned per_table;         /* entries of the last level's tables, where that is not the root */
  uint8_t *table[TABLES_MAX]; /* where the entries that map pages are, table by table */
  paddr_t root_entry;         /* the first entry of the root that leads here */
  unsigned root_entries;
  unsigned taken;
  paddr_t page[TAKEN_MAX]; /* all that was taken from the lab: tables, and the frames */
  unsigned frames;
  paddr_t frame[FRAMES_MAX];
  unsigned slot; /* bytes that each page has of a frame; 0: all pages share the same */
  laddr_t va;
} p;

static uint16_t order[PAGES_CHAIN_MAX];

static const struct paging *paging(void)
{
  return lab_paging();
}

static unsigned word_bytes(void)
{
  return paging()->format->linear_bits > 32 ? 8 : 4;
}

/* ---- entries, past the lab ---- */

static bool take(void *context, paddr_t *table)
{
  (void)context;
  if (p.taken == TAKEN_MAX || !lab_tables()->take(lab_tables()->context, table))
    return false;
  p.page[p.taken++] = *table;
  return true;
}

static bool write_untold(void *context, const struct edit_write *write)
{
  (void)context;
  (void)write;
  return true;
}

static unsigned left(void *context)
{
  (void)context;
  return lab_tables()->left(lab_tables()->context);
}

static const struct edit_tables untold = {.take = take, .write = write_untold, .left = left};

static uint64_t entry_of(unsigned page)
{
  const uint8_t *table = p.table[page / p.per_table];
  unsigned index = page % p.per_table;
  if (paging()->format->entry_bytes == 4)
    return ((const volatile uint32_t *)(const void *)table)[index];
  return ((const volatile uint64_t *)(const void *)table)[index];
}

static void entry_set(unsigned page, uint64_t value)
{
  uint8_t *table = p.table[page / p.per_table];
  unsigned index = page % p.per_table;
  if (paging()->format->entry_bytes == 4)
    ((volatile uint32_t *)(void *)table)[index] = (uint32_t)value;
  else
    ((volatile uint64_t *)(void *)table)[index] = value;
}

static uint64_t a_flag(uint64_t entry)
{
  return format_mask(paging(), p.level, entry, ROLE_A);
}

bool pages_accessed(unsigned page)
{
  uint64_t entry = entry_of(page);
  return entry & a_flag(entry);
}

void pages_accessed_clear(unsigned page)
{
  uint64_t entry = entry_of(page);
  entry_set(page, entry & ~a_flag(entry));
}

void pages_present(unsigned page, bool present)
{
  uint64_t entry = entry_of(page);
  entry_set(page, present ? entry | 1 : entry & ~1ULL);
}

void pages_flush(void)
{
  machine_register_write(REGISTER_CR3, machine_register_read(REGISTER_CR3));
}

/* ---- a place for them ---- */

/* The first of @p wanted entries of the root that are 0 side by side, aligned to as many; 0: there are none (the first is the kernel's). */
static unsigned root_place(unsigned wanted)
{
  const struct format *format = paging()->format;
  unsigned end = 1u << format->level[0].index_bits;
  if (format->canonical) /* the lower half only, which ring 3 reaches under any hypervisor */
    end /= 2;
  for (unsigned first = end; first >= 2 * wanted; first -= wanted) {
    unsigned used = 0;
    for (unsigned i = first - wanted; i < first; i++) {
      uint64_t entry = 0;
      machine_entry_read(paddr(paging()->root.v + (uint64_t)i * format->entry_bytes), format->entry_bytes, &entry);
      used += entry != 0;
    }
    if (used == 0)
      return first - wanted;
  }
  return 0;
}

static unsigned tables_for(unsigned count)
{
  unsigned tables = 0;
  for (unsigned level = 1; level <= p.level; level++) {
    uint64_t bytes = (uint64_t)count << p.shift, span = 1ULL << paging()->format->level[level - 1].shift;
    tables += (unsigned)((bytes + span - 1) / span);
  }
  return tables;
}

/* Halves the number until there is a place and there are tables. */
static bool place_find(const struct pages_wanted *wanted)
{
  const struct format *format = paging()->format;
  unsigned root_shift = format->level[0].shift;
  for (p.count = wanted->count; p.count >= wanted->least; p.count /= 2) {
    uint64_t bytes = (uint64_t)p.count << p.shift;
    p.root_entries = (unsigned)((bytes + (1ULL << root_shift) - 1) >> root_shift);
    unsigned place = 2 * p.root_entries <= 1u << format->level[0].index_bits ? root_place(p.root_entries) : 0;
    p.va = laddr((uint64_t)place << root_shift);
    p.root_entry = paddr(paging()->root.v + (uint64_t)place * format->entry_bytes);
    if (place && tables_for(p.count) <= TABLES_MAX && tables_for(p.count) + p.frames + format->levels <= left(NULL))
      return true;
  }
  return false;
}

static const char *level_find(unsigned shift)
{
  const struct format *format = paging()->format;
  for (p.level = 0; p.level < format->levels && format->level[p.level].shift != shift; p.level++)
    ;
  return p.level < format->levels ? NULL : "this mode has no pages of that size";
}

/* ---- opening ---- */

static bool frames_take(void)
{
  for (unsigned i = 0; i < p.frames; i++) {
    if (!take(NULL, &p.frame[i]))
      return false;
    uint8_t *memory = machine_physical(p.frame[i]);
    for (unsigned at = 0; at < PAGE_SIZE; at += sizeof routine)
      memcpy(memory + at, routine, sizeof routine);
  }
  return true;
}

/* The physical address that accesses to the page reach. */
static uint64_t target(unsigned page)
{
  if (p.slot == 0)
    return p.frame[0].v;
  unsigned per_frame = PAGE_SIZE / p.slot;
  return p.frame[page / per_frame % p.frames].v + page % per_frame * (uint64_t)p.slot;
}

static laddr_t page_va(unsigned page)
{
  return laddr(p.va.v + ((uint64_t)page << p.shift));
}

laddr_t pages_at(unsigned page)
{
  return laddr(page_va(page).v + (target(page) & ((1ULL << p.shift) - 1)));
}

static paddr_t frame_of(unsigned page)
{
  return paddr(target(page) & ~((1ULL << p.shift) - 1));
}

/* The first page of each table is mapped as any other is; the rest of the table's entries are like its, but for the address. */
static const char *map_table(unsigned first)
{
  edit_error error = edit_map(paging(), &untold, page_va(first), frame_of(first), p.flags, 0, p.shift);
  if (error)
    return error;
  struct walk walk = walk_run(paging(), page_va(first));
  uint64_t entry = walk_last(&walk)->entry;
  p.table[first / p.per_table] = machine_physical(walk_last(&walk)->at);
  for (unsigned i = first + 1; i < first + p.per_table && i < p.count; i++)
    entry_set(i, format_set_address(paging(), p.level, entry, frame_of(i)));
  return NULL;
}

static const char *map_all(void)
{
  const char *error = NULL;
  for (unsigned first = 0; first < p.count && error == NULL; first += p.per_table)
    error = map_table(first);
  return error;
}

static void root_clear(void)
{
  const unsigned bytes = paging()->format->entry_bytes;
  for (unsigned i = 0; i < p.root_entries; i++)
    machine_entry_write(paddr(p.root_entry.v + (uint64_t)i * bytes), bytes, 0);
}

static void give_back(void)
{
  for (unsigned i = 0; i < p.taken; i++) {
    memset(machine_physical(p.page[i]), 0, PAGE_SIZE);
    lab_tables_return(p.page[i]);
  }
  p.taken = 0;
}

static bool can_be_read(uint8_t cpl)
{
  struct machine_access access = {.op = OP_READ, .va = pages_at(0), .cpl = cpl, .size = 4};
  return !machine_access(&access).fault.raised;
}

const char *pages_open(const struct pages_wanted *wanted)
{
  if (paging()->format == NULL)
    return "without paging there is nothing to measure: 'mode' turns it on";
  const char *error = level_find(wanted->shift);
  if (error)
    return error;
  p.shift = wanted->shift;
  p.slot = wanted->chain ? word_bytes() : wanted->code ? JUMP_BYTES : 0;
  p.frames = p.slot ? wanted->count * p.slot / PAGE_SIZE : 1;
  p.frames = p.frames < 1 ? 1 : p.frames > FRAMES_MAX ? FRAMES_MAX : p.frames;
  p.flags = EDIT_RW | EDIT_A | EDIT_D | (wanted->global ? EDIT_G : 0u) | (wanted->user ? EDIT_US : 0u);
  p.per_table = p.level ? 1u << paging()->format->level[p.level].index_bits : wanted->count;
  if (!place_find(wanted))
    return "there is no room for the pages to measure with: reset";
  error = frames_take() ? map_all() : "there is no memory for the pages to measure with: reset";
  pages_flush(); /* in PAE paging this makes the CPU read the PDPTEs */
  if (error == NULL && !can_be_read(wanted->user ? 3 : 0))
    error = "the pages to measure with cannot be read: a protection key forbids it";
  if (error)
    pages_close();
  return error;
}

void pages_close(void)
{
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  root_clear();
  if (cr4 & CR4_PGE && p.flags & EDIT_G) { /* which drops what is global too */
    lab_register_write(REGISTER_CR4, cr4 & ~CR4_PGE);
    lab_register_write(REGISTER_CR4, cr4);
  }
  lab_register_write(REGISTER_CR3, machine_register_read(REGISTER_CR3)); /* before their tables can become anything else */
  give_back();
}

unsigned pages_count(void)
{
  return p.count;
}

/* ---- chains ---- */

/* A random order that begins with page 0. */
static void shuffle(unsigned count, uint64_t seed)
{
  for (unsigned i = 0; i < count; i++)
    order[i] = (uint16_t)i;
  for (unsigned i = count; i-- > 2;) {
    unsigned other = 1 + random_below(&seed, i);
    uint16_t page = order[i];
    order[i] = order[other];
    order[other] = page;
  }
}

void pages_chain(unsigned count, uint64_t seed)
{
  shuffle(count, seed);
  for (unsigned i = 0; i < count; i++) {
    uint64_t next = pages_at(order[(i + 1) % count]).v;
    memcpy(machine_physical(paddr(target(order[i]))), &next, p.slot);
  }
}

void pages_jumps(unsigned count, uint64_t seed)
{
  shuffle(count, seed);
  for (unsigned i = 0; i < count; i++) {
    /* jmp rel32: e9, then how far it is from the next instruction; the last is ret: c3 */
    uint8_t jump[5] = {0xe9};
    uint32_t distance = (uint32_t)(pages_at(order[(i + 1) % count]).v - pages_at(order[i]).v) - sizeof jump;
    memcpy(jump + 1, &distance, sizeof distance);
    jump[0] = i + 1 < count ? jump[0] : 0xc3;
    memcpy(machine_physical(paddr(target(order[i]))), jump, sizeof jump);
  }
}
