#include "measure/sweeps.h"

#include "machine/console.h"
#include "measure/pages.h"

#include <string.h>

#define TRIES 7u

static struct {
  const struct sweeps_wanted *wanted;
  uint64_t overhead; /* of one measurement */
  uint64_t seed;
} now;

static uint64_t net(struct machine_result result)
{
  return result.ticks > now.overhead ? result.ticks - now.overhead : 0;
}

/* ---- what there is to do ---- */

/* Uses the pages of the chain, each once. */
static uint64_t use(unsigned pages)
{
  return pages ? net(machine_cost(COST_CHASE, 0, pages_at(0).v, pages)) : 0;
}

static uint64_t invalidate_each(unsigned pages)
{
  uint64_t ticks = 0;
  for (unsigned i = 0; i < pages; i++) {
    const struct machine_invlpg operand = {.va = pages_at(i)};
    ticks += net(machine_invlpg(&operand));
  }
  return ticks;
}

static uint64_t load_cr3(void)
{
  return net(machine_cost(COST_CR3, 0, machine_register_read(REGISTER_CR3), 0));
}

/* All of it is cached, or nothing. */
static void prepare(unsigned pages)
{
  use(pages);
  use(pages);
  if (now.wanted->empty)
    pages_flush();
}

/* ---- the two ways of each sweep ---- */

static uint64_t flush_each(unsigned pages)
{
  prepare(pages + now.wanted->working);
  return invalidate_each(pages) + use(pages + now.wanted->working);
}

static uint64_t flush_all(unsigned pages)
{
  prepare(pages + now.wanted->working);
  return load_cr3() + use(pages + now.wanted->working);
}

static uint64_t directory_each(unsigned pages)
{
  prepare(pages + now.wanted->working);
  return invalidate_each(now.wanted->most) + use(pages + now.wanted->working);
}

static uint64_t switch_late(unsigned pages)
{
  prepare(pages + now.wanted->working);
  return invalidate_each(pages) + load_cr3() + use(now.wanted->working);
}

static uint64_t switch_early(unsigned pages)
{
  prepare(pages + now.wanted->working);
  return load_cr3() + use(now.wanted->working);
}

static uint64_t used_again(unsigned pages)
{
  prepare(pages);
  load_cr3();
  return use(pages);
}

static const struct {
  uint64_t (*first)(unsigned pages);
  uint64_t (*second)(unsigned pages);
  bool second_global; /* the second way's pages are global */
} ways[] = {
  [SWEEPS_FLUSH] = {flush_each, flush_all, false},
  [SWEEPS_DIRECTORY] = {directory_each, flush_all, false},
  [SWEEPS_SWITCH] = {switch_late, switch_early, false},
  [SWEEPS_GLOBAL] = {used_again, used_again, true},
};

static uint64_t median(uint64_t (*way)(unsigned), unsigned pages)
{
  uint32_t ticks[TRIES];
  for (unsigned i = 0; i < TRIES; i++) {
    uint64_t taken = way(pages);
    ticks[i] = taken < UINT32_MAX ? (uint32_t)taken : UINT32_MAX;
  }
  return figures_of(ticks, TRIES).median;
}

/* ---- all points ---- */

/* 1, 2, 3, 4, 6, 8, 12, 16, ... */
static unsigned next_pages(unsigned pages)
{
  unsigned power = 1;
  while (power * 2 <= pages)
    power *= 2;
  return pages == power && power > 1 ? power + power / 2 : power * 2;
}

static void points(struct sweeps *result, bool second, sweeps_progress each)
{
  const struct sweeps_wanted *wanted = now.wanted;
  unsigned chained = wanted->kind == SWEEPS_GLOBAL ? 0 : wanted->working;
  unsigned count = 0;
  for (unsigned pages = 1; pages <= wanted->most && count < SWEEPS_POINTS; pages = next_pages(pages)) {
    struct sweeps_point *point = &result->point[count];
    if (console_interrupted()) {
      result->stopped = true;
      break;
    }
    if (each)
      each(second, pages);
    point->pages = pages;
    pages_chain(pages + chained, now.seed++);
    if (second)
      point->second = median(ways[wanted->kind].second, pages);
    else
      point->first = median(ways[wanted->kind].first, pages);
    count++;
  }
  result->points = second && count < result->points ? count : second ? result->points : count;
}

static bool clock_there(void)
{
  struct machine_result nothing = machine_cost(COST_NOTHING, 0, 0, 0);
  now.overhead = nothing.ticks;
  for (unsigned i = 0; i < 64; i++) {
    uint64_t ticks = machine_cost(COST_NOTHING, 0, 0, 0).ticks;
    now.overhead = ticks < now.overhead ? ticks : now.overhead;
  }
  return nothing.timed;
}

static void fit(struct sweeps *result)
{
  uint32_t x[SWEEPS_POINTS];
  uint64_t first[SWEEPS_POINTS], second[SWEEPS_POINTS];
  for (unsigned i = 0; i < result->points; i++) {
    x[i] = result->point[i].pages;
    first[i] = result->point[i].first;
    second[i] = result->point[i].second;
  }
  result->first = figures_fit(x, first, result->points);
  result->second = figures_fit(x, second, result->points);
  result->crossing = figures_crossing(&result->first, &result->second);
}

static bool opened(struct sweeps *result, bool global)
{
  unsigned count = 1;
  while (count < now.wanted->most + now.wanted->working)
    count *= 2;
  const struct pages_wanted pages = {.shift = now.wanted->shift, .least = count, .count = count, .chain = true, .global = global};
  result->refused = pages_open(&pages);
  return result->refused == NULL;
}

void sweeps_run(const struct sweeps_wanted *wanted, struct sweeps *result, sweeps_progress each)
{
  memset(result, 0, sizeof *result);
  now.wanted = wanted;
  now.seed = machine_ticks();
  result->clock = clock_there();
  if (!result->clock)
    return;
  for (unsigned way = 0; way < 2; way++) {
    if (!opened(result, way && ways[wanted->kind].second_global))
      return;
    points(result, way, each);
    pages_close();
  }
  fit(result);
}
