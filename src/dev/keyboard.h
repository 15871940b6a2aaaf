/* A PS/2 keyboard, or what the firmware makes look like one. */
#ifndef DEV_KEYBOARD_H
#define DEV_KEYBOARD_H

#include <stdbool.h>

/** Sets it up; at a mode switch (@p again) only its interrupt. False where there is no keyboard controller, or no keyboard answers. */
bool keyboard_init(bool again);

/** Takes what has been typed, where no interrupt does. */
void keyboard_poll(void);

/** Whether it wakes a CPU that halts, as far as is known. */
bool keyboard_interrupts(void);

#endif
