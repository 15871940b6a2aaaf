/* The conformance suite: cases that make the CPU do something and judge it by what the architecture permits (paging/predict.h).
 *
 * run.c       finds the cases that a name means, runs them, counts
 * bench.c     the workbench: two stretches of linear addresses, and steps in which a case does its work
 * product.c   `check rights`: which states of control registers and which entries there are
 * sweep.c     ... and what comes of them
 * cases_*.c   the cases, a row each, with an essay above each group
 *
 * A verdict comes from the rules and not from the case: where the architecture permits one outcome only, and it came, the case passes;
 * where it permits several, what came is an observation; a violation is a failure, with the rule that it breaks. */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "lab/lab.h"

enum check_verdict { CHECK_PASS, CHECK_FAIL, CHECK_OBSERVED, CHECK_SKIP, CHECK_VERDICTS, CHECK_PROGRESS = CHECK_VERDICTS };

struct check_result {
  const char *group;
  char name[96];
  uint8_t verdict; /* enum check_verdict */
  char note[320];  /* what came, or what is missing; "" */
  const char *sdm;
};

/** Takes each result as it comes. False: stop. CHECK_PROGRESS is no result: a long case asks whether to go on, and says how far it is, or
 * nothing, in the note. */
typedef bool (*check_each)(void *context, const struct check_result *result);

struct check_counts {
  unsigned verdict[CHECK_VERDICTS];
};

/** How much of a group that has more combinations than anybody waits for. */
struct check_extent {
  bool full;     /* all, not only samples */
  uint64_t from; /* ... from this number on */
};

/** Runs every case of the groups that @p name is: a group's name, or "all". Returns false where no group is called so. NULL in *@p why, or
 * why nothing could be run (a literal). */
bool check_run(const char *name, const struct check_extent *extent, check_each each, void *context, struct check_counts *counts,
               const char **why);

/** The name and the brief of group number @p index; false past the last. */
bool check_group(unsigned index, const char **name, const char **brief, const char **sdm);

#endif
