/* The simulated machines: a row each. What a CPU of that kind has (features), what its TLB looks like (shapes), how it behaves where the
 * architecture leaves a choice (traits), and what things cost.
 * And the defects: how a machine can be made to behave as the architecture forbids, so that what claims to notice that can be put to the
 * test. A defect goes on top of any profile. */
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
  TRAIT_LARGE_FLUSHES_ALL = 1 << 9, /* INVLPG anywhere in the stretch that holds the large pages cached so far drops all of that TLB */
  TRAIT_RSVD_WITHOUT_P = 1 << 10,   /* reserved-bit faults report P = 0 (a bug of one emulator) */
  TRAIT_CONTROLS_FLUSH =
    1 << 12,                     /* any change of CR0.WP, or of a bit of CR4 that paging knows, drops everything and loads the PAE PDPTEs */
  TRAIT_PROVEN_RIGHTS = 1 << 13, /* a translation serves only accesses of the kind and ring that it was filled by; others walk again */
  TRAIT_A_IF_ALLOWED = 1 << 14,  /* a walk whose access is refused sets no A flag at all */
  TRAIT_A_AS_WALKED = 1 << 15,   /* a walk sets A in each entry as it comes by, however it ends */
  TRAIT_FAULTS_KEEP = 1 << 17,   /* a page fault drops nothing: the tables were walked again before it, and were right */
  TRAIT_FAULTS_DROP_USED = 1 << 18, /* a page fault drops only the very translation that was looked up, and of a fetch none */
  TRAIT_PKE_KEEPS = 1 << 19,        /* ... except for CR4.PKE (TRAIT_CONTROLS_FLUSH) */
  TRAIT_TASK_FLUSHES = 1 << 16,     /* a task switch that does not change CR3 flushes all the same */
  TRAIT_PDPTE_ACCESSED = 1 << 11,   /* the walk sets bit 5 of PAE PDPTEs, which is reserved (a bug of one emulator) */
};

enum sim_defect_bit {
  DEFECT_INVLPG_IGNORED = 1 << 0,
  DEFECT_INVLPG_KEEPS_GLOBAL = 1 << 1,
  DEFECT_INVLPG_KEEPS_FRAGMENT = 1 << 2,
  DEFECT_INVLPG_KEEPS_STRUCTURES = 1 << 3,
  DEFECT_CR3_KEEPS = 1 << 4,
  DEFECT_CR3_KEEPS_STRUCTURES = 1 << 5,
  DEFECT_PGE_KEEPS_GLOBAL = 1 << 6,
  DEFECT_PCID_IGNORED = 1 << 7,
  DEFECT_INVPCID_IGNORED = 1 << 8,
  DEFECT_FAULT_KEEPS = 1 << 9,
  DEFECT_A_NOT_SET = 1 << 10,
  DEFECT_D_NOT_SET = 1 << 11,
  DEFECT_D_ON_READ = 1 << 12,
  DEFECT_NX_IGNORED = 1 << 13,
  DEFECT_WP_IGNORED = 1 << 14,
  DEFECT_US_IGNORED = 1 << 15,
  DEFECT_RESERVED_IGNORED = 1 << 16,
  DEFECT_SMEP_IGNORED = 1 << 17,
  DEFECT_SMAP_IGNORED = 1 << 18,
  DEFECT_PKE_IGNORED = 1 << 19,
  DEFECT_WRONG_ERROR = 1 << 20,
  DEFECT_WRONG_CR2 = 1 << 21,
  DEFECT_FILLS_WITHOUT_A = 1 << 22,
  DEFECT_TOGGLE_PG_KEEPS = 1 << 23,
};

struct sim_defect {
  const char *name;
  const char *brief;
  uint32_t bit;           /* enum sim_defect_bit; 0 where a trait alone is the defect */
  uint32_t adds, removes; /* traits without which, or with which, it could not be seen */
};

#define SIM_SHAPES 6

struct sim_profile {
  const char *name;
  const char *brief;
  uint32_t features; /* a bit per enum machine_feature */
  uint8_t maxphyaddr, linear_bits, family, model;
  const char *vendor, *brand;
  uint32_t traits;
  uint16_t ticks_hit, ticks_miss_level; /* a hit; what each table that a walk reads adds, and half of it a second-level TLB that is asked */
  struct sim_shape shape[SIM_SHAPES];   /* ends with a row of 0 sets */
  uint32_t defects;                     /* enum sim_defect_bit: none in the rows */
};

/** Ends with a row whose name is NULL. */
extern const struct sim_profile sim_profiles[];

/** The profile called @p name, or NULL. */
const struct sim_profile *sim_profile_named(const char *name);

/** Ends with a row whose name is NULL. */
extern const struct sim_defect sim_defects[];

/** The defect called @p name, or NULL. */
const struct sim_defect *sim_profile_defect(const char *name);

/** Gives @p profile the defect. Several may be given, one after another. */
void sim_profile_break(struct sim_profile *profile, const struct sim_defect *defect);

#endif
