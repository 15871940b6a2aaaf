/* The booted machine's terminal (machine/console.h): a serial line. */
#ifndef DEV_CONSOLE_H
#define DEV_CONSOLE_H

#include <stdbool.h>

/** Opens the console that `console=` on the command line names (com1..com4, with an optional ",baud"; com1,115200 when nothing is said),
 * or the first COM port there is. @p again at a mode switch. */
void console_init(const char *command_line, bool again);

/** Has @p text, a literal, shown before the next prompt: so it cannot come between the bytes of something else. Safe in an exception
 * handler. */
void console_notice(const char *text);

/** What it is: "com1, 115200, 16550, by interrupt". */
const char *console_name(void);

#endif
