/* Tab: completes the word at the cursor, or lists what it may become. */
#ifndef REPL_COMPLETION_H
#define REPL_COMPLETION_H

#include "repl/editor.h"

void completion_key(struct editor *e);

#endif
