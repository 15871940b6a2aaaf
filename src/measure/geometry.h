/* The shape of a TLB, found out from outside: how many sets and ways, which bits of the page number choose the set, which entry makes room.
 *
 * All that it takes is to make the CPU access pages in some order, and to ask of one page whether its translation is still cached. How that
 * is asked is the oracle's business: by the time that an access takes, or by a flag that only a walk sets. Page 0 is what everything is
 * asked about: which other pages, accessed after it, push it out?
 *   1. The first pages of all push it out when there are enough of them.
 *   2. Whatever can be left out of them is left out. What remains is as many as there are ways, all in page 0's set.
 *   3. A page is in page 0's set if it can stand in for one of them. The set is found by exclusive-or of bits of the page number, so it
 *      is enough to ask about pages with one bit, and with two.
 *   4. A random order of accesses to one page more than there are ways is compared with what each policy would have kept. */
#ifndef MEASURE_GEOMETRY_H
#define MEASURE_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#define GEOMETRY_PAGES_MAX 16384u
#define GEOMETRY_BITS 14

struct geometry_oracle {
  unsigned bits; /* there are 1 << bits pages, at most GEOMETRY_PAGES_MAX */
  /** Empties the TLB. */
  void (*empty)(void *context);
  /** Accesses a page. */
  void (*touch)(void *context, unsigned page);
  /** Accesses a page, and tells which level's TLB had its translation; 0: none had. Where levels cannot be told apart it is 1. */
  unsigned (*found)(void *context, unsigned page);
  /** Lets the CPU translate a page, or not: so that it does not, of its own accord, cache the neighbours of those that are accessed. All
   * may be translated at first; it is followed by empty(). May be NULL. */
  void (*allow)(void *context, unsigned page, bool allowed);
  /** Whether to give up. */
  bool (*stop)(void *context);
  void *context;
};

enum geometry_end {
  GEOMETRY_FOUND,
  GEOMETRY_NONE,    /* nothing is ever found: there is no such TLB, or it cannot be seen */
  GEOMETRY_BEYOND,  /* all pages together do not push one out: it is larger than can be tried */
  GEOMETRY_ODD,     /* what pushes what out fits no such shape */
  GEOMETRY_STOPPED, /* stop() said so */
};

enum geometry_policy { GEOMETRY_LRU, GEOMETRY_FIFO, GEOMETRY_TREE, GEOMETRY_RANDOM, GEOMETRY_NO_CHOICE, GEOMETRY_UNKNOWN };

#define GEOMETRY_UNUSED 0xff

struct geometry {
  enum geometry_end end;
  uint8_t level;
  uint32_t sets, ways;
  uint8_t index[GEOMETRY_BITS]; /* which bit of the set's number each bit of the page number goes into, or GEOMETRY_UNUSED */
  enum geometry_policy policy;
};

/** Finds the shape of level @p level, 1 or 2. @p first: the shape of level 1, when it is level 2's that is wanted. @p seed: of the random
 * orders. */
struct geometry geometry_find(const struct geometry_oracle *oracle, unsigned level, const struct geometry *first, uint64_t seed);

/** Whether the pages are in the same set. */
bool geometry_same_set(const struct geometry *geometry, unsigned page, unsigned other);

/** "LRU", "random". */
const char *geometry_policy_name(enum geometry_policy policy);

#endif
