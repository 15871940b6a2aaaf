/* The rules of the architecture about caching translations, as rows: what an operation must drop, what may be cached, how an access
 * must go, and what an edit needs. The model (model.h) obeys the rows of operations, the predictions (predict.h) and the advice on
 * edits (advice.h) name the others, and `rules` shows them all.
 *
 * Source: Intel SDM Vol. 3A, "Caching Translation Information"; AMD64 APM Vol. 2, "Translation-Lookaside Buffer (TLB)". */
#ifndef PAGING_RULES_H
#define PAGING_RULES_H

#include "machine/machine.h"

enum rule_class {
  RULE_MUST,     /* the architecture guarantees it */
  RULE_MAY,      /* one of a permitted set */
  RULE_PLATFORM, /* what an implementation does, known by experiment */
};

enum rule_kind {
  RULE_OPERATION, /* what an operation must drop */
  RULE_CACHING,   /* what may be cached, and what may not */
  RULE_ACCESS,    /* what an access must do */
  RULE_EDIT,      /* what a change of an entry needs */
};

/** Whose manual says so. Intel's is taken for any maker who is neither: the old CPUs without CPUID are mostly Intel's. */
enum rule_vendor { RULE_INTEL = 1, RULE_AMD = 2, RULE_CYRIX = 4, RULE_ANY = 7 };

/** Operations that invalidate. */
enum rule_operation {
  OPERATION_NONE,
  OPERATION_INVLPG,
  OPERATION_MOV_CR3,
  OPERATION_MOV_CR3_KEEP, /* CR4.PCIDE = 1 and bit 63 of the operand = 1 */
  OPERATION_CR4_PGE,      /* CR4.PGE changes */
  OPERATION_CR4_PCIDE,    /* CR4.PCIDE goes from 1 to 0 */
  OPERATION_CR4_PAE,
  OPERATION_CR4_PSE,
  OPERATION_CR4_SMEP, /* CR4.SMEP goes from 0 to 1 */
  OPERATION_CR4_SMEP_OFF,
  OPERATION_CR0_PG, /* CR0.PG goes from 1 to 0 */
  OPERATION_INVPCID_ADDRESS,
  OPERATION_INVPCID_CONTEXT,
  OPERATION_INVPCID_ALL,
  OPERATION_INVPCID_NONGLOBAL,
  OPERATION_TASK_SWITCH, /* one that changes CR3 */
  OPERATION_PAGE_FAULT,
  OPERATIONS,
};

/** How much of the TLBs or paging-structure caches an operation is guaranteed to drop. */
enum rule_scope {
  SCOPE_NONE,
  SCOPE_PAGE,    /* what would translate one linear address, under one PCID */
  SCOPE_CONTEXT, /* all of one PCID */
  SCOPE_ALL,     /* all PCIDs */
};

struct rule {
  const char *name;
  uint8_t class;     /* enum rule_class */
  uint8_t kind;      /* enum rule_kind */
  uint8_t vendors;   /* enum rule_vendor bits: where it holds */
  uint8_t operation; /* RULE_OPERATION: enum rule_operation */
  uint8_t tlb;       /* ... enum rule_scope: of the TLB entries */
  uint8_t caches;    /* ... of the paging-structure caches */
  bool globals;      /* ... global translations too */
  bool latches;      /* ... PAE paging: the PDPTE registers are loaded again */
  const char *says;  /* one sentence, no full stop */
  const char *sdm;   /* title of the SDM's section */
  const char *amd;   /* title of the APM's section where it differs or where the rule is AMD's, or NULL */
};

/** Ends with a row whose name is NULL. */
extern const struct rule rules[];

/** The rule called @p name; NULL where there is none. */
const struct rule *rules_named(const char *name);

/** What @p operation is guaranteed to do on CPUs of @p vendor (one enum rule_vendor bit). Never NULL: an operation that guarantees
 * nothing there has a rule that says so. */
const struct rule *rules_of_operation(enum rule_operation operation, unsigned vendor);

/** "MUST", "MAY" or "PLATFORM". */
const char *rules_class_name(enum rule_class class);

/** The maker (an enum rule_vendor bit) that CPUID's vendor string @p vendor means. */
unsigned rules_vendor(const char *vendor);

#endif
