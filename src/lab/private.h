/* Between the files of the lab. */
#ifndef LAB_PRIVATE_H
#define LAB_PRIVATE_H

#include "lab/lab.h"

/** Fills the frames A..Z with their letters. */
void lab_frames_fill(void);
/** Forgets all tables and finds those that the root reaches. */
void lab_tables_init(void);
/** Only what has been written since lab_undo_begin() can be undone any more. */
void lab_undo_clear_older(void);

/** Pages taken since lab_tables_mark(): an undo need not put back what is in them. */
void lab_tables_mark(void);
bool lab_tables_fresh(paddr_t table);

/** lab_model(), to be changed. */
struct model *lab_model_change(void);
/** Looks for tables from the root of every space again. */
void lab_tables_watch(void);
/** Forgets that there was an access (lab_touch_since). */
void lab_touch_forget(void);
/** Only the first space is left. */
void lab_spaces_init(void);

#endif
