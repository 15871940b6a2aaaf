/* Expressions: numbers, $variables and frame names with the operators of C, in 64 bits that wrap around. */
#ifndef REPL_EXPRESSION_H
#define REPL_EXPRESSION_H

#include "repl/args.h"

/** Evaluates the expression at @p *at and moves past it. On a mistake fills @p r (if not NULL) as a usage error and returns false.
 * An operator with white space before it and none behind it ends the expression: "0x1000 -w" is a number and a word, while "8 - 4" and
 * "8-4" are differences. A '/' right before a letter ends it too ("0x1000/PDE"), and '=' is no operator. In parentheses all of this
 * does not apply. */
bool expression_parse(const char *text, size_t *at, const struct args_names *names, uint64_t *value, struct record *r);

/** Whether an expression could begin at @p text. */
bool expression_begins(const char *text);

#endif
