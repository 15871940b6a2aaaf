/* Edits of paging structures. Every function plans first and writes only when the whole edit is possible; none invalidates
 * anything. Tables come from, and go back to, the allocator that the caller passes in. */
#ifndef PAGING_EDIT_H
#define PAGING_EDIT_H

#include "paging/walk.h"

/** One entry that an edit writes. */
struct edit_write {
  uint8_t level, bytes;
  paddr_t at;
  uint64_t before, after;
};

/** Where new tables come from, and who is told of each entry written. */
struct edit_tables {
  /** A zeroed page for a paging structure; false when there is none left. */
  bool (*take)(void *context, paddr_t *table);
  /** Called with a page that no entry refers to any more (after merge). */
  void (*give)(void *context, paddr_t table);
  /** Called before each entry is written, those of a new table included, so that the caller can undo it. False: do not write it. */
  bool (*write)(void *context, const struct edit_write *write);
  /** How many tables take() can still give. */
  unsigned (*left)(void *context);
  void *context;
};

/** Flags of a mapping. The address, P and PS come from the edit itself. */
enum edit_flag {
  EDIT_RW = 1 << 0,
  EDIT_US = 1 << 1,
  EDIT_PWT = 1 << 2,
  EDIT_PCD = 1 << 3,
  EDIT_A = 1 << 4,
  EDIT_D = 1 << 5,
  EDIT_PAT = 1 << 6,
  EDIT_G = 1 << 7,
  EDIT_NX = 1 << 8,
};

/** The bits of a leaf entry at @p level for the flags @p flags; flags that this format has no bit for at all (NX in 32-bit
 * paging) are returned in *@p lacking. NX is set even while EFER.NXE is 0: it is then a reserved bit, on purpose. */
uint64_t edit_flag_bits(const struct paging *paging, unsigned level, unsigned flags, unsigned *lacking);

/** NULL on success; otherwise one line that says why nothing was done (a literal). */
typedef const char *edit_error;

/** Maps the page of 1 << @p shift bytes that holds @p va to @p pa with @p flags, making the tables above it with R/W and U/S set.
 * @p key is the protection key (0 where there is none). */
edit_error edit_map(const struct paging *paging, const struct edit_tables *tables, laddr_t va, paddr_t pa, unsigned flags, unsigned key,
                    unsigned shift);

/** Clears P in the leaf entry of @p va (keep = true leaves the rest of the entry, false writes 0). */
edit_error edit_unmap(const struct paging *paging, const struct edit_tables *tables, laddr_t va, bool keep);

/** Sets @p set and clears @p clear (enum edit_flag masks) in the leaf entry of @p va, or at @p level where level >= 0. */
edit_error edit_protect(const struct paging *paging, const struct edit_tables *tables, laddr_t va, int level, unsigned set, unsigned clear);

/** Writes the entry of @p va at @p level, whatever the value; needs the tables above it. */
edit_error edit_entry(const struct paging *paging, const struct edit_tables *tables, laddr_t va, unsigned level, uint64_t value);

/** Makes the tables that are missing above the entry of @p va at @p level, which itself stays as it is. */
edit_error edit_reach(const struct paging *paging, const struct edit_tables *tables, laddr_t va, unsigned level);

/** Replaces the large page at @p va by a table of pages of the next size down with the same frames and flags (PAT moved). */
edit_error edit_split(const struct paging *paging, const struct edit_tables *tables, laddr_t va);

/** Replaces the lowest table above @p va's leaf by one large page, where all its entries are present, alike and in one run of frames.
 * A and D of the large page are the or of the small ones'; rights that the entry above the table denied stay denied. Gives the table
 * back. */
edit_error edit_merge(const struct paging *paging, const struct edit_tables *tables, laddr_t va);

#endif
