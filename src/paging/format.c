#include "paging/format.h"

#include "lib/format.h"

#include <string.h>

/* ---- The rows ---------------------------------------------------------------------------------------------------------- */

/* clang-format off */

/* Bits 0 to 5 mean the same in every entry but the PDPTE of PAE paging:
 *     5   4   3   2   1   0
 *   +---+---+---+---+---+---+
 *   | A |PCD|PWT|U/S|R/W| P |
 *   +---+---+---+---+---+---+ */
#define P {"P", 0, 1, ROLE_P, 0, 0}
#define PWT {"PWT", 3, 1, ROLE_PWT, 0, 0}
#define PCD {"PCD", 4, 1, ROLE_PCD, 0, 0}
#define P_TO_A P, {"R/W", 1, 1, ROLE_RW, 0, 0}, {"U/S", 2, 1, ROLE_US, 0, 0}, PWT, PCD, {"A", 5, 1, ROLE_A, 0, 0}
#define D {"D", 6, 1, ROLE_D, 0, 0}
#define PS(needs, otherwise) {"PS", 7, 1, ROLE_PS, needs, otherwise}
#define G {"G", 8, 1, ROLE_G, CONDITION_PGE, OTHERWISE_IGNORED}
#define PAT(bit, otherwise) {"PAT", bit, 1, ROLE_PAT, CONDITION_PAT, otherwise}
#define PK {"PK", 59, 4, ROLE_PK, CONDITION_PKE, OTHERWISE_IGNORED}
#define XD {"XD", 63, 1, ROLE_NX, CONDITION_NXE, OTHERWISE_RESERVED}
/* From bit `low` to bit `high`, both included, as the SDM writes a range. */
#define ADDRESS(high, low) {"address", low, (high) - (low) + 1, ROLE_ADDRESS, 0, 0}
#define RESERVED(high, low) {"reserved", low, (high) - (low) + 1, ROLE_RESERVED, 0, 0}
#define IGNORED(high, low) {"ignored", low, (high) - (low) + 1, ROLE_IGNORED, 0, 0}
#define END {NULL, 0, 0, 0, 0, 0}

/* 32-bit paging:
 *        31        22 21 20          13  12 11   9 8 7 6 5        0
 *       +------------+--+--------------+---+------+-+-+-+----------+
 *  PDE  |      address of page table       | ignored|0|i| A ... P  |
 *  4MiB |31:22 of adr|0 |39:32 of addr.|PAT| ign. |G|1|D| A ... P  |
 *  PTE  |      address of page             | ign. |G|*|D| A ... P  |   * PAT
 *       +----------------------------------+------+-+-+-+----------+
 * It has reserved bits only while CR4.PSE is 1. */
static const struct format_field pde_32[] = {
  P_TO_A, IGNORED(6, 6), PS(CONDITION_PSE, OTHERWISE_IGNORED), IGNORED(11, 8), ADDRESS(31, 12), END,
};

static const struct format_field pde_32_4m[] = {
  P_TO_A, D, PS(0, 0), G, IGNORED(11, 9), PAT(12, OTHERWISE_RESERVED),
  {"address", 13, 8, ROLE_ADDRESS_HIGH, CONDITION_PSE36, OTHERWISE_RESERVED}, RESERVED(21, 21), ADDRESS(31, 22), END,
};

static const struct format_field pte_32[] = {
  P_TO_A, D, PAT(7, OTHERWISE_RESERVED_IF_PSE), G, IGNORED(11, 9), ADDRESS(31, 12), END,
};

/* PAE paging:
 *        63 62    52 51     30 29   21 20   13  12  11   9 8 7 6 5        0
 *       +--+--------+---------+-------+-------+---+------+-+-+-+----------+
 * PDPTE |0 |   0    |  address of page directory  | ign. |   0   |CD,WT|0,0,P|
 *  PDE  |XD|   0    |  address of page table      | ignored|0|i| A ... P  |
 *  2MiB |XD|   0    |  address of page|   0   |PAT| ign. |G|1|D| A ... P  |
 *  PTE  |XD|   0    |  address of page            | ign. |G|*|D| A ... P  |   * PAT
 *       +--+--------+-----------------------------+------+-+-+-+----------+
 * The PDPTE carries no rights: where other entries have R/W, U/S and A it has reserved bits. */
