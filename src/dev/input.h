/* What has been typed, wherever: a ring of bytes that the serial line's and the keyboard's interrupts fill. It is in memory that both
 * kernels share, so what is typed during a mode switch is not lost. */
#ifndef DEV_INPUT_H
#define DEV_INPUT_H

#include <stdbool.h>
#include <stdint.h>

/** An empty ring. */
void input_init(void);

/** Puts a byte at the end. With interrupts off, or in an interrupt handler. Ctrl-C throws away what was typed ahead of it. */
void input_put(uint8_t byte);

/** The next byte, or -1. */
int input_get(void);

bool input_empty(void);

/** Whether so much has come that whoever sends should stop; and whether so much of it has been read that he may go on. */
bool input_nearly_full(void);
bool input_half_empty(void);

/** Whether Ctrl-C has come since input_break_clear(). */
bool input_break(void);
void input_break_clear(void);

#endif
