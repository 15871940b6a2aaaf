/* An array of objects as a table under a heading. */
#ifndef REPL_TABLE_H
#define REPL_TABLE_H

#include "repl/line.h"

/** Its columns are the members of its elements, each as wide as its longest value. */
void table_show(struct line *line, const struct record_node *array);

#endif
