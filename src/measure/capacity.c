#include "measure/capacity.h"

#include "machine/console.h"
#include "measure/pages.h"

#include <stddef.h>
#include <string.h>

#define ALIKE 8 /* times that a clock has to say the same */
#define LEAST_PAGES 64u

static struct {
  const struct capacity_wanted *wanted;
  enum capacity_way way;
  uint64_t hit, walk; /* CAPACITY_BY_CLOCK: ticks of a hit in the first level, and the least that a walk takes */
} c;

static uint64_t access_at(laddr_t va, enum machine_op op)
{
  struct machine_access access = {.op = op, .va = va, .cpl = c.wanted->cpl, .size = 4};
  return machine_access(&access).ticks;
}

static uint64_t access_page(unsigned page)
{
  return access_at(pages_at(page), c.wanted->op);
}

/* ---- the oracle ---- */

static void empty(void *context)
{
  (void)context;
  pages_flush();
}

static void touch(void *context, unsigned page)
{
  (void)context;
  access_page(page);
}

static unsigned found_by_clock(unsigned page, enum machine_op op)
{
  uint64_t ticks = access_at(pages_at(page), op);
  return ticks <= c.hit ? 1 : ticks < c.walk ? 2 : 0;
}

/* Nothing is invalidated: where the translation is still cached, nobody walks, and the flag stays as it is. */
static unsigned found_by_flag(unsigned page, enum machine_op op)
{
  pages_accessed_clear(page);
  access_at(pages_at(page), op);
  return !pages_accessed(page);
}

static unsigned found_with(unsigned page, enum machine_op op)
{
  return c.way == CAPACITY_BY_CLOCK ? found_by_clock(page, op) : found_by_flag(page, op);
}

static unsigned found(void *context, unsigned page)
{
  (void)context;
  return found_with(page, c.wanted->op);
}

static void allow(void *context, unsigned page, bool allowed)
{
  (void)context;
  if (page < pages_count())
    pages_present(page, allowed);
}

static bool stop(void *context)
{
  (void)context;
  return console_interrupted();
}

/* ---- the clock ---- */

/* A clock that takes a hit for always the same time and a walk for always a longer one tells of each access by itself what it was. No real
 * one does. */
static enum capacity_way way_find(void)
{
  uint64_t walk = 0;
  pages_flush();
  access_page(0);
  c.hit = access_page(0);
  bool alike = c.hit > 0;
  for (unsigned i = 0; i < ALIKE; i++)
    alike = access_page(0) == c.hit && alike;
  for (unsigned i = 0; i < ALIKE; i++) {
    pages_flush();
    access_page(1); /* fills the paging-structure caches: no walk is shorter than the next */
    uint64_t ticks = access_page(0);
    alike = alike && (i == 0 || ticks == walk);
    walk = ticks;
  }
  c.walk = walk;
  return alike && walk > c.hit ? CAPACITY_BY_CLOCK : CAPACITY_BY_FLAG;
}

/* Whether a large page's translation does not serve all of the page. */
static bool in_fragments(void)
{
  if (c.wanted->shift == PAGE_SHIFT)
    return false;
  pages_flush();
  access_at(pages_at(0), OP_READ);
  pages_accessed_clear(0);
  access_at(pages_at(0), OP_READ);
  bool seen = !pages_accessed(0);
  access_at(laddr(pages_at(0).v ^ PAGE_SIZE), OP_READ);
  return seen && pages_accessed(0);
}

/* Whether a fetch finds in level @p level what a read has put there; in the second where none of the first has it. */
static bool is_shared(unsigned level)
{
  unsigned level_found;
  pages_flush();
  access_at(pages_at(0), OP_READ);
  level_found = found_with(0, OP_EXEC);
  return level_found == level;
}

/* All that are asked for; of large pages fewer, since less holds more of them. */
static unsigned pages_to_try(unsigned shift)
{
  return shift == PAGE_SHIFT ? PAGES_MAX : shift < 30 ? PAGES_MAX / 4 : 512;
}

static unsigned log2_of(unsigned number)
{
  unsigned bits = 0;
  while (number >> (bits + 1))
    bits++;
  return bits;
}

static void find_levels(struct capacity *result)
{
  const struct geometry_oracle oracle =
    {.bits = log2_of(pages_count()), .empty = empty, .touch = touch, .found = found, .allow = allow, .stop = stop};
  unsigned levels = c.way == CAPACITY_BY_CLOCK ? CAPACITY_LEVELS : 1;
  for (unsigned level = 1; level <= levels; level++) {
    struct geometry *g = &result->level[level - 1];
    *g = geometry_find(&oracle, level, level > 1 ? &result->level[0] : NULL, c.wanted->seed + level);
    if (level > 1 && g->end == GEOMETRY_NONE)
      return;
    result->shared[level - 1] = g->end == GEOMETRY_FOUND && is_shared(level);
    result->levels = level;
    if (g->end != GEOMETRY_FOUND)
      return;
  }
}

void capacity_find(const struct capacity_wanted *wanted, struct capacity *result)
{
  const struct pages_wanted pages = {.shift = wanted->shift,
                                     .least = LEAST_PAGES,
                                     .count = pages_to_try(wanted->shift),
                                     .user = wanted->cpl == 3};
  memset(result, 0, sizeof *result);
  c.wanted = wanted;
  result->refused = pages_open(&pages);
  if (result->refused)
    return;
  result->pages = pages_count();
  result->way = c.way = way_find();
  result->fragments = in_fragments();
  if (!result->fragments)
    find_levels(result);
  pages_close();
}
