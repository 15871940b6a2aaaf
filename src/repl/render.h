/* Records as text for a person, or as one JSON line for a program.
 *
 * Text comes from templates, which are data in the command's row:
 *   "{va} {op}: {value}[ of frame {frame}], {outcome}[ in {ticks} ticks]"
 * {key} is the member's value; {key.sub} a member of a member; {} the element itself in an array of plain values. The value of an array or
 * an object is its plain members with ", " between. {key%-8} pads to a width (left-justified, or right-justified without the minus).
 * {key%?page|pages} is the one word where the number is 1, and the other where it is not.
 * A part in [ ] is left out when a member it names is missing, or an empty string or array; parts may stand within parts. [?key:text] shows
 * its text when the bool is true (or the number not 0, the string or array not empty), [?!key:text] when it is not. {{ and [[ are the
 * characters themselves; a bool shows as "yes"/"no". "\n" starts a new line.
 * A record without a template shows its plain members as "key  value" lines, aligned.
 * After the template come its arrays in order, but for those that the template names: with a row template, a line per element, each
 * indented by two; without, a table whose columns are the members of its elements, under a heading. An array of plain values without a
 * row template is one "key  a, b, c" line. A refusal shows its reason and nothing else; a usage error a caret, its reason, and "usage"
 * where there is such a member. */
#ifndef REPL_RENDER_H
#define REPL_RENDER_H

#include "repl/record.h"

struct render_options {
  bool json;
  bool color;
  const char *mode; /* the prompt's mode name, for the record */
  size_t columns;   /* text only: longer lines are broken between words; 0: none is */
  /* Text only, for a usage error's caret: */
  const char *input; /* shown again, at the margin, above the caret; NULL where the line as typed still stands right above */
  size_t indent;     /* how far right of the margin the command's text starts */
};

/** Where rendered text goes. */
typedef void (*render_sink)(void *context, const char *text, size_t length);

void render_record(const struct record *record, const struct render_options *options, render_sink sink, void *context);

#endif
