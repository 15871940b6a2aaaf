/* What it costs to invalidate and to fill again, over a growing number of pages. */
#ifndef MEASURE_SWEEPS_H
#define MEASURE_SWEEPS_H

#include "measure/figures.h"

#include <stdbool.h>

#define SWEEPS_POINTS 24
#define SWEEPS_PAGES_MAX 4096u

enum sweeps_kind {
  SWEEPS_FLUSH,     /* N pages: INVLPG each, or MOV CR3. first: page by page; second: in full */
  SWEEPS_DIRECTORY, /* the entry above a table has changed, N of its pages are used again. first: INVLPG of all; second: MOV CR3 */
  SWEEPS_SWITCH,    /* N pages have changed and another address space is next. first: INVLPG each, then MOV CR3; second: MOV CR3 at once */
  SWEEPS_GLOBAL,    /* N pages used again after MOV CR3. first: not global; second: global */
};

struct sweeps_wanted {
  enum sweeps_kind kind;
  unsigned most;    /* pages, at most SWEEPS_PAGES_MAX */
  unsigned working; /* pages of a working set, which nobody wants invalidated, and which are used again too */
  unsigned shift;   /* log2 of a page's size */
  bool empty;       /* none of it is cached when the invalidation comes */
};

/** Ticks, as medians. */
struct sweeps_point {
  uint32_t pages;
  uint64_t first, second;
};

struct sweeps {
  const char *refused; /* or NULL */
  bool clock;          /* false: the CPU has none */
  bool stopped;        /* Ctrl-C: there are fewer points than there would be */
  unsigned points;
  struct sweeps_point point[SWEEPS_POINTS];
  struct figures_line first, second; /* straight lines through them */
  uint32_t crossing;                 /* from so many pages on the second is cheaper; UINT32_MAX: never */
};

/** How far it is: the first way comes before the second. */
typedef void (*sweeps_progress)(bool second, unsigned pages);

/** @p each may be NULL. */
void sweeps_run(const struct sweeps_wanted *wanted, struct sweeps *result, sweeps_progress each);

#endif
