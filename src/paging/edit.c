#include "paging/edit.h"

/* ---- What refuses an edit ----------------------------------------------------------------------------------------------- */

static const char paging_off[] = "paging is off: there are no paging structures to edit";
static const char not_canonical[] = "not a linear address in this mode: it is not canonical, or above 4 GiB in a 32-bit mode";
static const char no_ram[] = "an entry on the way lies where there is no RAM: correct the address in the entry above it";
static const char reserved_above[] = "an entry on the way has a reserved bit set: clear that bit first";
static const char large_above[] = "a larger page maps this address: split it or unmap it first";
static const char absent_above[] = "no table here yet, an entry above is not present: map a page first";
static const char no_tables_left[] = "no page is left for another paging structure";
static const char table_here[] = "a table of smaller pages is here: merge them first, or clear the entry that refers to it";
static const char no_xd[] = "32-bit paging has no XD bit; the formats of PAE, 4-level and 5-level paging have one";
static const char largest_already[] = "this page is as large as pages get in this mode";
static const char not_mapped[] = "no page is mapped here: map one first";

/* ---- Flags -------------------------------------------------------------------------------------------------------------- */

static const struct {
  uint16_t flag;
  uint16_t role;
} flag_roles[] = {
  {EDIT_RW, ROLE_RW}, {EDIT_US, ROLE_US},   {EDIT_PWT, ROLE_PWT}, {EDIT_PCD, ROLE_PCD}, {EDIT_A, ROLE_A},
  {EDIT_D, ROLE_D},   {EDIT_PAT, ROLE_PAT}, {EDIT_G, ROLE_G},     {EDIT_NX, ROLE_NX},
};

/* All bits of a role, whether or not what it needs is there: an edit may set a bit that is ignored or reserved just now. */
static uint64_t role_bits(const struct format_field *fields, enum field_role role)
{
  const struct format_field *f = format_field_of(fields, role);
  return f ? format_field_bits(f) : 0;
}

static uint64_t flag_bits(const struct format_field *fields, unsigned flags, unsigned *lacking)
{
  uint64_t bits = 0;
  *lacking = 0;
  for (unsigned i = 0; i < sizeof flag_roles / sizeof flag_roles[0]; i++) {
    if (!(flags & flag_roles[i].flag))
      continue;
    uint64_t bit = role_bits(fields, (enum field_role)flag_roles[i].role);
    bits |= bit;
    if (!bit)
      *lacking |= flag_roles[i].flag;
  }
  return bits;
}

uint64_t edit_flag_bits(const struct paging *paging, unsigned level, unsigned flags, unsigned *lacking)
{
  return flag_bits(paging->format->level[level].leaf_fields, flags, lacking);
}

/* ---- Entries ------------------------------------------------------------------------------------------------------------ */

static const struct format_level *level_of(const struct paging *paging, unsigned level)
{
  return &paging->format->level[level];
}

static unsigned entries_of(const struct paging *paging, unsigned level)
{
  return 1u << level_of(paging, level)->index_bits;
}

static paddr_t entry_at(const struct paging *paging, paddr_t table, unsigned index)
{
  return paddr(table.v + (uint64_t)index * paging->format->entry_bytes);
}

static void write_entry(const struct paging *paging, const struct edit_tables *tables, unsigned level, paddr_t at, uint64_t before,
                        uint64_t after)
{
  const struct edit_write write = {.level = (uint8_t)level,
                                   .bytes = paging->format->entry_bytes,
                                   .at = at,
                                   .before = before,
                                   .after = after};
  if (tables->write(tables->context, &write))
    (void)machine_entry_write(at, write.bytes, after);
}

/* An entry that refers to @p table and leaves all rights to the entries below it. */
static uint64_t table_entry(const struct paging *paging, unsigned level, paddr_t table)
{
  const struct format_field *fields = level_of(paging, level)->table_fields;
  uint64_t entry = role_bits(fields, ROLE_P) | role_bits(fields, ROLE_RW) | role_bits(fields, ROLE_US);
  return format_set_address(paging, level, entry, table);
}

