/* Figures from samples: order statistics, a histogram, a straight line. Integers only: a kernel has no floating point. */
#ifndef MEASURE_FIGURES_H
#define MEASURE_FIGURES_H

#include <stdint.h>

#define FIGURES_BINS 8

/** What a set of samples looks like. Ticks, unless who measured says otherwise. */
struct figures {
  unsigned count;
  uint32_t least, p10, quarter, median, three_quarters, p90, p99, most;
};

/** One bar of a histogram: how many samples are from @c from up to, not including, @c to. */
struct figures_bin {
  uint32_t from, to;
  unsigned count;
};

/** Sorts the samples and describes them. All zeros where there are none. */
struct figures figures_of(uint32_t *samples, unsigned count);

/** Counts sorted samples in bins of equal width from the least to the 99th percentile; the last takes the rest too. Returns how many bins
 * there are, at most FIGURES_BINS. */
unsigned figures_histogram(const uint32_t *sorted, unsigned count, struct figures_bin bins[FIGURES_BINS]);

/** y = intercept + slope * x / 1024, by least squares. */
struct figures_line {
  int64_t intercept, slope;
};

/** The line through @p count points. The slope is 0 where all x are the same. @p x below 2^16, @p y below 2^40, and at most 64 points, so
 * that nothing overflows. */
struct figures_line figures_fit(const uint32_t *x, const uint64_t *y, unsigned count);

/** The first whole x from which on @p upper is above @p lower, or 0 where it is from the beginning; UINT32_MAX: nowhere. */
uint32_t figures_crossing(const struct figures_line *upper, const struct figures_line *lower);

#endif
