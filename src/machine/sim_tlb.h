/* The simulated machine's TLB and paging-structure cache: arrays of translations in whatever shape the profile gives them. */
#ifndef MACHINE_SIM_TLB_H
#define MACHINE_SIM_TLB_H

#include "machine/sim_profile.h"

/** A cached translation. */
struct sim_entry {
  bool valid;
  bool present; /* false: it is remembered that the page was not (TRAIT_NOT_PRESENT) */
  bool writable, user, executable, global, dirty;
  bool for_write, for_user; /* what it was filled by (TRAIT_PROVEN_RIGHTS) */
  bool large;               /* a fragment of a large page */
  uint8_t shift;            /* log2 of what the entry covers */
  uint8_t page_shift;       /* ... and of the page that it came from */
  uint8_t key;
  uint8_t ring3; /* TRAIT_RING_TLBS: which of the two TLBs it is in */
  uint16_t pcid;
  uint64_t va, pa; /* where it starts */
  uint64_t used;   /* for LRU */
};

/** What an access asks for. */
struct sim_lookup {
  uint64_t va;
  unsigned side; /* SIM_DATA or SIM_CODE */
  uint16_t pcid;
  uint8_t ring3;
};

void sim_tlb_init(const struct sim_profile *profile, uint64_t seed);

/** The translation that serves this access, and which level's TLB had it; or NULL. */
struct sim_entry *sim_tlb_find(const struct sim_lookup *lookup, unsigned *level);

/** Caches @p entry for the accesses of @p side. */
void sim_tlb_fill(const struct sim_entry *entry, unsigned side);

/* What an invalidation reaches beside the translations of its PCID that are not global. */
#define SIM_GLOBALS 1u
#define SIM_STRUCTURES 2u /* all of the PCID's paging-structure cache */
#define SIM_EVERYTHING (SIM_GLOBALS | SIM_STRUCTURES)
#define SIM_ALL_PCIDS 0xffffu

/** Drops the translations of @p va's page for @p pcid, and what of the above @p reach names. */
void sim_tlb_drop_page(uint64_t va, uint16_t pcid, unsigned reach);

/** Drops this one, which sim_tlb_find() found. */
void sim_tlb_drop_entry(struct sim_entry *entry);

/** Drops all translations of @p pcid (or of every PCID: SIM_ALL_PCIDS), and what of the above @p reach names. */
void sim_tlb_drop(uint32_t pcid, unsigned reach);

/** Drops the paging-structure cache of @p pcid (or of every PCID) alone. */
void sim_structure_drop(uint32_t pcid);

/** The paging-structure cache: PDEs that lead to page tables. */
struct sim_structure {
  bool valid, writable, user, executable;
  uint8_t shift; /* log2 of what the PDE spans */
  uint16_t pcid;
  uint64_t prefix; /* va >> shift */
  uint64_t table;  /* of the page table */
};

const struct sim_structure *sim_structure_find(uint64_t prefix, uint16_t pcid);
void sim_structure_fill(const struct sim_structure *structure);

/** machine_tlb_entry(), where translations tagged @p tag are the current ones. */
bool sim_tlb_next(unsigned *cursor, uint16_t tag, struct machine_tlb_entry *entry);

/** A pseudo-random number of the seeded sequence. */
uint64_t sim_random(void);

#endif
