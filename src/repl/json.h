/* A record as one line of JSON: ASCII only, whatever its strings hold. */
#ifndef REPL_JSON_H
#define REPL_JSON_H

#include "repl/out.h"

/** The record's line; @p mode may be NULL, then there is no such member. */
void json_record(struct out *out, const struct record *record, const char *mode);

#endif