/* A leaf entry at @p level with these flag bits. PS is not a flag: a leaf that has the bit is a leaf because of it. */
static uint64_t leaf_entry(const struct paging *paging, unsigned level, uint64_t bits, paddr_t pa)
{
  const struct format_field *fields = level_of(paging, level)->leaf_fields;
  uint64_t entry = bits | role_bits(fields, ROLE_P) | role_bits(fields, ROLE_PS);
  return format_set_address(paging, level, entry, pa);
}

/* The bit that one field of the leaf fields at @p to gets from @p entry, a leaf at @p from. */
static uint64_t moved_field(const struct format_field *to, const struct format_field *from_fields, uint64_t entry)
{
  if (to->role == ROLE_ADDRESS || to->role == ROLE_ADDRESS_HIGH || to->role == ROLE_RESERVED || to->role == ROLE_PS)
    return 0;
  /* Ignored bits are software's: they stay where they are. */
  if (to->role == ROLE_IGNORED)
    return entry & format_field_bits(to);
  const struct format_field *from = format_field_of(from_fields, (enum field_role)to->role);
  return from ? (entry & format_field_bits(from)) >> from->low << to->low : 0;
}

/* The flags of a leaf entry at level @p from, as bits of a leaf entry at level @p to:
 *
 *            63 62    52 51             13  12  11   9  8   7   6    0
 *  large    |XD| PK .. |  address   | 0  |PAT| ignored| G | 1 | D ... P |
 *  4 KiB    |XD| PK .. |  address        ... | ignored| G |PAT| D ... P | */
static uint64_t moved_flags(const struct paging *paging, unsigned from, unsigned to, uint64_t entry)
{
  uint64_t bits = 0;
  FORMAT_FOR_EACH_FIELD(f, level_of(paging, to)->leaf_fields) {
    bits |= moved_field(f, level_of(paging, from)->leaf_fields, entry);
  }
  return bits;
}

/* ---- The walk, seen by an edit ------------------------------------------------------------------------------------------ */

/* NULL where the walk of @p va can be made at all; what it ended with is then for the caller to look at. */
static edit_error start_walk(const struct paging *paging, laddr_t va, struct walk *walk)
{
  if (!paging->format)
    return paging_off;
  *walk = walk_run(paging, va);
  if (walk->end == WALK_NOT_CANONICAL)
    return not_canonical;
  if (walk->end == WALK_NO_MEMORY)
    return no_ram;
  return NULL;
}

/* As start_walk(), where the edit is of a leaf that is there. A leaf with a reserved bit set counts. */
static edit_error find_leaf(const struct paging *paging, laddr_t va, struct walk *walk)
{
  edit_error error = start_walk(paging, va, walk);
  if (error)
    return error;
  if (walk->end == WALK_NOT_PRESENT)
    return not_mapped;
  return walk_last(walk)->leaf ? NULL : reserved_above;
}

/* As start_walk(), where the edit is of the entry at @p level, whatever it holds. */
static edit_error find_entry(const struct paging *paging, laddr_t va, unsigned level, struct walk *walk)
{
  edit_error error = start_walk(paging, va, walk);
  if (error)
    return error;
  if (level >= paging->format->levels)
    return "no such level in this mode";
  if (walk_at(walk, level))
    return NULL;
  if (walk->end == WALK_RESERVED)
    return reserved_above;
  return walk->end == WALK_MAPPED ? large_above : absent_above;
}

/* ---- Map, unmap, protect ------------------------------------------------------------------------------------------------ */

