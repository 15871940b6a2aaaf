/* The booted machine's terminal (machine/console.h): a serial line, the screen and keyboard, or all of them at once. */
#ifndef DEV_CONSOLE_H
#define DEV_CONSOLE_H

#include <stdbool.h>

/** Opens the console that `console=` on the command line names:
 *   com1..com4[,BAUD]  a serial line at 115200 or so many baud, and nothing else
 *   pci[,BAUD]         a PCI serial card
 *   screen             the screen and the keyboard, and nothing else
 * When nothing is said, or what is said is not there: the first COM port there is (or a PCI serial card where there is none), mirrored with
 * the screen and the keyboard; but a machine with a serial line that answers in JSON leaves its screen alone. @p again at a mode switch. */
void console_init(const char *command_line, bool again);

/** Has @p text, a literal, shown before the next prompt: so it cannot come between the bytes of something else. Safe in an exception
 * handler. */
void console_notice(const char *text);

/** Everything that was written can be seen. */
void console_flush(void);

/** What it is: "com1, 115200 baud, 16550, by interrupt; screen 80x25; keyboard". */
const char *console_name(void);

/** How many characters a line holds, and how many lines there are; 0: nobody knows, for a terminal is at the end of a serial line. */
unsigned console_columns(void);
unsigned console_lines(void);

#endif
