/* The five paging-structure formats as data: a row per level, a row per field. format.c holds the tables; the walk, the
 * decoding and the edits are one loop each over them, for every mode.
 *
 * Source: Intel SDM Vol. 3A, "Paging" (32-Bit Paging, PAE Paging, 4-Level Paging and 5-Level Paging), the tables "Format of a
 * ... Entry". */
#ifndef PAGING_FORMAT_H
#define PAGING_FORMAT_H

#include "machine/machine.h"

/** What the bits of a field mean to the walk, the rights check and the edits. */
enum field_role {
  ROLE_P,
  ROLE_RW,
  ROLE_US,
  ROLE_PWT,
  ROLE_PCD,
  ROLE_A,
  ROLE_D,
  ROLE_PS, /* page size: 1 = this entry maps a page */
  ROLE_PAT,
  ROLE_G,
  ROLE_ADDRESS,      /* physical-address bits at their own place: bit n of the entry is bit n of the address. Bits at and above
                        MAXPHYADDR are reserved */
  ROLE_ADDRESS_HIGH, /* PSE-36: bits 20:13 hold address bits 39:32; those at and above MAXPHYADDR are reserved */
  ROLE_PK,           /* protection key */
  ROLE_NX,
  ROLE_RESERVED, /* must be 0 */
  ROLE_IGNORED,  /* free for software ("AVL") */
  ROLES,
};

/** What a field is while its `needs` is not met. */
enum field_otherwise {
  OTHERWISE_IGNORED,
  OTHERWISE_RESERVED,
  OTHERWISE_RESERVED_IF_PSE, /* 32-bit paging has reserved bits only while CR4.PSE is 1 */
};

/** Conditions under which fields and leaves exist: CPU features and control-register bits together, as one mask.
 * format_conditions() computes it from the machine. */
enum format_condition {
  CONDITION_PSE = 1 << 0,     /* CR4.PSE: 4 MiB pages in 32-bit paging */
  CONDITION_PSE36 = 1 << 1,   /* CPU has PSE-36 */
  CONDITION_PGE = 1 << 2,     /* CR4.PGE */
  CONDITION_PAT = 1 << 3,     /* CPU has PAT */
  CONDITION_NXE = 1 << 4,     /* EFER.NXE */
  CONDITION_PAGE1GB = 1 << 5, /* CPU has 1 GiB pages */
  CONDITION_PKE = 1 << 6,     /* CR4.PKE */
};

struct format_field {
  const char *name;  /* SDM's short name: "P", "R/W", "U/S", "PWT", "PCD", "A", "D", "PS", "PAT", "G", "XD", "PK", "address" ... */
  uint8_t low;       /* lowest bit */
  uint8_t width;     /* in bits, at least 1 */
  uint8_t role;      /* enum field_role */
  uint8_t needs;     /* enum format_condition, or 0 */
  uint8_t otherwise; /* enum field_otherwise: what the bits are without `needs` */
};

enum leaf_kind { LEAF_NEVER, LEAF_ALWAYS, LEAF_IF_PS };

#define FORMAT_LEVELS_MAX 5

struct format_level {
  const char *name;       /* of an entry at this level: "PML5E" "PML4E" "PDPTE" "PDE" "PTE" */
  const char *table_name; /* of the structure that holds it: "PML5 table" "PML4 table" ... "page table" */
  uint8_t shift;          /* lowest linear-address bit of the index; also log2 of what one entry spans */
  uint8_t index_bits;
  uint8_t leaf;                            /* enum leaf_kind */
  uint8_t leaf_needs;                      /* enum format_condition for LEAF_IF_PS, or 0. Without it PS has the meaning its own row gives */
  const struct format_field *table_fields; /* fields of an entry that refers to a table; NULL where there is no such entry */
  const struct format_field *leaf_fields;  /* fields of an entry that maps a page; NULL where there is none */
};

struct format {
  enum machine_mode mode;
  const char *name;    /* as `mode` takes it: "32" "pae" "4level" "5level" */
  uint8_t entry_bytes; /* 4 or 8 */
  uint8_t linear_bits; /* 32, 48, 57 */
  bool canonical;      /* upper linear bits must copy bit linear_bits-1 */
  uint8_t levels;
  uint8_t cr3_low;                              /* lowest bit of CR3's address: 12, or 5 in PAE paging */
  struct format_level level[FORMAT_LEVELS_MAX]; /* root first */
  bool root_latched; /* the CPU keeps the root's entries in registers, which MOV CR3 loads and checks: no walk reads them or checks
                        their reserved bits (SDM, PDPTE Registers) */
};

