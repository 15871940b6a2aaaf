/* PCI configuration space, by mechanism 1: as much as finding a serial card takes. */
#ifndef DEV_PCI_H
#define DEV_PCI_H

#include <stdbool.h>
#include <stdint.h>

/** The base port of the first 16550-like serial controller (class 07, subclass 00) whose first BAR is in I/O space, with its decoding
 * turned on; 0 where there is none. Looks at every bus: milliseconds. */
uint16_t pci_serial_port(void);

#endif
