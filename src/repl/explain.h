/* Predictions, verdicts and advice, as members of a record. */
#ifndef REPL_EXPLAIN_H
#define REPL_EXPLAIN_H

#include "lab/lab.h"
#include "paging/advice.h"
#include "repl/record.h"

/** The array "predicted": every permitted outcome with its class and rule. As text only where @p always, or where there is more than one.
 */
void explain_prediction(struct record *r, const struct prediction *prediction, bool always);

/** The member "violation", where there is one. */
void explain_violation(struct record *r, const struct predict_violation *violation);

/** "fresh", "stale" or "fault". */
const char *explain_outcome_name(const struct predict_outcome *outcome);

/** "needs", and "rule": what @p advice says. @p advice->rule must not be NULL. */
void explain_advice(struct record *r, const struct advice *advice);

/** The command that would do what @p advice needs, "invlpg 0x40000000"; "" where it needs nothing. Returns @p text. */
char *explain_remedy(const struct advice *advice, char *text, unsigned size);

/** The name that a person types for @p operation: "cr3". */
const char *explain_operation_name(enum rule_operation operation);

/** Remembers the access or the edit that was just done, for `why`. */
void explain_did_access(const struct lab_touch *touch);
void explain_did_edit(const struct advice *advice);
void explain_did_operation(enum rule_operation operation);

/** The access that was done last; NULL where something else was. */
const struct lab_touch *explain_last_access(void);

/** Fills in what `why` answers about it. False after record_refuse(). */
bool explain_why(struct record *r);

#endif
