/* The page walk: one loop over the levels of whatever format is in force. It reads memory; it says nothing about what a TLB
 * may hold. Source: SDM Vol. 3A, "Paging", and "Paging-Structure Entries" of each mode. */
#ifndef PAGING_WALK_H
#define PAGING_WALK_H

#include "paging/format.h"

enum walk_end {
  WALK_MAPPED,
  WALK_NOT_PRESENT,
  WALK_RESERVED,      /* a present entry has a reserved bit set */
  WALK_NOT_CANONICAL, /* the address never reaches the walk: #GP or #SS */
  WALK_NO_MEMORY,     /* an entry lies where there is no RAM; step[steps].at says where, though it was not read */
};

struct walk_step {
  uint8_t level;  /* index into format->level */
  uint16_t index; /* of the entry in its table */
  bool leaf;
  paddr_t table;
  paddr_t at; /* of the entry */
  uint64_t entry;
};

struct walk {
  enum walk_end end;
  laddr_t va;
  uint8_t steps; /* how many of step[] were read; the last one is where the walk ended */
  struct walk_step step[FORMAT_LEVELS_MAX];
  /* When end is WALK_MAPPED: */
  paddr_t pa;                      /* of va itself */
  uint8_t shift;                   /* log2 of the page's size */
  bool writable, user, executable; /* R/W and U/S anded over the levels that have them; executable = no XD set */
  bool global;                     /* G, where CR4.PGE is 1 */
  uint8_t key;                     /* protection key, 0 where there is none */
};

/** Walks @p va through the tables in memory. With paging off every 32-bit address maps itself, in no steps, with shift 32. */
struct walk walk_run(const struct paging *paging, laddr_t va);

/** For walks through other entries than those in memory now (model.h): starts the walk of @p va at the root; false where there is none,
 * because paging is off or the address is not canonical. */
bool walk_begin(const struct paging *paging, laddr_t va, struct walk *walk);

/** Goes on with @p entry, read from @p table. True where it refers to the next table; else walk->end says how the walk ended. */
bool walk_enter(const struct paging *paging, struct walk *walk, paddr_t table, uint64_t entry);

/** The last entry read, and the level it stands at; NULL when none was (not canonical, paging off). */
const struct walk_step *walk_last(const struct walk *walk);

/** The step at @p level, or NULL where the walk ended above it. */
const struct walk_step *walk_at(const struct walk *walk, unsigned level);

#endif
