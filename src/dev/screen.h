/* The machine's own screen as a terminal: VGA's text mode, or a framebuffer in which the characters are drawn. */
#ifndef DEV_SCREEN_H
#define DEV_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/** Finds the screen; at a mode switch (@p again) it keeps what is on it. False where there is none that is understood, or, in this mode,
 * reached. */
bool screen_init(bool again);

/** Takes text. What is on the screen changes with screen_draw(), or when a screenful has gone by. */
void screen_write(const char *text, size_t length);

void screen_draw(void);

/** "screen 80x25". */
const char *screen_name(void);

/** How many characters a line holds, and how many lines there are. */
unsigned screen_columns(void);
unsigned screen_lines(void);

#endif
