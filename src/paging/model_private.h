/* Between model.c, which keeps the past, and model_paths.c, which looks for paths through it. */
#ifndef PAGING_MODEL_PRIVATE_H
#define PAGING_MODEL_PRIVATE_H

#include "paging/model.h"

/* The keys of PDPTE registers, and of what they may have been instead: + 8 x the register's number. Physical addresses have at most 52
 * bits. */
#define KEY_LATCH (1ULL << 60)
#define KEY_MAYBE (1ULL << 61)

/** The values that the entry or register called @p key had, the latest first; NULL past the oldest. */
const struct model_past *model_past_first(const struct model *m, uint64_t key);
const struct model_past *model_past_next(const struct model *m, const struct model_past *past);

/** Whether anything can have been cached from an entry with this value; @p has_a: such an entry has an A flag. */
bool model_cacheable(const struct model *m, uint64_t value, bool has_a);

/** PDPTE number @p index as it is in memory; and whether two values of one differ in what counts: the address and P. */
uint64_t model_pdpte_read(const struct paging *paging, unsigned index);
bool model_pdpte_differs(uint64_t a, uint64_t b);

/** When the paging-structure caches were dropped last for @p va under the current PCID; and when for certain under every PCID. */
uint64_t model_dropped_caches(const struct model *m, laddr_t va, enum rule_operation ignored);
uint64_t model_dropped_anywhere(const struct model *m, enum rule_operation ignored);

#endif
