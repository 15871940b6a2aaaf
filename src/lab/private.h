/* Between the files of the lab. */
#ifndef LAB_PRIVATE_H
#define LAB_PRIVATE_H

#include "lab/lab.h"

/** Fills the frames A..Z with their letters. */
void lab_frames_fill(void);
/** Forgets all tables and finds those that the root reaches. */
void lab_tables_init(void);
/** Pages taken since lab_tables_mark(): an undo need not put back what is in them. */
void lab_tables_mark(void);
bool lab_tables_fresh(paddr_t table);

#endif
