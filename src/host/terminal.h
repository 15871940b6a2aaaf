/* The hosted program's side of machine/console.h: standard input and output, raw where a person sits there. */
#ifndef HOST_TERMINAL_H
#define HOST_TERMINAL_H

#include <stdbool.h>

/** Whether standard input is a terminal. */
bool terminal_is_person(void);

/** How many characters a line of the terminal holds; 0 where the output goes elsewhere. */
unsigned terminal_columns(void);

/** Makes the terminal raw, and sees to it that it is restored however the program ends. */
void terminal_start(void);
void terminal_restore(void);

#endif