static const struct format_field pdpte_pae[] = {
  P, RESERVED(2, 1), PWT, PCD, RESERVED(8, 5), IGNORED(11, 9), ADDRESS(51, 12), RESERVED(63, 52), END,
};

static const struct format_field pde_pae[] = {
  P_TO_A, IGNORED(6, 6), PS(0, 0), IGNORED(11, 8), ADDRESS(51, 12), RESERVED(62, 52), XD, END,
};

static const struct format_field pde_pae_2m[] = {
  P_TO_A, D, PS(0, 0), G, IGNORED(11, 9), PAT(12, OTHERWISE_RESERVED), RESERVED(20, 13), ADDRESS(51, 21), RESERVED(62, 52), XD, END,
};

static const struct format_field pte_pae[] = {
  P_TO_A, D, PAT(7, OTHERWISE_RESERVED), G, IGNORED(11, 9), ADDRESS(51, 12), RESERVED(62, 52), XD, END,
};

/* 4-level and 5-level paging:
 *            63 62 59 58 52 51     30 29   21 20   13  12  11   9 8 7 6 5       0
 *           +--+-----+-----+---------+-------+-------+---+------+-+-+-+---------+
 * PML5E, 4E |XD|  ignored  |  address of next table      | ignored|0|i| A ... P |
 * PDPTE,PDE |XD|  ignored  |  address of next table      | ignored|0|i| A ... P |
 *    1 GiB  |XD| PK  | ign.| address |       0       |PAT| ign. |G|1|D| A ... P |
 *    2 MiB  |XD| PK  | ign.|     address     |   0   |PAT| ign. |G|1|D| A ... P |
 *      PTE  |XD| PK  | ign.|  address of page            | ign. |G|*|D| A ... P |   * PAT
 *           +--+-----+-----+-----------------------------+------+-+-+-+---------+
 * Bit 7 of a PML5E or PML4E is reserved; so is the PS of a PDPTE on a CPU without 1 GiB pages. */
static const struct format_field pml[] = {
  P_TO_A, IGNORED(6, 6), RESERVED(7, 7), IGNORED(11, 8), ADDRESS(51, 12), IGNORED(62, 52), XD, END,
};

static const struct format_field pdpte[] = {
  P_TO_A, IGNORED(6, 6), PS(CONDITION_PAGE1GB, OTHERWISE_RESERVED), IGNORED(11, 8), ADDRESS(51, 12), IGNORED(62, 52), XD, END,
};

static const struct format_field pdpte_1g[] = {
  P_TO_A, D, PS(0, 0), G, IGNORED(11, 9), PAT(12, OTHERWISE_RESERVED), RESERVED(29, 13), ADDRESS(51, 30), IGNORED(58, 52), PK, XD, END,
};

static const struct format_field pde[] = {
  P_TO_A, IGNORED(6, 6), PS(0, 0), IGNORED(11, 8), ADDRESS(51, 12), IGNORED(62, 52), XD, END,
};

static const struct format_field pde_2m[] = {
  P_TO_A, D, PS(0, 0), G, IGNORED(11, 9), PAT(12, OTHERWISE_RESERVED), RESERVED(20, 13), ADDRESS(51, 21), IGNORED(58, 52), PK, XD, END,
};

static const struct format_field pte[] = {
  P_TO_A, D, PAT(7, OTHERWISE_RESERVED), G, IGNORED(11, 9), ADDRESS(51, 12), IGNORED(58, 52), PK, XD, END,
};

#define LONG_LEVELS_4_TO_1 \
  {"PML4E", "PML4 table", 39, 9, LEAF_NEVER, 0, pml, NULL}, \
  {"PDPTE", "page-directory-pointer table", 30, 9, LEAF_IF_PS, CONDITION_PAGE1GB, pdpte, pdpte_1g}, \
  {"PDE", "page directory", 21, 9, LEAF_IF_PS, 0, pde, pde_2m}, \
  {"PTE", "page table", 12, 9, LEAF_ALWAYS, 0, NULL, pte}

