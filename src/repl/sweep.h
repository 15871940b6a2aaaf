/* What `sweep` says. */
#ifndef REPL_SWEEP_H
#define REPL_SWEEP_H

#include "measure/sweeps.h"
#include "repl/args.h"

/** Runs the sweep that @p args describe, and fills in the record: the handler of `sweep`. */
bool sweep_report(const struct args *args, struct record *r, enum sweeps_kind kind);

#endif
