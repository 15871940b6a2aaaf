/* Turning the machine off, and starting it again. */
#ifndef DEV_POWER_H
#define DEV_POWER_H

#include <stdint.h>

/** Enters ACPI's soft-off state S5, found through the RSDP at @p rsdp (0 = none), with @p physical giving the kernel's view of physical
 * memory (good to the end of the page, NULL where there is none); where that fails, the ports by which emulators end.
 * Returns if nothing worked. */
void power_off(uint64_t rsdp, void *(*physical)(uint64_t at));

/** Resets the machine: keyboard controller, then the PCI reset register, then a triple fault. */
void power_reboot(void) __attribute__((noreturn));

#endif
