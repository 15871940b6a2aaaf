/* A 16550 or 8250 UART: received bytes by interrupt into a ring that survives a mode switch, with RTS flow control; polled where no
 * interrupt arrives. */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Sets up COM@p number (1..4) at @p baud, 8N1. At a mode switch (@p again) it keeps what was received. False where there is no UART. */
bool serial_init(unsigned number, unsigned baud, bool again);

/** The next received byte, or -1. Never waits. */
int serial_read(void);

/** Waits until a byte may have come: halts where interrupts work, else polls once. */
void serial_wait(void);

void serial_write(const char *text, size_t length);

/** Whether Ctrl-C has been received since serial_break_clear(). Polls where there are no interrupts. */
bool serial_break(void);
void serial_break_clear(void);

/** "irq 4" or "polled", and the UART's kind: for the boot record. */
const char *serial_kind(void);

#endif
