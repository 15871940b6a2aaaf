/* Performance-monitoring counters: what the CPU itself counts of its TLBs, where it has counters and we know its events. */
#ifndef MEASURE_COUNTERS_H
#define MEASURE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTERS_EVENTS 6

struct counters_event {
  const char *name; /* as its manual calls it */
  const char *says;
  uint8_t event, umask;
};

/** The events of one microarchitecture. */
struct counters_cpu {
  const char *name;
  const char *source;                           /* the manual and its table */
  struct counters_event event[COUNTERS_EVENTS]; /* ends with one without a name */
};

/** The events of this CPU, or NULL with the reason in @p why. */
const struct counters_cpu *counters_here(char *why, size_t size);

/** Whether they count at all, by counting our own instructions: emulators have counters that stay 0, and so may virtual machines. */
bool counters_count(void);

/** Begins to count @p event in rings 0 and 3; counters_end() gives how many there were. */
void counters_begin(const struct counters_event *event);
uint64_t counters_end(void);

#endif
