/* What the time-stamp counter is worth here, found out by experiment. */
#ifndef MEASURE_CLOCK_H
#define MEASURE_CLOCK_H

#include <stdint.h>

enum clock_kind {
  CLOCK_NONE,     /* there is none, or it does not tell a TLB's hit from a miss */
  CLOCK_EMULATED, /* it tells what an emulator does: what is dearer than what, and no more */
  CLOCK_HARDWARE, /* a load costs what it costs on a CPU */
};

/** Judges the clock for ring 0, with a page of the kernel's own. */
enum clock_kind clock_judge(void);

/** Judges it for ring 3, with pages that are open (pages.h): under some hypervisors ring 0 is emulated and ring 3 is not. */
enum clock_kind clock_judge_user(void);

/** "none", "emulated", "hardware"; and what that means for a figure. */
const char *clock_name(enum clock_kind kind);
const char *clock_says(enum clock_kind kind);

/** Ticks of the time-stamp counter in a millisecond, or 0 where the CPU does not say. SDM: Determining the Processor Base Frequency. */
uint32_t clock_ticks_per_ms(void);

#endif
