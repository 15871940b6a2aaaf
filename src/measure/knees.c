#include "measure/knees.h"

#include <string.h>

#define LEAST_PAGES 8u
#define RISE_TICKS 2048u /* a level more costs at least two ticks: what is less is noise */

/* Four points to each doubling. */
static unsigned next_pages(unsigned pages)
{
  unsigned power = LEAST_PAGES;
  while (power * 2 <= pages)
    power *= 2;
  return pages + power / 4;
}

static void measure(const struct knees_clock *clock, struct knees *found)
{
  for (unsigned pages = LEAST_PAGES; pages <= clock->most && found->points < KNEES_POINTS; pages = next_pages(pages)) {
    uint64_t cost = clock->cost(clock->context, pages);
    found->stopped = cost == 0;
    if (found->stopped)
      return;
    found->point[found->points].pages = pages;
    found->point[found->points++].cost = cost;
  }
}

static uint64_t cost_at(const struct knees *found, unsigned point)
{
  return found->point[point].cost;
}

/* A plateau: from @p from on the cost stays where it is, within an eighth and a tick. Returns the last point of it. */
static unsigned plateau_end(const struct knees *found, unsigned from)
{
  uint64_t level = cost_at(found, from);
  unsigned point = from;
  while (point + 1 < found->points && cost_at(found, point + 1) <= level + level / 8 + RISE_TICKS / 2) {
    point++;
    level = cost_at(found, point) < level ? cost_at(found, point) : level;
  }
  return point;
}

/* The next point from which on the cost stays as it is for half a doubling. */
static unsigned plateau_begin(const struct knees *found, unsigned from)
{
  unsigned point = from;
  while (point + 2 < found->points && cost_at(found, point + 2) > cost_at(found, point) + cost_at(found, point) / 8)
    point++;
  return point;
}

/* Between a plateau's last point and the next one: the most pages that still cost less than an eighth of the way up to the next plateau. */
static uint32_t narrow(const struct knees_clock *clock, const struct knees *found, unsigned point, uint64_t low, uint64_t high)
{
  uint32_t good = found->point[point].pages, bad = found->point[point + 1].pages;
  uint64_t limit = low + (high - low) / 8;
  while (bad - good > 1 && bad - good > good / 64) {
    uint32_t middle = good + (bad - good) / 2;
    uint64_t cost = clock->cost(clock->context, middle);
    if (cost == 0)
      return good;
    if (cost <= limit)
      good = middle;
    else
      bad = middle;
  }
  return good;
}

void knees_find(const struct knees_clock *clock, struct knees *found)
{
  memset(found, 0, sizeof *found);
  measure(clock, found);
  for (unsigned point = 0; point + 1 < found->points && found->count < KNEES_MAX;) {
    unsigned end = plateau_end(found, point);
    if (end + 1 >= found->points)
      return;
    unsigned begin = plateau_begin(found, end + 1);
    uint64_t low = cost_at(found, end), high = cost_at(found, begin);
    if (high > low + RISE_TICKS)
      found->knee[found->count++] = narrow(clock, found, end, low, high);
    point = begin;
  }
}
