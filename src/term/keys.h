/* What a PS/2 keyboard's scan codes (set 1, US layout) come to in the bytes that a terminal sends. */
#ifndef TERM_KEYS_H
#define TERM_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYS_BYTES 8 /* the most that one scan code comes to */

struct keys {
  uint8_t down;     /* a bit per modifier that is held */
  bool caps, num;   /* Caps Lock, Num Lock */
  bool extended;    /* the last code was E0 */
  uint8_t skipping; /* codes still to come of Pause, which is E1 and five more, or of E0 2A and its like */
};

/** Takes one scan code; writes what it comes to, and gives back how many bytes that is: mostly none, for keys that are let go. */
size_t keys_feed(struct keys *keys, uint8_t code, char bytes[KEYS_BYTES]);

#endif
