/* How large the TLBs are: each side's, each page size's, each level's. */
#ifndef MEASURE_CAPACITY_H
#define MEASURE_CAPACITY_H

#include "measure/geometry.h"
#include "machine/machine.h"

/** What is looked for. */
struct capacity_wanted {
  enum machine_op op; /* OP_READ: the data TLB; OP_EXEC: the instruction TLB */
  uint8_t cpl;
  unsigned shift; /* log2 of the page's size */
  uint64_t seed;
};

enum capacity_way {
  CAPACITY_BY_CLOCK, /* by the time that each access takes, where that is always the same: levels can be told apart */
  CAPACITY_BY_FLAG,  /* by the A flag, which only a walk sets: what a hit is in cannot be told */
};

#define CAPACITY_LEVELS 2

struct capacity {
  const char *refused; /* why there is nothing else here, or NULL */
  enum capacity_way way;
  bool fragments; /* large pages are cached in 4 KiB pieces: nothing else was tried */
  unsigned pages; /* that were tried */
  unsigned levels;
  struct geometry level[CAPACITY_LEVELS];
  bool shared[CAPACITY_LEVELS]; /* what a read has filled serves fetches too, in this level */
};

/** Finds out. Stops when Ctrl-C is typed; what is found until then is there. */
void capacity_find(const struct capacity_wanted *wanted, struct capacity *found);

#endif
