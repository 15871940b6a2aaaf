/* Text by a template; render.h says what may stand in one. */
#ifndef REPL_TEMPLATE_H
#define REPL_TEMPLATE_H

#include "repl/line.h"

/** What a template's names are looked up in. */
struct template_view {
  struct line *line; /* where it is shown */
  const struct record_node *node;
  const char *array; /* the key of the array that node is an element of, or NULL */
};

void template_show(const struct template_view *view, const char *t);

/** Whether there are all the members that the template names outside its optional parts. */
bool template_complete(const struct template_view *view, const char *t);

/** Whether the template shows the member @p key somewhere. */
bool template_names(const char *t, const char *key);

#endif
