/* What an access may come to: every outcome that the architecture permits, from the model's paths and the rights of each; and the
 * verdict on what the CPU did. */
#ifndef PAGING_PREDICT_H
#define PAGING_PREDICT_H

#include "paging/model.h"
#include "paging/rights.h"

#define PREDICT_MAX 12

struct predict_outcome {
  bool fault;
  bool fresh;  /* what the tables ask for as they are */
  bool walked; /* a walk now would come to it ... */
  bool cached; /* ... and so would a translation from a TLB */
  uint8_t vector;
  uint32_t error;
  paddr_t pa;       /* of the byte that is accessed, where it is no fault */
  struct walk walk; /* the walk now that leads there, if walked; else the path that was cached */
  bool from_past;   /* some entry on the way has another value now: the next two say which */
  uint8_t past_level;
  uint8_t pasts; /* a bit per level whose entry may come from a paging-structure cache, with a value that it no longer has */
  struct model_past past;
  const struct rule *rule; /* why it is permitted */
};

struct prediction {
  bool complete; /* false: the model has forgotten too much; other outcomes are possible */
  laddr_t va;
  enum machine_op op;
  uint8_t cpl;
  unsigned count;
  struct predict_outcome outcome[PREDICT_MAX]; /* what the tables ask for stands first, where it is permitted */
};

/** Every outcome that is permitted for an access to the address of @p now, the walk of it as walk_run() finds it. */
void predict_access(const struct model *model, const struct paging *paging, const struct walk *now, enum machine_op op, uint8_t cpl,
                    struct prediction *prediction);

/** The same access (va, op, cpl of @p of), if operations of the kind @p ignored dropped nothing (MODEL_NO_DROPS: if none did). */
void predict_ignoring(const struct model *model, const struct paging *paging, const struct prediction *of, enum rule_operation ignored,
                      struct prediction *prediction);

/** MUST where only one outcome is permitted; else MAY, or PLATFORM where a rule of that class permits it. */
enum rule_class predict_class(const struct prediction *prediction, const struct predict_outcome *outcome);

/** The outcome that is this fault; NULL where none is. */
const struct predict_outcome *predict_find_fault(const struct prediction *prediction, const struct machine_fault *fault);
/** The outcome that reaches the page of @p pa; NULL where none is. */
const struct predict_outcome *predict_find_page(const struct prediction *prediction, paddr_t pa);

/** What the platform did against the architecture. rule is NULL where it did nothing of the kind. */
struct predict_violation {
  const struct rule *rule;
  struct model_drop drop; /* the operation that forbade it, where it was one */
};

/** For an outcome that was not predicted: which rule it breaks. @p fault has raised = false where the access went through, to @p pa where
 * that is known. */
struct predict_violation predict_blame(const struct model *model, const struct paging *paging, const struct prediction *prediction,
                                       const struct machine_fault *fault, bool pa_known, paddr_t pa);

/** For an outcome that was predicted: whether the flags and CR2 are as they must be after it. @p before is the walk before the access. */
struct predict_violation predict_aftermath(const struct paging *paging, const struct prediction *prediction,
                                           const struct predict_outcome *outcome, const struct walk *before,
                                           const struct machine_fault *fault);

/** What predict_aftermath() found, or rather, where A or D is missing because a translation was used that should have been dropped: the
 * operation that should have. */
struct predict_violation predict_blame_flags(const struct model *model, const struct paging *paging, const struct prediction *prediction,
                                             const struct predict_outcome *outcome, struct predict_violation found);

#endif