static const struct format formats[MACHINE_MODES] = {
  [MACHINE_32] = {
    MACHINE_32, "32", 4, 32, false, 2, 12, {
      {"PDE", "page directory", 22, 10, LEAF_IF_PS, CONDITION_PSE, pde_32, pde_32_4m},
      {"PTE", "page table", 12, 10, LEAF_ALWAYS, 0, NULL, pte_32},
    }, false,
  },
  [MACHINE_PAE] = {
    MACHINE_PAE, "pae", 8, 32, false, 3, 5, {
      {"PDPTE", "page-directory-pointer table", 30, 2, LEAF_NEVER, 0, pdpte_pae, NULL},
      {"PDE", "page directory", 21, 9, LEAF_IF_PS, 0, pde_pae, pde_pae_2m},
      {"PTE", "page table", 12, 9, LEAF_ALWAYS, 0, NULL, pte_pae},
    }, true,
  },
  [MACHINE_4LEVEL] = {MACHINE_4LEVEL, "4level", 8, 48, true, 4, 12, {LONG_LEVELS_4_TO_1}, false},
  [MACHINE_5LEVEL] = {
    MACHINE_5LEVEL, "5level", 8, 57, true, 5, 12, {
      {"PML5E", "PML5 table", 48, 9, LEAF_NEVER, 0, pml, NULL},
      LONG_LEVELS_4_TO_1,
    }, false,
  },
};

/* Why a large page does not exist here, by the condition that its level needs. */
static const struct {
  unsigned condition;
  const char *missing;
} missing_conditions[] = {
  {CONDITION_PSE, "CR4.PSE is 0"},
  {CONDITION_PAGE1GB, "this CPU has no 1 GiB pages (CPUID.80000001H:EDX.Page1GB[bit 26] is 0)"},
};

/* clang-format on */

#undef P
#undef D
#undef G

/* ---- Reading the machine ------------------------------------------------------------------------------------------------ */

const struct format *format_of(enum machine_mode mode)
{
  return mode > MACHINE_OFF && mode < MACHINE_MODES ? &formats[mode] : NULL;
}

unsigned format_conditions(uint32_t features, uint64_t cr4, uint64_t efer)
{
  unsigned conditions = 0;
  if (cr4 & CR4_PSE)
    conditions |= CONDITION_PSE;
  if (cr4 & CR4_PGE)
    conditions |= CONDITION_PGE;
  if (cr4 & CR4_PKE)
    conditions |= CONDITION_PKE;
  if (efer & EFER_NXE)
    conditions |= CONDITION_NXE;
  if (machine_features_have(features, FEATURE_PSE36))
    conditions |= CONDITION_PSE36;
  if (machine_features_have(features, FEATURE_PAT))
    conditions |= CONDITION_PAT;
  if (machine_features_have(features, FEATURE_PAGE1GB))
    conditions |= CONDITION_PAGE1GB;
  return conditions;
}

void paging_read(struct paging *paging)
{
  const struct machine_cpu *cpu = machine_cpu();
  uint64_t cr0 = machine_register_read(REGISTER_CR0);
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  uint64_t efer = machine_register_read(REGISTER_EFER);
  memset(paging, 0, sizeof *paging);
  paging->format = format_of(machine_mode());
  paging->conditions = format_conditions(cpu->features, cr4, efer);
  paging->maxphyaddr = cpu->maxphyaddr;
  /* CR3:  M-1          cr3_low          0
   *      | address of root | PCID or PWT, PCD | */
  if (paging->format) {
    uint64_t low = address_mask(paging->format->cr3_low);
    paging->root = paddr(machine_register_read(REGISTER_CR3) & address_mask(paging->maxphyaddr) & ~low);
  }
  paging->wp = (cr0 & CR0_WP) != 0;
  paging->smep = (cr4 & CR4_SMEP) != 0;
  paging->smap = (cr4 & CR4_SMAP) != 0;
  paging->pke = (cr4 & CR4_PKE) != 0;
  paging->nxe = (efer & EFER_NXE) != 0;
  paging->ac = (machine_register_read(REGISTER_FLAGS) & FLAGS_AC) != 0;
  paging->pkru = (uint32_t)machine_register_read(REGISTER_PKRU);
}

/* ---- Entries ------------------------------------------------------------------------------------------------------------ */

/* PSE-36: bit 13 of the entry is bit 32 of the address, and so on. */
#define ADDRESS_HIGH_SHIFT (32 - 13)

const struct format_field *format_fields(const struct paging *paging, unsigned level, uint64_t entry)
{
  const struct format_level *l = &paging->format->level[level];
  return format_is_leaf(paging, level, entry) ? l->leaf_fields : l->table_fields;
}