/** Everything about the machine that the meaning of an entry depends on. */
struct paging {
  const struct format *format; /* NULL when paging is off */
  unsigned conditions;         /* enum format_condition bits that hold */
  uint8_t maxphyaddr;
  paddr_t root; /* from CR3 */
  /* For the rights check (rights.h): */
  bool wp, smep, smap, ac, pke, nxe;
  uint32_t pkru;
};

/** The format of @p mode; NULL for MACHINE_OFF. */
const struct format *format_of(enum machine_mode mode);

/** Iterates a fields table, which ends with a row of width 0. */
#define FORMAT_FOR_EACH_FIELD(f, table) for (const struct format_field *f = (table); f->width; f++)

/** The enum format_condition bits that hold with these CPU features and control registers. */
unsigned format_conditions(uint32_t features, uint64_t cr4, uint64_t efer);

/** Reads the machine's control registers into *@p paging. */
void paging_read(struct paging *paging);

/** Whether an entry that is present at level @p level maps a page rather than referring to a table. */
bool format_is_leaf(const struct paging *paging, unsigned level, uint64_t entry);

/** The fields that apply to @p entry at @p level; for an entry that is not present too (as if it were present). */
const struct format_field *format_fields(const struct paging *paging, unsigned level, uint64_t entry);

/** The role that field @p f has here: ROLE_IGNORED or ROLE_RESERVED where its `needs` does not hold. */
enum field_role format_role(const struct paging *paging, const struct format_field *f);

/** The row of @p fields that has @p role, whatever its `needs`; NULL where there is none. @p fields may be NULL. */
const struct format_field *format_field_of(const struct format_field *fields, enum field_role role);

/** The bits of the entry that @p f names. */
uint64_t format_field_bits(const struct format_field *f);

/** The mask in the entry of all bits with @p role here, and 0 where there is none. */
uint64_t format_mask(const struct paging *paging, unsigned level, uint64_t entry, enum field_role role);

/** The same for all roles: an array of ROLES masks, good until the next call with another struct paging. */
const uint64_t *format_masks(const struct paging *paging, unsigned level, uint64_t entry);

/** The mask of bits that must be 0 in this (present) entry: reserved fields, and address bits at and above MAXPHYADDR. */
uint64_t format_reserved(const struct paging *paging, unsigned level, uint64_t entry);

/** The value of the field with @p role in @p entry, as a number (the protection key 3, not 3 << 59); 0 where there is none here. */
uint64_t format_value(const struct paging *paging, unsigned level, uint64_t entry, enum field_role role);

/** The physical address that @p entry holds: of the next table, or of the page. */
paddr_t format_address(const struct paging *paging, unsigned level, uint64_t entry);

/** @p entry with its address field set to @p address, which must be aligned and within MAXPHYADDR (format_address_fits). */
uint64_t format_set_address(const struct paging *paging, unsigned level, uint64_t entry, paddr_t address);
bool format_address_fits(const struct paging *paging, unsigned level, uint64_t entry, paddr_t address);

/** The flags of @p entry as words, "P RW US A D", into @p text; "not present" is the empty string's business: a not-present
 * entry gives "". Reserved bits that are set show as "RSVD". Returns @p text. */
char *format_flags(const struct paging *paging, unsigned level, uint64_t entry, char *text, unsigned size);

/** How two values of one entry differ, as words: "+A +D -RW address" into @p text. Returns @p text. */
char *format_difference(const struct paging *paging, unsigned level, uint64_t before, uint64_t after, char *text, unsigned size);

/** Index of @p va in the structure at @p level. */
unsigned format_index(const struct format *format, unsigned level, laddr_t va);

/** Whether @p va can be a linear address in this format (canonical, or within 32 bits). */
bool format_canonical(const struct format *format, laddr_t va);

/** @p va made canonical by sign extension (or cut to 32 bits). */
laddr_t format_sign_extend(const struct format *format, uint64_t va);

/** The level whose entries are called @p name ("PDE"; case does not matter), or -1. */
int format_level_named(const struct format *format, const char *name);

/** The level whose leaf spans 1 << @p shift bytes (12, 21, 22, 30), or -1 where this format has no such page here. If the CPU or
 * a control register is the reason, *@p missing says so as text ("CR4.PSE is 0", "no 1 GiB pages (CPUID...)" ...). */
int format_level_of_size(const struct paging *paging, unsigned shift, const char **missing);

#endif
