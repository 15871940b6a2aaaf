/* What `set` can change: a row each. */
#ifndef REPL_SETTINGS_H
#define REPL_SETTINGS_H

#include "repl/record.h"

/** Lists every setting into @p r. */
void settings_list(struct record *r);

/** Sets @p name to @p value (0 or 1), and fills in @p r. False with the reason where it cannot be. @p at: the column of the name. */
bool settings_change(struct record *r, const char *name, size_t at, uint64_t value);

/** After a mode switch: makes the control registers what the user had set, as far as this mode and CPU have them. */
void settings_apply(void);

/** Makes the control registers what they are when nobody has set anything. */
void settings_restore(void);

/** The name of setting number @p index, or NULL. For completion and documentation. */
const char *settings_name(unsigned index);
/** What it means when it is 1. */
const char *settings_brief(unsigned index);

#endif