const struct format_field *format_field_of(const struct format_field *fields, enum field_role role)
{
  if (!fields)
    return NULL;
  FORMAT_FOR_EACH_FIELD(f, fields) {
    if (f->role == role)
      return f;
  }
  return NULL;
}

uint64_t format_field_bits(const struct format_field *f)
{
  return address_mask(f->width) << f->low;
}

enum field_role format_role(const struct paging *paging, const struct format_field *f)
{
  if ((paging->conditions & f->needs) == f->needs)
    return (enum field_role)f->role;
  if (f->otherwise == OTHERWISE_RESERVED)
    return ROLE_RESERVED;
  if (f->otherwise == OTHERWISE_RESERVED_IF_PSE && (paging->conditions & CONDITION_PSE))
    return ROLE_RESERVED;
  return ROLE_IGNORED;
}

/* The bits of a field that is used for an address and would hold address bits at and above MAXPHYADDR. */
static uint64_t bits_beyond(const struct paging *paging, const struct format_field *f, enum field_role role)
{
  uint64_t beyond = ~address_mask(paging->maxphyaddr);
  if (role == ROLE_ADDRESS)
    return format_field_bits(f) & beyond;
  if (role == ROLE_ADDRESS_HIGH)
    return format_field_bits(f) & beyond >> ADDRESS_HIGH_SHIFT;
  return 0;
}

/* The bits of @p f that have @p role here. */
static uint64_t field_mask(const struct paging *paging, const struct format_field *f, enum field_role role)
{
  enum field_role here = format_role(paging, f);
  uint64_t beyond = bits_beyond(paging, f, here);
  uint64_t mask = here == role ? format_field_bits(f) & ~beyond : 0;
  return role == ROLE_RESERVED ? mask | beyond : mask;
}

/* The masks of all roles in entries of each kind. They are asked for at every step of every walk, and change only with the control
 * registers, so those of the last state asked about are kept. */
static struct masks {
  const struct format *format;
  unsigned conditions;
  uint8_t maxphyaddr;
  uint64_t table[FORMAT_LEVELS_MAX][ROLES], leaf[FORMAT_LEVELS_MAX][ROLES];
} kept;

static void masks_add(const struct paging *paging, const struct format_field *fields, uint64_t masks[ROLES])
{
  if (!fields)
    return;
  FORMAT_FOR_EACH_FIELD(f, fields) {
    enum field_role role = format_role(paging, f);
    masks[role] |= field_mask(paging, f, role);
    masks[ROLE_RESERVED] |= field_mask(paging, f, ROLE_RESERVED);
  }
}

static void masks_make(const struct paging *paging)
{
  memset(&kept, 0, sizeof kept);
  for (unsigned i = 0; i < paging->format->levels; i++) {
    masks_add(paging, paging->format->level[i].table_fields, kept.table[i]);
    masks_add(paging, paging->format->level[i].leaf_fields, kept.leaf[i]);
  }
  kept.format = paging->format;
  kept.conditions = paging->conditions;
  kept.maxphyaddr = paging->maxphyaddr;
}

static inline const struct masks *masks_of(const struct paging *paging)
{
  if (kept.format != paging->format || kept.conditions != paging->conditions || kept.maxphyaddr != paging->maxphyaddr)
    masks_make(paging);
  return &kept;
}

bool format_is_leaf(const struct paging *paging, unsigned level, uint64_t entry)
{
  const struct format_level *l = &paging->format->level[level];
  if (l->leaf != LEAF_IF_PS)
    return l->leaf == LEAF_ALWAYS;
  if ((paging->conditions & l->leaf_needs) != l->leaf_needs)
    return false;
  return (entry & masks_of(paging)->leaf[level][ROLE_PS]) != 0;
}

const uint64_t *format_masks(const struct paging *paging, unsigned level, uint64_t entry)
{
  const struct masks *masks = masks_of(paging);
  return format_is_leaf(paging, level, entry) ? masks->leaf[level] : masks->table[level];
}

uint64_t format_mask(const struct paging *paging, unsigned level, uint64_t entry, enum field_role role)
{
  return format_masks(paging, level, entry)[role];
}

uint64_t format_reserved(const struct paging *paging, unsigned level, uint64_t entry)
{
  return format_mask(paging, level, entry, ROLE_RESERVED);
}

uint64_t format_value(const struct paging *paging, unsigned level, uint64_t entry, enum field_role role)
{
  const struct format_field *f = format_field_of(format_fields(paging, level, entry), role);
  if (!f || format_role(paging, f) != role)
    return 0;
  return (entry & format_field_bits(f)) >> f->low;
}

