/* The simulated CPU's page walk, with the A and D flags it writes. Written for itself, beside paging/walk.c, so that each tests the other;
 * what the two share is the table of formats. */
#ifndef MACHINE_SIM_WALK_H
#define MACHINE_SIM_WALK_H

#include "machine/sim_tlb.h"

/** One level, as masks: computed from paging/format.h whenever a control register changes. */
struct sim_level {
  uint8_t shift, index_bits;
  bool never_leaf, always_leaf, leaf_if_ps;
  uint64_t p, rw, us, nx, a, ps;
  uint64_t d, g, pk; /* of a leaf */
  uint64_t sets_d;   /* what a write sets there: D, on a sound CPU */
  uint64_t reserved_table, reserved_leaf;
  uint64_t address_table, address_leaf;
  uint8_t pk_low;
};

struct sim_walker {
  const struct sim_profile *profile;
  uint8_t levels, entry_bytes;
  struct sim_level level[5];
  uint64_t root;
  bool wp, smep, smap, ac, pke;
  bool tells_fetches; /* error codes have the I/D bit */
  bool latched;       /* the root's entries come from `pdpte` */
  uint64_t pdpte[4];
  uint32_t pkru;
};

/** Reads the formats and control registers into *@p walker (paging.h's struct paging does the reading). */
void sim_walk_prepare(struct sim_walker *walker, const struct sim_profile *profile);

/** The access that is walked for. */
struct sim_want {
  uint64_t va;
  enum machine_op op;
  uint8_t cpl;
  uint16_t pcid;    /* what translations are tagged with */
  bool speculative; /* nobody asked for it */
};

/** Walks; sets A in every entry used and D in the leaf for a write; fills *@p entry. Returns 0, or the page-fault error code + 1; *@p reads
 * counts the entries read. */
uint32_t sim_walk(const struct sim_walker *walker, const struct sim_want *want, struct sim_entry *entry, unsigned *reads);

/** The page fault for a page that is not present: its error code + 1. */
uint32_t sim_walk_absent(const struct sim_walker *walker, const struct sim_want *want);

/** Checks @p entry's rights for the access: 0, or the page-fault error code + 1. */
uint32_t sim_walk_rights(const struct sim_walker *walker, const struct sim_entry *entry, const struct sim_want *want);

#endif