/* The entry that edit_map() is to write, or why there cannot be one. */
static edit_error plan_leaf(const struct paging *paging, unsigned level, paddr_t pa, unsigned flags, unsigned key, uint64_t *entry)
{
  const struct format_field *fields = level_of(paging, level)->leaf_fields;
  const struct format_field *pk = format_field_of(fields, ROLE_PK);
  unsigned lacking;
  uint64_t bits = flag_bits(fields, flags, &lacking);
  if (lacking)
    return no_xd;
  if (key && !pk)
    return "no protection keys in this mode; 4-level and 5-level paging have them";
  if (key && key > address_mask(pk->width))
    return "a protection key is a number from 0 to 15";
  if (pk)
    bits |= (uint64_t)key << pk->low;
  if (pa.v & address_mask(level_of(paging, level)->shift))
    return "the physical address is not a multiple of the page size";
  *entry = leaf_entry(paging, level, bits, pa);
  if (!format_address_fits(paging, level, *entry, pa))
    return "the physical address has bits that an entry of this format cannot hold here";
  return NULL;
}

/* Whether a leaf can be written at @p level, given where the walk ended. */
static edit_error plan_place(const struct walk *walk, unsigned level)
{
  const struct walk_step *last = walk_last(walk);
  bool absent = walk->end == WALK_NOT_PRESENT;
  if (last->level == level && (absent || last->leaf))
    return NULL;
  if (last->level >= level)
    return table_here;
  if (absent)
    return NULL;
  return walk->end == WALK_RESERVED ? reserved_above : large_above;
}

/* Takes @p count tables, or none. */
static edit_error take_tables(const struct edit_tables *tables, unsigned count, paddr_t *taken)
{
  if (tables->left(tables->context) < count)
    return no_tables_left;
  for (unsigned i = 0; i < count; i++) {
    if (tables->take(tables->context, &taken[i]))
      continue;
    while (i--)
      tables->give(tables->context, taken[i]);
    return no_tables_left;
  }
  return NULL;
}

edit_error edit_map(const struct paging *paging, const struct edit_tables *tables, laddr_t va, paddr_t pa, unsigned flags, unsigned key,
                    unsigned shift)
{
  struct walk walk;
  uint64_t entry;
  paddr_t taken[FORMAT_LEVELS_MAX];
  const char *missing;
  edit_error error = start_walk(paging, va, &walk);
  if (error)
    return error;
  int found = format_level_of_size(paging, shift, &missing);
  if (found < 0)
    return missing ? missing : "this mode has no pages of that size";
  unsigned level = (unsigned)found;
  if ((error = plan_leaf(paging, level, pa, flags, key, &entry)))
    return error;
  if ((error = plan_place(&walk, level)))
    return error;
  const struct walk_step *last = walk_last(&walk);
  unsigned top = last->level;
  if ((error = take_tables(tables, level - top, taken)))
    return error;
  /* From the leaf upwards, so that a walk at any moment finds either the old structures or the complete new ones. */
  for (; level > top; level--) {
    paddr_t table = taken[level - top - 1];
    write_entry(paging, tables, level, entry_at(paging, table, format_index(paging->format, level, va)), 0, entry);
    entry = table_entry(paging, level - 1, table);
  }
  write_entry(paging, tables, last->level, last->at, last->entry, entry);
  return NULL;
}

edit_error edit_unmap(const struct paging *paging, const struct edit_tables *tables, laddr_t va, bool keep)
{
  struct walk walk;
  edit_error error = find_leaf(paging, va, &walk);
  if (error)
    return error;
  const struct walk_step *leaf = walk_last(&walk);
  uint64_t present = role_bits(level_of(paging, leaf->level)->leaf_fields, ROLE_P);
  write_entry(paging, tables, leaf->level, leaf->at, leaf->entry, keep ? leaf->entry & ~present : 0);
  return NULL;
}

