/* A 16550 or 8250 UART: received bytes by interrupt into the input ring, with RTS flow control; polled where no interrupt arrives. */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Sets up the UART at @p port at @p baud, 8N1; @p irq is its interrupt on the PIC, or 0 where that is not known. With interrupts off. At a
 * mode switch (@p again) it keeps what was received. False where there is no UART. */
bool serial_init(uint16_t port, unsigned irq, unsigned baud, bool again);

/** Takes what has come, interrupt or not, and lets the other side send again where there is room. */
void serial_poll(void);

/** The same, where no interrupt does it: to be called often. */
void serial_continue(void);

/** Whether what comes wakes a CPU that halts. */
bool serial_interrupts(void);

void serial_write(const char *text, size_t length);

/** "16550, by interrupt": for the boot record. */
const char *serial_kind(void);

#endif
