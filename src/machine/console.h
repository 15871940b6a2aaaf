/* The terminal: a byte stream in both directions, and Ctrl-C. */
#ifndef MACHINE_CONSOLE_H
#define MACHINE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#define CONSOLE_CTRL_C 0x03 /* the byte */

/** The next byte typed, 0..255, waiting for it; -1 when there will be no more (the hosted program's end of input). */
int console_read(void);

void console_write(const char *text, size_t length);

/** True once Ctrl-C has been typed since console_interrupt_clear(). Cheap: call it in every long loop. */
bool console_interrupted(void);
void console_interrupt_clear(void);

/** A line that something outside the shell wants shown before the next prompt (an NMI came), or NULL. Each is given once. */
const char *console_notice_take(void);

#endif
