/* Ctrl-R: looks for a line of the history by a part of it, while that is being typed. */
#ifndef REPL_SEARCH_H
#define REPL_SEARCH_H

#include "repl/editor.h"

/** Begins a search. */
void search_key(struct editor *e);

/** Takes a byte while editor->searching. False when it ends the search and is to be acted on. */
bool search_feed(struct editor *e, uint8_t byte);

#endif
