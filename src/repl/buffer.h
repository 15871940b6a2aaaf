/* The line that is being edited, and how it is kept on the screen: for the line editor's own files. */
#ifndef REPL_BUFFER_H
#define REPL_BUFFER_H

#include "repl/editor.h"

#define BUFFER_CAPACITY (EDITOR_LINE_MAX - 1)

/** To the terminal, if there is to be an echo. */
void buffer_put(struct editor *e, const char *text, size_t length);
void buffer_write(struct editor *e, const char *text);

/** Draws the prompt and the line anew. */
void buffer_redraw(struct editor *e);

/** Changes of the line, with what they take on the screen. What does not fit is not inserted. */
void buffer_cursor(struct editor *e, size_t cursor);
void buffer_insert(struct editor *e, const char *text, size_t length);
void buffer_erase(struct editor *e, size_t from, size_t to);
void buffer_kill(struct editor *e, size_t from, size_t to); /* ... and keeps it to be yanked */
void buffer_line(struct editor *e, const char *text);

/** Begins a new line, in memory only. */
void buffer_clear(struct editor *e);

/** Keeps the line as it was typed, for when the history or a search is left again. */
void buffer_save(struct editor *e);

/** Words: runs of what is not blank, for killing backwards; runs of letters and digits, for moving. */
size_t buffer_blank_word_start(const struct editor *e);
size_t buffer_word_start(const struct editor *e);
size_t buffer_word_end(const struct editor *e);

#endif
