/* Lines of text for a person: colours, indentation, and lines too long for the terminal broken between words. */
#ifndef REPL_LINE_H
#define REPL_LINE_H

#include "repl/out.h"

#define LINE_WORD_BYTES 128

struct line {
  struct out *out;
  size_t columns; /* a longer line is broken; 0: lines may have any length */
  size_t indent;  /* blanks at the start of each line */
  bool color;
  /* The line under way: */
  bool begun;    /* it has something in it */
  size_t column; /* how far it is written */
  size_t hang;   /* how far right of the margin it goes on when it is broken: a little further than it began, if nothing else is said */
  bool hang_set; /* ... which is where the next word begins */
  size_t blanks; /* owed: a line does not end in blanks */
  size_t width;  /* of the word under way, in columns; colours have none */
  size_t used;   /* ... in bytes */
  char word[LINE_WORD_BYTES];
};

void line_char(struct line *line, char c);
void line_text(struct line *line, const char *text);
void line_blanks(struct line *line, size_t count);

/** Ends a line that was begun; one that was not is not there. */
void line_end(struct line *line);

/** Where the line is broken later on it goes on below the word that comes next, if that leaves half of the columns to it. */
void line_hang(struct line *line);

/** The escape sequence of a colour, where there are colours. */
void line_code(struct line *line, const char *code);

/** A value in its colour, which may depend on the @p array (its key) that it is an element or a member of an element of, or NULL. */
void line_value(struct line *line, const struct record_node *node, const char *array);

/** A member as "key  value" or, with a @p prefix, "prefix.key  value"; the values begin @p width + 2 right of the margin. */
void line_pair(struct line *line, const char *prefix, const struct record_node *node, size_t width);

extern const char line_red[], line_yellow[], line_bold[], line_plain[];

#endif