paddr_t format_address(const struct paging *paging, unsigned level, uint64_t entry)
{
  const uint64_t *masks = format_masks(paging, level, entry);
  uint64_t low = entry & masks[ROLE_ADDRESS], high = entry & masks[ROLE_ADDRESS_HIGH];
  return paddr(high << ADDRESS_HIGH_SHIFT | low);
}

uint64_t format_set_address(const struct paging *paging, unsigned level, uint64_t entry, paddr_t address)
{
  uint64_t low = format_mask(paging, level, entry, ROLE_ADDRESS);
  uint64_t high = format_mask(paging, level, entry, ROLE_ADDRESS_HIGH);
  return (entry & ~(low | high)) | (address.v & low) | (address.v >> ADDRESS_HIGH_SHIFT & high);
}

bool format_address_fits(const struct paging *paging, unsigned level, uint64_t entry, paddr_t address)
{
  return format_address(paging, level, format_set_address(paging, level, entry, address)).v == address.v;
}

/* ---- Words -------------------------------------------------------------------------------------------------------------- */

/* Text that grows word by word, a space between them, and is cut where the buffer ends. */
struct words {
  char *text;
  unsigned size;
  unsigned length;
};

static struct words words_begin(char *text, unsigned size)
{
  struct words w = {text, size, 0};
  if (size)
    text[0] = 0;
  return w;
}

static void words_character(struct words *w, char c)
{
  if (w->length + 1 >= w->size)
    return;
  w->text[w->length++] = c;
  w->text[w->length] = 0;
}

/* Appends a word; a slash is left out, so that "R/W" becomes "RW". */
static void words_append(struct words *w, const char *before, const char *word, const char *after)
{
  const char *parts[] = {w->length ? " " : "", before, word, after};
  for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    for (const char *c = parts[i]; *c; c++) {
      if (*c != '/')
        words_character(w, *c);
    }
  }
}

/* Protection keys are the only flag of more than one bit: "PK=3". */
static void words_append_value(struct words *w, const struct format_field *f, uint64_t entry)
{
  char value[8];
  format(value, sizeof value, "=%u", (unsigned)((entry & format_field_bits(f)) >> f->low));
  words_append(w, "", f->name, value);
}

static bool field_is_flag(const struct format_field *f)
{
  return f->role != ROLE_ADDRESS && f->role != ROLE_ADDRESS_HIGH && f->role != ROLE_RESERVED && f->role != ROLE_IGNORED;
}

char *format_flags(const struct paging *paging, unsigned level, uint64_t entry, char *text, unsigned size)
{
  struct words w = words_begin(text, size);
  const struct format_field *fields = format_fields(paging, level, entry);
  if (!(entry & format_mask(paging, level, entry, ROLE_P)))
    return text;
  FORMAT_FOR_EACH_FIELD(f, fields) {
    enum field_role role = format_role(paging, f);
    if (!field_is_flag(f) || role == ROLE_RESERVED || !(entry & format_field_bits(f)))
      continue;
    if (role == ROLE_IGNORED)
      words_append(&w, "(", f->name, ")");
    else if (f->width > 1)
      words_append_value(&w, f, entry);
    else
      words_append(&w, "", f->name, "");
  }
  if (entry & format_reserved(paging, level, entry))
    words_append(&w, "", "RSVD", "");
  return text;
}

/* One entry with the fields that give its bits their meaning. */
struct reading {
  const struct format_field *fields;
  uint64_t entry;
  uint64_t address;
};

/* @p entry read as one like @p shape: the same, or another where the entry itself is not present. */
static struct reading reading_of(const struct paging *paging, unsigned level, uint64_t entry, uint64_t shape)
{
  struct reading r = {format_fields(paging, level, shape), entry, 0};
  uint64_t address = format_mask(paging, level, shape, ROLE_ADDRESS) | format_mask(paging, level, shape, ROLE_ADDRESS_HIGH);
  r.address = format_address(paging, level, (shape & ~address) | (entry & address)).v;
  return r;
}

/* The value of the flag with @p role, whether or not it takes effect here; 0 where there is no such flag. */
static uint64_t reading_flag(const struct reading *r, enum field_role role)
{
  const struct format_field *f = format_field_of(r->fields, role);
  return f ? (r->entry & format_field_bits(f)) >> f->low : 0;
}

