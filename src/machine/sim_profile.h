/* The simulated machines: a row each. What a CPU of that kind has (features), what its TLB looks like (shapes), how it behaves where the
 * architecture leaves a choice (traits), and what things cost. */
#ifndef MACHINE_SIM_PROFILE_H
#define MACHINE_SIM_PROFILE_H

#include "machine/machine.h"

/* Which accesses and which page sizes a translation array serves. */
#define SIM_DATA 1u
#define SIM_CODE 2u
#define SIM_4K 1u
#define SIM_LARGE 2u /* 2 MiB and 4 MiB */
#define SIM_1G 4u

enum sim_policy { POLICY_LRU, POLICY_RANDOM };

/** One translation array: sets x ways. The set is the low bits of the page number; with xor_bits, the next so many bits are folded in. */
struct sim_shape {
  const char *name;
  uint8_t sides, pages;
  uint8_t level; /* 1 is looked at first; a hit in 2 fills 1 */
  uint16_t sets;
  uint16_t ways;
  uint8_t xor_bits;
  uint8_t policy; /* enum sim_policy */
};

enum sim_trait {
  TRAIT_GLOBALS = 1 << 0,          /* global translations survive MOV CR3 */
  TRAIT_PCIDS = 1 << 1,            /* translations are tagged with the PCID; without it every MOV CR3 drops all that are not global */
  TRAIT_STRUCTURE_CACHES = 1 << 2, /* PDEs that lead to page tables are cached */
  TRAIT_SPECULATES = 1 << 3,       /* now and then the neighbour of an accessed page is filled too */
  TRAIT_NOT_PRESENT = 1 << 4,      /* that a page was not present is remembered */
  TRAIT_FRAGMENTS = 1 << 5,        /* a large page is cached as the 4 KiB pieces that were used */
  TRAIT_FAULTS_FROM_TLB = 1 << 6,  /* a translation without the right faults at once; without the trait the tables are walked again first */
  TRAIT_RING_TLBS = 1 << 7,        /* a TLB of its own for ring 3 */
  TRAIT_PDPTES_IN_MEMORY = 1 << 8, /* PAE PDPTEs are read at each walk, not latched by MOV CR3 */
  TRAIT_LARGE_FLUSHES_ALL = 1 << 9, /* INVLPG inside a cached large page drops everything */
  TRAIT_RSVD_WITHOUT_P = 1 << 10,   /* reserved-bit faults report P = 0 (a bug of one emulator) */
  TRAIT_WP_FLUSHES = 1 << 12,       /* a change of CR0.WP drops everything */
  TRAIT_PROVEN_RIGHTS = 1 << 13,    /* a translation serves only accesses of the kind and ring that it was filled by; others walk again */
  TRAIT_A_IF_ALLOWED = 1 << 14,     /* a walk whose access is refused sets no A flag at all */
  TRAIT_A_AS_WALKED = 1 << 15,      /* a walk sets A in each entry as it comes by, however it ends */
  TRAIT_PDPTE_ACCESSED = 1 << 11,   /* the walk sets bit 5 of PAE PDPTEs, which is reserved (a bug of one emulator) */
};

#define SIM_SHAPES 6

struct sim_profile {
  const char *name;
  const char *brief;
  uint32_t features; /* a bit per enum machine_feature */
  uint8_t maxphyaddr, linear_bits, family, model;
  const char *vendor, *brand;
  uint32_t traits;
  uint16_t ticks_hit, ticks_miss_level; /* a hit; what each table that a walk reads adds */
  struct sim_shape shape[SIM_SHAPES];   /* ends with a row of 0 sets */
};

/** Ends with a row whose name is NULL. */
extern const struct sim_profile sim_profiles[];

/** The profile called @p name, or NULL. */
const struct sim_profile *sim_profile_named(const char *name);

#endif
