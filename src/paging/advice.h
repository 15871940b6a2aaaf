/* What a change of paging-structure entries needs: which invalidation, by which rule, and what happens without it.
 * Source: SDM, Recommended Invalidation and Optional Invalidation. */
#ifndef PAGING_ADVICE_H
#define PAGING_ADVICE_H

#include "paging/model.h"

/** In ascending order of urgency. */
enum advice_need {
  NEED_NOTHING,
  NEED_OPTIONAL, /* without it there is a spurious fault at most, or an A or D flag that stays clear */
  NEED_FLUSH,
};

enum advice_how {
  HOW_NOT,
  HOW_INVLPG, /* of va */
  HOW_CR3,
  HOW_ALL, /* global translations too: a change of CR4.PGE */
};

struct advice {
  uint8_t need;     /* enum advice_need */
  uint8_t how;      /* enum advice_how */
  unsigned entries; /* how many entries need it */
  bool older;       /* the change itself needs none, but an older translation may still be cached */
  bool table;       /* an entry that refers, or referred, to a table is among them */
  laddr_t va;       /* of the first of them */
  uint8_t level;
  const struct rule *rule; /* of the most urgent one; NULL before the first change */
};

struct advice_change {
  laddr_t va; /* the first address that the entry translates */
  uint8_t level;
  uint64_t before, after;
};

/** Takes one more change into *@p advice, which starts as {0}. The change is already in memory and in the model. */
void advice_add(struct advice *advice, const struct model *model, const struct paging *paging, const struct advice_change *change);

#endif
