#include "repl/capacity.h"

#include "lib/format.h"
#include "machine/console.h"
#include "measure/capacity.h"
#include "measure/clock.h"
#include "measure/documented.h"
#include "measure/knees.h"
#include "measure/pages.h"
#include "repl/common.h"
#include "repl/state.h"

/* Which bits of the linear address choose the set: "15:12", or where bits are folded "12^19 13^20 ...". */
static const char *index_text(const struct geometry *g, unsigned shift, char *text, size_t size)
{
  unsigned plain = 0;
  size_t used = 0;
  for (unsigned bit = 0; bit < GEOMETRY_BITS; bit++)
    plain += g->index[bit] == bit;
  text[0] = '\0';
  if (g->sets == 1) {
    format(text, size, "none");
  } else if (1u << plain == g->sets && g->index[plain] == GEOMETRY_UNUSED) {
    format(text, size, plain == 1 ? "%u" : "%u:%u", shift + plain - 1, shift);
  } else {
    for (unsigned set_bit = 0; 1u << set_bit < g->sets; set_bit++) {
      const char *before = set_bit ? " " : "";
      for (unsigned bit = 0; bit < GEOMETRY_BITS; bit++)
        if (g->index[bit] == set_bit) {
          used += (size_t)format(text + used, size - used, "%s%u", before, shift + bit);
          before = "^";
        }
    }
  }
  return text;
}

static void say_found(struct record *r, struct record_node *row, const struct geometry *g, bool shared, unsigned shift)
{
  char text[96];
  record_count(r, row, "entries", g->sets * g->ways);
  record_count(r, row, "sets", g->sets);
  record_count(r, row, "ways", g->ways);
  record_string(r, row, "index", index_text(g, shift, text, sizeof text));
  record_string(r, row, "replacement", geometry_policy_name(g->policy));
  if (shared)
    record_bool(r, row, "shared", true);
}

static struct record_node *tlb_row(struct record *r, struct record_node *list, const struct capacity_wanted *wanted)
{
  struct record_node *row = record_object(r, list, NULL);
  record_string(r, row, "tlb", wanted->op == OP_EXEC ? "code" : "data");
  record_string(r, row, "page", common_size_name(wanted->shift));
  return row;
}

static void say_level(struct record *r, struct record_node *list, const struct capacity_wanted *wanted, const struct capacity *found,
                      unsigned level)
{
  const struct geometry *g = &found->level[level];
  struct record_node *row = tlb_row(r, list, wanted);
  record_count(r, row, "level", g->level);
  switch (g->end) {
  case GEOMETRY_FOUND: say_found(r, row, g, found->shared[level], wanted->shift); break;
  case GEOMETRY_NONE: record_string(r, row, "why", "no translation is ever found cached"); break;
  case GEOMETRY_BEYOND: record_format(r, row, "why", "%u pages do not push a translation out", found->pages - 1); break;
  case GEOMETRY_ODD: record_string(r, row, "why", "what pushes what out fits no sets and ways"); break;
  case GEOMETRY_STOPPED: record_string(r, row, "why", "stopped"); break;
  }
}

void capacity_one(struct record *r, struct record_node *list, const struct capacity_wanted *wanted, bool named)
{
  static struct capacity found; /* too large for a kernel's stack */
  common_progress("# %s %s", wanted->op == OP_EXEC ? "code" : "data", common_size_name(wanted->shift));
  capacity_find(wanted, &found);
  if (found.refused) {
    if (named)
      record_string(r, tlb_row(r, list, wanted), "why", found.refused);
    return;
  }
  if (found.fragments)
    record_string(r, tlb_row(r, list, wanted), "why", "cached in 4 KiB pieces, in the 4 KiB TLB");
  for (unsigned level = 0; level < found.levels; level++)
    say_level(r, list, wanted, &found, level);
  if (record_find(&r->root, "how") == NULL)
    record_string(r, &r->root, "how", found.way == CAPACITY_BY_CLOCK ? "clock" : "A flag");
}

/* ---- by the clock, where levels show as knees ---- */

#define TRIES 8
#define LOADS_LEAST 4096u

static struct {
  enum machine_op op;
  uint8_t cpl;
} knees_of;

static uint64_t run(unsigned pages, unsigned loads)
{
  struct machine_access call = {.op = OP_EXEC, .va = pages_at(0), .cpl = knees_of.cpl};
  if (knees_of.op == OP_EXEC)
    return machine_access(&call).ticks * 1024 / pages;
  return machine_cost(COST_CHASE, knees_of.cpl, pages_at(0).v, loads).ticks * 1024 / loads;
}

static uint64_t cost(void *context, unsigned pages)
{
  unsigned loads = pages * (LOADS_LEAST / pages + 2);
  uint64_t least = ~0ULL;
  (void)context;
  for (unsigned i = 0; i < TRIES; i++) {
    if (i % 4 == 0 && knees_of.op == OP_EXEC)
      pages_jumps(pages, i + 1);
    else if (i % 4 == 0)
      pages_chain(pages, i + 1);
    run(pages, loads);
    uint64_t ticks = run(pages, loads);
    least = ticks < least ? ticks : least;
  }
  return console_interrupted() ? 0 : least;
}

static bool clock_is_good(uint8_t cpl)
{
  if (cpl == 0)
    return state_get()->clock == CLOCK_HARDWARE;
  return clock_judge_user() == CLOCK_HARDWARE;
}

static void say_knees(struct record *r, struct record_node *list, const struct knees *found, enum machine_op op)
{
  for (unsigned i = 0; i < found->count; i++) {
    struct record_node *row = record_object(r, list, NULL);
    record_string(r, row, "tlb", op == OP_EXEC ? "code" : "data");
    record_string(r, row, "page", common_size_name(PAGE_SHIFT));
    record_count(r, row, "level", i + 1);
    record_count(r, row, "knee", found->knee[i]);
  }
}

void capacity_knees(struct record *r, struct record_node *list, enum machine_op op, uint8_t cpl)
{
  static struct knees found;
  bool code = op == OP_EXEC;
  const struct pages_wanted wanted = {.shift = PAGE_SHIFT,
                                      .least = 1024,
                                      .count = code ? PAGES_CHAIN_MAX / 2 : PAGES_CHAIN_MAX,
                                      .chain = !code,
                                      .code = code,
                                      .user = cpl == 3};
  if (pages_open(&wanted))
    return;
  const struct knees_clock clock = {.cost = cost, .most = pages_count()};
  knees_of.op = op;
  knees_of.cpl = cpl;
  if (clock_is_good(cpl)) {
    common_progress("# %s, by the clock", code ? "code" : "data");
    knees_find(&clock, &found);
    say_knees(r, list, &found, op);
  }
  pages_close();
}

void capacity_documented(struct record *r)
{
  struct documented tlb;
  char text[96];
  struct record_node *list = NULL;
  for (unsigned i = 0; documented_tlb(i, &tlb); i++) {
    if (list == NULL)
      list = record_array(r, &r->root, "documented", "  CPUID says {}");
    record_string(r, list, NULL, documented_text(&tlb, text, sizeof text));
  }
}