/* Bits that are set and have no name: software's, or reserved ones. */
static uint64_t reading_nameless(const struct paging *paging, const struct reading *r, enum field_role role)
{
  uint64_t bits = 0;
  FORMAT_FOR_EACH_FIELD(f, r->fields) {
    if (!field_is_flag(f))
      bits |= field_mask(paging, f, role);
  }
  return r->entry & bits;
}

static void words_append_change(struct words *w, const struct format_field *f, const struct reading *before, const struct reading *after)
{
  enum field_role role = (enum field_role)f->role;
  if (!field_is_flag(f) || reading_flag(before, role) == reading_flag(after, role))
    return;
  if (f->width > 1)
    words_append_value(w, f, after->entry);
  else
    words_append(w, reading_flag(after, role) ? "+" : "-", f->name, "");
}

/* Flags are compared by what they mean and not by where they stand: a large page that becomes a table loses its G and its PAT,
 * while bit 12 of the same entry becomes part of an address. */
char *format_difference(const struct paging *paging, unsigned level, uint64_t before, uint64_t after, char *text, unsigned size)
{
  struct words w = words_begin(text, size);
  bool was = before & format_mask(paging, level, before, ROLE_P);
  bool is = after & format_mask(paging, level, after, ROLE_P);
  struct reading old = reading_of(paging, level, before, was ? before : after);
  struct reading new = reading_of(paging, level, after, is || !was ? after : before);
  FORMAT_FOR_EACH_FIELD(f, new.fields) {
    words_append_change(&w, f, &old, &new);
  }
  FORMAT_FOR_EACH_FIELD(f, old.fields) {
    if (!format_field_of(new.fields, (enum field_role)f->role))
      words_append_change(&w, f, &old, &new);
  }
  uint64_t reserved = reading_nameless(paging, &new, ROLE_RESERVED);
  uint64_t reserved_before = reading_nameless(paging, &old, ROLE_RESERVED);
  if (old.address != new.address)
    words_append(&w, "", "address", "");
  if (reserved != reserved_before)
    words_append(&w, reserved & ~reserved_before ? "+" : "-", "RSVD", "");
  if (reading_nameless(paging, &old, ROLE_IGNORED) != reading_nameless(paging, &new, ROLE_IGNORED))
    words_append(&w, "", "ignored", "");
  return text;
}

/* ---- Linear addresses and levels ---------------------------------------------------------------------------------------- */

unsigned format_index(const struct format *format, unsigned level, laddr_t va)
{
  const struct format_level *l = &format->level[level];
  return (unsigned)(va.v >> l->shift & address_mask(l->index_bits));
}

laddr_t format_sign_extend(const struct format *format, uint64_t va)
{
  unsigned bits = format ? format->linear_bits : 32;
  uint64_t low = va & address_mask(bits);
  if (!format || !format->canonical || !(va >> (bits - 1) & 1))
    return laddr(low);
  return laddr(low | ~address_mask(bits));
}

bool format_canonical(const struct format *format, laddr_t va)
{
  return format_sign_extend(format, va.v).v == va.v;
}

static char upper(char c)
{
  return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool same_name(const char *a, const char *b)
{
  for (; *a && upper(*a) == upper(*b); a++, b++) {
  }
  return upper(*a) == upper(*b);
}

int format_level_named(const struct format *format, const char *name)
{
  for (unsigned i = 0; format && i < format->levels; i++) {
    if (same_name(format->level[i].name, name))
      return (int)i;
  }
  return -1;
}

static const char *missing_text(unsigned conditions)
{
  for (unsigned i = 0; i < sizeof missing_conditions / sizeof missing_conditions[0]; i++) {
    if (missing_conditions[i].condition & conditions)
      return missing_conditions[i].missing;
  }
  return NULL;
}

int format_level_of_size(const struct paging *paging, unsigned shift, const char **missing)
{
  const struct format *format = paging->format;
  if (missing)
    *missing = NULL;
  for (unsigned i = 0; format && i < format->levels; i++) {
    const struct format_level *l = &format->level[i];
    if (l->shift != shift || l->leaf == LEAF_NEVER)
      continue;
    unsigned lacking = l->leaf_needs & ~paging->conditions;
    if (!lacking)
      return (int)i;
    if (missing)
      *missing = missing_text(lacking);
    return -1;
  }
  return -1;
}