static edit_error find_protected(const struct paging *paging, laddr_t va, int level, struct walk *walk, const struct walk_step **step)
{
  edit_error error = level < 0 ? find_leaf(paging, va, walk) : find_entry(paging, va, (unsigned)level, walk);
  if (error)
    return error;
  *step = level < 0 ? walk_last(walk) : walk_at(walk, (unsigned)level);
  bool present = (*step)->entry & format_mask(paging, (*step)->level, (*step)->entry, ROLE_P);
  return present ? NULL : not_mapped;
}

edit_error edit_protect(const struct paging *paging, const struct edit_tables *tables, laddr_t va, int level, unsigned set, unsigned clear)
{
  struct walk walk;
  const struct walk_step *step;
  unsigned lacking, absent;
  edit_error error = find_protected(paging, va, level, &walk, &step);
  if (error)
    return error;
  const struct format_field *fields = format_fields(paging, step->level, step->entry);
  uint64_t on = flag_bits(fields, set, &lacking);
  /* A flag that the entry has no bit for is clear already. */
  uint64_t off = flag_bits(fields, clear, &absent);
  if (set & clear)
    return "a flag cannot be both set and cleared: name it once";
  if (lacking & EDIT_NX && paging->format->entry_bytes == 4)
    return no_xd;
  if (lacking)
    return "an entry that refers to a table has no such flag; the entry that maps the page may have it";
  write_entry(paging, tables, step->level, step->at, step->entry, (step->entry & ~off) | on);
  return NULL;
}

edit_error edit_entry(const struct paging *paging, const struct edit_tables *tables, laddr_t va, unsigned level, uint64_t value)
{
  struct walk walk;
  edit_error error = find_entry(paging, va, level, &walk);
  if (error)
    return error;
  if (value & ~address_mask(8u * paging->format->entry_bytes))
    return "an entry of 32-bit paging holds 32 bits: the value is too large";
  write_entry(paging, tables, level, walk_at(&walk, level)->at, walk_at(&walk, level)->entry, value);
  return NULL;
}

edit_error edit_reach(const struct paging *paging, const struct edit_tables *tables, laddr_t va, unsigned level)
{
  struct walk walk;
  paddr_t taken[FORMAT_LEVELS_MAX] = {{0}};
  edit_error error = start_walk(paging, va, &walk);
  if (error)
    return error;
  if (walk_at(&walk, level))
    return NULL;
  if (walk.end != WALK_NOT_PRESENT)
    return walk.end == WALK_MAPPED ? large_above : reserved_above;
  const struct walk_step *last = walk_last(&walk);
  if ((error = take_tables(tables, level - last->level, taken)))
    return error;
  for (unsigned at = level; at > last->level + 1u; at--) {
    paddr_t table = taken[at - last->level - 2];
    write_entry(paging, tables, at - 1, entry_at(paging, table, format_index(paging->format, at - 1, va)), 0,
                table_entry(paging, at - 1, taken[at - last->level - 1]));
  }
  write_entry(paging, tables, last->level, last->at, last->entry, table_entry(paging, last->level, taken[0]));
  return NULL;
}

/* ---- Split and merge ---------------------------------------------------------------------------------------------------- */

edit_error edit_split(const struct paging *paging, const struct edit_tables *tables, laddr_t va)
{
  struct walk walk;
  paddr_t table;
  edit_error error = find_leaf(paging, va, &walk);
  if (error)
    return error;
  if (walk.end != WALK_MAPPED)
    return "the entry has a reserved bit set and maps nothing: clear that bit first";
  const struct walk_step *large = walk_last(&walk);
  unsigned level = large->level + 1u;
  if (level >= paging->format->levels)
    return "a 4 KiB page cannot be split: there is no smaller one";
  uint64_t bits = moved_flags(paging, large->level, level, large->entry);
  paddr_t pa = format_address(paging, large->level, large->entry);
  if (!format_address_fits(paging, level, leaf_entry(paging, level, bits, pa), pa)) {
    return "the page lies above 4 GiB, where only a 4 MiB page of PSE-36 can map it: map a frame below 4 GiB to split it";
  }
  if ((error = take_tables(tables, 1, &table)))
    return error;
  for (unsigned i = 0; i < entries_of(paging, level); i++) {
    paddr_t frame = paddr(pa.v + ((uint64_t)i << level_of(paging, level)->shift));
    write_entry(paging, tables, level, entry_at(paging, table, i), 0, leaf_entry(paging, level, bits, frame));
  }
  write_entry(paging, tables, large->level, large->at, large->entry, table_entry(paging, large->level, table));
  return NULL;
}

