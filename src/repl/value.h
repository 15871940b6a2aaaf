/* The plain values of a record, as text. */
#ifndef REPL_VALUE_H
#define REPL_VALUE_H

#include "repl/record.h"

#define VALUE_DIGITS_MAX 24

/** Neither an object nor an array. */
bool value_is_plain(const struct record_node *node);
bool value_is_number(const struct record_node *node);

/** Whether a template's condition on it holds: the bool true, the number not 0, the string, array or object not empty. */
bool value_is_true(const struct record_node *node);

/** The text of a plain value; @p digits is room for a number's. */
const char *value_text(const struct record_node *node, char digits[VALUE_DIGITS_MAX]);

/** How many characters it is shown with; an array's or object's plain values stand with ", " between. */
size_t value_length(const struct record_node *node);

#endif
