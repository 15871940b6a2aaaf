/* What several command families need. */
#ifndef REPL_COMMON_H
#define REPL_COMMON_H

#include "lab/lab.h"
#include "measure/clock.h"
#include "repl/command.h"

/** A page size as people write it: "4 KiB", "2 MiB". */
const char *common_size_name(unsigned shift);

/** Adds the member "fault" to @p r: vector, name, error code and its flags, CR2. */
void common_fault(struct record *r, const struct machine_fault *fault);

/** The name of exception @p vector: "#PF". */
const char *common_vector_name(unsigned vector);

/** The vector that is called @p name ("pf"), or -1. */
int common_vector_named(const char *name);

/** Refuses with @p why if it is not NULL. Returns whether it was NULL. */
bool common_allowed(struct record *r, const char *why);

/** Whether the CPU lacks @p feature; then refuses, and names its CPUID bit. */
bool common_lacks(struct record *r, enum machine_feature feature);

/** Adds the clock's worth, which stands behind each figure; in text also what that means. */
void common_clock(struct record *r, enum clock_kind kind);

/** Refuses because the CPU has no time-stamp counter. Returns false. */
bool common_no_clock(struct record *r);

/** A line on what is being worked on, for a person who waits; nothing in JSON. */
void common_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** Whether ticks are shown: text has none where the clock does not tell a TLB's hit from a miss, for there they would say something that is
 * not so. */
bool common_shows_ticks(void);

/** Adds a number of ticks as @p key, where they are shown. */
void common_ticks_count(struct record *r, struct record_node *parent, const char *key, uint64_t ticks);

/** Adds the ticks of an access, if it was timed, and the clock's worth. */
void common_ticks(struct record *r, const struct machine_result *result);

#endif
