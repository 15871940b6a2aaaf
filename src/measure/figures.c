#include "measure/figures.h"

/* Heap sort: no recursion, no memory, and no bad case. */
static void sift(uint32_t *samples, unsigned from, unsigned count)
{
  for (unsigned child; (child = 2 * from + 1) < count; from = child) {
    if (child + 1 < count && samples[child] < samples[child + 1])
      child++;
    if (samples[from] >= samples[child])
      return;
    uint32_t other = samples[from];
    samples[from] = samples[child];
    samples[child] = other;
  }
}

static void sort(uint32_t *samples, unsigned count)
{
  for (unsigned i = count / 2; i-- > 0;)
    sift(samples, i, count);
  for (unsigned last = count; last-- > 1;) {
    uint32_t greatest = samples[0];
    samples[0] = samples[last];
    samples[last] = greatest;
    sift(samples, 0, last);
  }
}

/* The sample that @p percent of a hundred are not above. */
static uint32_t at(const uint32_t *sorted, unsigned count, unsigned percent)
{
  return sorted[(uint64_t)(count - 1) * percent / 100];
}

struct figures figures_of(uint32_t *samples, unsigned count)
{
  if (count == 0)
    return (struct figures){0};
  sort(samples, count);
  return (struct figures){.count = count,
                          .least = samples[0],
                          .p10 = at(samples, count, 10),
                          .quarter = at(samples, count, 25),
                          .median = at(samples, count, 50),
                          .three_quarters = at(samples, count, 75),
                          .p90 = at(samples, count, 90),
                          .p99 = at(samples, count, 99),
                          .most = samples[count - 1]};
}

unsigned figures_histogram(const uint32_t *sorted, unsigned count, struct figures_bin bins[FIGURES_BINS])
{
  if (count == 0)
    return 0;
  uint32_t least = sorted[0], span = at(sorted, count, 99) - least + 1;
  uint32_t width = (span + FIGURES_BINS - 1) / FIGURES_BINS;
  unsigned used = (span + width - 1) / width;
  for (unsigned i = 0; i < used; i++)
    bins[i] = (struct figures_bin){.from = least + i * width, .to = least + (i + 1) * width};
  for (unsigned i = 0; i < count; i++) {
    uint32_t bin = (sorted[i] - least) / width;
    bins[bin < used ? bin : used - 1].count++;
  }
  return used;
}

struct figures_line figures_fit(const uint32_t *x, const uint64_t *y, unsigned count)
{
  struct figures_line line = {0};
  int64_t n = count, sum_x = 0, sum_y = 0, above = 0, below = 0;
  if (count == 0)
    return line;
  for (unsigned i = 0; i < count; i++) {
    sum_x += x[i];
    sum_y += (int64_t)y[i];
  }
  int64_t mean_x = sum_x / n, mean_y = sum_y / n;
  for (unsigned i = 0; i < count; i++) {
    int64_t dx = (int64_t)x[i] - mean_x;
    above += dx * (((int64_t)y[i] - mean_y) / n); /* divided here so that the sum stays small */
    below += dx * dx / n;
  }
  /* Multiplied last, and in parts, for the same reason. */
  line.slope = below ? above / below * 1024 + above % below * 1024 / below : 0;
  line.intercept = mean_y - line.slope * mean_x / 1024;
  return line;
}

uint32_t figures_crossing(const struct figures_line *upper, const struct figures_line *lower)
{
  int64_t start = lower->intercept - upper->intercept, gain = upper->slope - lower->slope;
  if (start < 0)
    return gain >= 0 ? 0 : UINT32_MAX;
  if (gain <= 0)
    return UINT32_MAX;
  int64_t x = start * 1024 / gain + 1;
  return x < UINT32_MAX ? (uint32_t)x : UINT32_MAX;
}