/* Gathers in *@p together the first entry of @p table with A and D of them all, if the entries are one large page in all but form. */
static edit_error plan_merge(const struct paging *paging, unsigned level, paddr_t table, uint64_t *together)
{
  const struct format_field *fields = level_of(paging, level)->leaf_fields;
  uint64_t present = role_bits(fields, ROLE_P);
  uint64_t used = role_bits(fields, ROLE_A) | role_bits(fields, ROLE_D);
  uint64_t first = 0, step = 0;
  for (unsigned i = 0; i < entries_of(paging, level); i++, step += 1ULL << level_of(paging, level)->shift) {
    uint64_t entry;
    if (!machine_entry_read(entry_at(paging, table, i), paging->format->entry_bytes, &entry))
      return no_ram;
    if (!i)
      *together = first = entry;
    *together |= entry & used;
    if (!(entry & present))
      return "an entry of the table is not present: all of them must map a page";
    if (!format_is_leaf(paging, level, entry))
      return "an entry of the table refers to another table: merge that one first";
    if (entry & format_reserved(paging, level, entry))
      return "an entry of the table has a reserved bit set: clear that bit first";
    if (format_address(paging, level, entry).v != format_address(paging, level, first).v + step) {
      return "the frames of the table are not one run in ascending order";
    }
    uint64_t alike = ~(used | format_mask(paging, level, first, ROLE_ADDRESS) | format_mask(paging, level, first, ROLE_ADDRESS_HIGH));
    if ((entry ^ first) & alike)
      return "the entries of the table differ in more than A and D: make their flags alike first";
  }
  return NULL;
}

/* The rights of @p above, the entry that referred to the table, are part of every translation through it: the large page that
 * takes its place must not grant more. */
static uint64_t limit_rights(const struct paging *paging, unsigned level, uint64_t entry, uint64_t above)
{
  const struct format_level *l = level_of(paging, level);
  uint64_t granted = role_bits(l->table_fields, ROLE_RW) | role_bits(l->table_fields, ROLE_US);
  uint64_t denied = role_bits(l->table_fields, ROLE_NX);
  return (entry & ~(granted & ~above)) | (above & denied);
}

edit_error edit_merge(const struct paging *paging, const struct edit_tables *tables, laddr_t va)
{
  struct walk walk;
  const char *missing;
  uint64_t together = 0;
  edit_error error = find_leaf(paging, va, &walk);
  if (error)
    return error;
  const struct walk_step *small = walk_last(&walk);
  if (small->level == 0)
    return largest_already;
  const struct walk_step *above = walk_at(&walk, small->level - 1u);
  unsigned shift = level_of(paging, above->level)->shift;
  if (format_level_of_size(paging, shift, &missing) < 0)
    return missing ? missing : largest_already;
  if ((error = plan_merge(paging, small->level, small->table, &together)))
    return error;
  paddr_t pa = format_address(paging, small->level, together);
  if (pa.v & address_mask(shift))
    return "the first frame of the table is not a multiple of the large page's size";
  uint64_t large = leaf_entry(paging, above->level, moved_flags(paging, small->level, above->level, together), pa);
  large = limit_rights(paging, above->level, large, above->entry);
  write_entry(paging, tables, above->level, above->at, above->entry, large);
  tables->give(tables->context, small->table);
  return NULL;
}
