/* The line editor: eats one byte at a time, owns no I/O. Keys as people's hands expect (Emacs keys and arrows). */
#ifndef REPL_EDITOR_H
#define REPL_EDITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDITOR_LINE_MAX 1024 /* bytes of a line, the NUL included */

enum editor_event {
  EDITOR_MORE,     /* nothing to do yet */
  EDITOR_LINE,     /* Enter: the line is in editor->line */
  EDITOR_CANCEL,   /* Ctrl-C: the line was dropped */
  EDITOR_EOF,      /* Ctrl-D on an empty line */
  EDITOR_TOO_LONG, /* Enter on a line that did not fit; it was dropped whole, editor->dropped says how long it was */
};

/** History lives in memory that survives a mode switch: no pointers. Lines as a ring of bytes, oldest dropped first. */
#define HISTORY_BYTES 6144
struct editor_history {
  uint32_t used;
  uint32_t lines;
  uint32_t dropped;         /* how many lines were dropped since power-on, so that numbers stay stable */
  char text[HISTORY_BYTES]; /* NUL-terminated lines, oldest first */
};
void history_add(struct editor_history *history, const char *line);             /* skips empty lines and an immediate repeat */
const char *history_line(const struct editor_history *history, uint32_t index); /* 0 = oldest; NULL past the end */

/** Takes a candidate for completion, which is good only during the call. */
typedef void (*editor_add)(void *list, const char *candidate, size_t length);

struct editor_callbacks {
  void (*write)(void *context, const char *text, size_t length); /* to the terminal */
  /** Tab: candidates for the word at @p cursor of @p line. Calls add() for each; *@p start gets where the word starts. Returns a hint to
   * show when there is no candidate (the argument's usage), or NULL. It is called twice, the second time to list the candidates. */
  const char *(*complete)(void *context, const char *line, size_t cursor, size_t *start, editor_add add, void *list);
  void *context;
};

struct editor {
  struct editor_callbacks callbacks;
  struct editor_history *history;
  const char *prompt;
  bool echo; /* false: edits but shows nothing (json) */
  char line[EDITOR_LINE_MAX];
  size_t length, cursor;
  size_t dropped;
  /* ... and the editor's private state below */
  char saved[EDITOR_LINE_MAX]; /* what was typed before going up in history */
  char killed[EDITOR_LINE_MAX];
  uint32_t history_at;
  uint8_t escape[8]; /* the sequence so far, ESC included; one that is longer is swallowed unread */
  uint8_t escape_length;
  bool last_was_cr;
  bool ended; /* the line was handed out: the next byte starts a new one */
  bool searching;
  bool found; /* what is searched for is somewhere in the history */
  char search[64];
  size_t search_length;
  uint32_t search_at; /* how many lines back the search has come */
  size_t shown;       /* first byte of the line that is on the screen: long lines scroll sideways */
  size_t columns;     /* of the terminal */
};

#define EDITOR_COLUMNS 80       /* where nobody says: most terminals', and the screen's in text mode */
#define EDITOR_COLUMNS_LEAST 40 /* with fewer there is no telling tables apart */
#define EDITOR_COLUMNS_END 1000

void editor_init(struct editor *editor, struct editor_history *history, const struct editor_callbacks *callbacks);
/** Starts a new line: shows the prompt (which may hold colours), even without echo. The prompt must live as long as the line. @p columns:
 * the terminal's width; 0: unknown. */
void editor_prompt(struct editor *editor, const char *prompt, size_t columns);
/** Takes one byte. After Enter the line is in editor->line, with no end-of-line, until the next editor_prompt() or editor_feed(); to
 * add it to the history is the caller's business. Without echo a tab is a blank. */
enum editor_event editor_feed(struct editor *editor, uint8_t byte);

#endif
