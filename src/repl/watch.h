/* Addresses of which each record tells what may be cached. */
#ifndef REPL_WATCH_H
#define REPL_WATCH_H

#include "machine/machine.h"
#include "repl/record.h"

/** Watches @p va, or (@p on false) no longer. NULL, or why not. */
const char *watch_set(laddr_t va, bool on);

/** Adds "watch": a row per watched address. As text only where it has changed since it was shown last. */
void watch_record(struct record *r);

/** In words, what a TLB may hold of @p va by the rules. Returns whether it may hold anything. */
bool watch_describe(laddr_t va, char *text, size_t size);

/** Shows all of them with the next record. */
void watch_show(void);

#endif
