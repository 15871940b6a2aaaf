/* Between the files of the suite. */
#ifndef CHECK_PRIVATE_H
#define CHECK_PRIVATE_H

#include "check/check.h"

#define MODES_PAGED (1u << MACHINE_32 | 1u << MACHINE_PAE | MODES_LONG)
#define MODES_LONG (1u << MACHINE_4LEVEL | 1u << MACHINE_5LEVEL)
#define MODES_LEGACY (1u << MACHINE_32 | 1u << MACHINE_PAE)
#define MODES_ALL (1u << MACHINE_OFF | MODES_PAGED)
#define NO_FEATURE FEATURES

/* ---- the workbench (bench.c) ---- */

/** Where cases map their pages: page number n of the first stretch is at BENCH_VA + n * 4 KiB, and what is at BENCH_FAR is reached by
 * another entry of the directory. Both are aligned to 4 MiB, and far from where students map things. */
#define BENCH_VA 0xff800000ULL
#define BENCH_FAR 0xff400000ULL
#define BENCH_PAGE(n) (BENCH_VA + (uint64_t)(n)*PAGE_SIZE)

/** A case at work. */
struct bench {
  struct check_result *result;
  uint8_t cpl;  /* of its accesses */
  bool visible; /* a TLB can be observed at that privilege level */
  const struct rule *broken;
  bool unjudged;          /* the model had forgotten too much */
  struct lab_touch touch; /* the last access */
};

/** Empties the stretches and the TLB; keeps the root's entries. NULL, or why it cannot be (a literal). */
const char *bench_open(void);
void bench_clear(struct bench *b);
void bench_close(void);

/** What a refill case needs: whether a changed entry stays stale at @p cpl. */
bool bench_tlb_visible(uint8_t cpl);

/** Maps the page of 1 << @p shift bytes at @p va to frame @p letter (X, Y, Z; for large pages '0' or '1' for M0, M1). */
void bench_map(uint64_t va, char letter, unsigned flags, unsigned shift);
/** Changes flags (enum edit_flag) of the entry at @p level, or of the leaf where level < 0. */
void bench_protect(uint64_t va, int level, unsigned set, unsigned clear);
void bench_unmap(uint64_t va);
/** The entry of @p va at @p level, or the leaf where level < 0; 0 where there is none. */
uint64_t bench_entry(uint64_t va, int level);
void bench_entry_set(uint64_t va, int level, uint64_t value);

/** One access at b->cpl; a violation is remembered. */
enum lab_outcome bench_touch(struct bench *b, enum machine_op op, uint64_t va);
void bench_invlpg(uint64_t va);
struct machine_fault bench_cr3(bool keep);
void bench_pge(void);
void bench_flush_all(void);

/** The flags (A, D) that the leaf of @p va has now, as a mask of EDIT_A and EDIT_D. */
unsigned bench_ad(uint64_t va);
void bench_ad_clear(uint64_t va);

/** Ends of a case. judge: by the rules, from the last access. */
void bench_judge(struct bench *b);
void bench_pass(struct bench *b, const char *note);
void bench_fail(struct bench *b, const char *note);
void bench_observe(struct bench *b, const char *note);
void bench_skip(struct bench *b, const char *note);

/* ---- cases ---- */

struct check_case {
  const char *name;
  uint8_t modes;   /* a bit per enum machine_mode */
  uint8_t feature; /* enum machine_feature that it takes, or NO_FEATURE */
  bool refills;    /* it looks at what a TLB holds: without one to be seen there is nothing to pass */
  bool both_rings; /* run it at CPL 0 and at CPL 3 */
  void (*run)(struct bench *b);
};

/** A group: rows, or a function that runs a whole matrix. */
struct check_group_of {
  const char *name, *brief, *sdm;
  const struct check_case *cases; /* ends with a row whose name is NULL; or NULL: */
  bool (*matrix)(const struct check_group_of *group, const struct check_extent *extent, check_each each, void *context,
                 struct check_counts *counts);
};

extern const struct check_group_of check_invlpg, check_flush, check_ad, check_large, check_global, check_pcid, check_pae, check_caches,
  check_faults, check_rights;

/** Counts one result and hands it on. */
bool check_done(const struct check_result *result, check_each each, void *context, struct check_counts *counts);

/** Whether a TLB can be observed at CPL 0 and 3: found out when the run begins. */
bool check_visible(uint8_t cpl);

#endif
