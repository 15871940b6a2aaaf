/* How many translations a TLB holds, from the time that accesses take: going through few pages again and again costs a hit each, and
 * through more pages than a level holds a miss in it. Where the time per access rises are the knees. */
#ifndef MEASURE_KNEES_H
#define MEASURE_KNEES_H

#include <stdbool.h>
#include <stdint.h>

#define KNEES_POINTS 64
#define KNEES_MAX 3

struct knees_clock {
  /** Ticks times 1024 per access, at best, of going through @p pages pages in an order that nobody can foresee. 0: give up. */
  uint64_t (*cost)(void *context, unsigned pages);
  void *context;
  unsigned most; /* pages */
};

struct knees {
  bool stopped;
  unsigned points;
  struct {
    uint32_t pages;
    uint64_t cost; /* ticks times 1024, per access */
  } point[KNEES_POINTS];
  unsigned count;
  uint32_t knee[KNEES_MAX]; /* the most pages that go through without the rise */
};

void knees_find(const struct knees_clock *clock, struct knees *found);

#endif
