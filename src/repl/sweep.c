#include "repl/sweep.h"

#include "measure/clock.h"
#include "repl/common.h"
#include "repl/state.h"

#include <string.h>

#define SWEEP_MOST 512u
#define SWEEP_WORKING 32u

/* What the two columns are, and what the crossing means. */
static const struct {
  const char *first, *second;
} sweep_words[] = {
  [SWEEPS_FLUSH] = {"INVLPG each, used again", "MOV CR3, used again"},
  [SWEEPS_DIRECTORY] = {"INVLPG of the table's pages, some used again", "MOV CR3, some used again"},
  [SWEEPS_SWITCH] = {"INVLPG each, then the switch", "the switch at once"},
  [SWEEPS_GLOBAL] = {"MOV CR3, used again", "the same, global pages"},
};

static void sweep_progress(bool second, unsigned pages)
{
  if (pages >= 64 && (pages & (pages - 1)) == 0)
    common_progress("# %s, %u pages", second ? "the other way" : "one way", pages);
}

/* A length of at most @p most for a text plot. */
static void say_bar(struct record *r, struct record_node *row, const char *key, uint64_t value, uint64_t most, char mark)
{
  char bar[24];
  unsigned length = most ? (unsigned)(value * (sizeof bar - 1) / most) : 0;
  memset(bar, mark, length);
  bar[length] = '\0';
  record_string(r, row, key, bar);
}

static void say_points(struct record *r, const struct sweeps *result)
{
  struct record_node *list =
    record_array(r, &r->root, "points", state_get()->json ? NULL : "{pages%6} {first%10} {second%10}  {a%-23} {b%-23}");
  uint64_t most = 1;
  for (unsigned i = 0; i < result->points; i++) {
    most = result->point[i].first > most ? result->point[i].first : most;
    most = result->point[i].second > most ? result->point[i].second : most;
  }
  for (unsigned i = 0; i < result->points; i++) {
    struct record_node *row = record_object(r, list, NULL);
    record_count(r, row, "pages", result->point[i].pages);
    record_count(r, row, "first", result->point[i].first);
    record_count(r, row, "second", result->point[i].second);
    if (!state_get()->json) {
      say_bar(r, row, "a", result->point[i].first, most, '=');
      say_bar(r, row, "b", result->point[i].second, most, '-');
    }
  }
}

/* "433 + 586.97 a page" */
static void say_line(struct record *r, const char *key, const struct figures_line *line)
{
  int64_t hundredths = line->slope * 100 / 1024, positive = hundredths < 0 ? -hundredths : hundredths;
  record_format(r, &r->root, key, "%lld + %s%lld.%02u a page", (long long)line->intercept, hundredths < 0 ? "-" : "",
                (long long)(positive / 100), (unsigned)(positive % 100));
}

/* The crossing is kept as a variable, so that `set flush.ceiling=$crossover` takes it over. */
static void say_crossing(struct record *r, const struct sweeps *result)
{
  if (state_get()->clock == CLOCK_NONE)
    return;
  say_line(r, "first_line", &result->first);
  say_line(r, "second_line", &result->second);
  record_count(r, &r->root, "linux_ceiling", STATE_FLUSH_CEILING);
  if (result->crossing == UINT32_MAX) {
    record_string(r, &r->root, "crossover_text", "none: page by page is cheaper throughout");
    return;
  }
  record_count(r, &r->root, "crossover", result->crossing);
  state_variable_set("crossover", result->crossing);
}

bool sweep_report(const struct args *args, struct record *r, enum sweeps_kind kind)
{
  static struct sweeps result;
  uint64_t most = args_number(args, "most", SWEEP_MOST), working = args_number(args, "pages", SWEEP_WORKING);
  const struct args_value *too_many =
    most >= SWEEPS_PAGES_MAX || !args_has(args, "pages") ? args_get(args, "most") : args_get(args, "pages");
  if (most > SWEEPS_PAGES_MAX || working > SWEEPS_PAGES_MAX - most)
    return record_usage(r, too_many->at, "%u pages are the most, the working set's %llu included", SWEEPS_PAGES_MAX,
                        (unsigned long long)working);
  const struct sweeps_wanted wanted = {.kind = kind,
                                       .most = (unsigned)most,
                                       .working = (unsigned)working,
                                       .shift = (unsigned)args_number(args, "size", PAGE_SHIFT),
                                       .empty = args_has(args, "empty")};
  if (kind == SWEEPS_GLOBAL && !(machine_register_read(REGISTER_CR4) & CR4_PGE))
    return record_refuse(r, "pages are global only while CR4.PGE is 1");
  sweeps_run(&wanted, &result, sweep_progress);
  if (result.refused)
    return record_refuse(r, "%s", result.refused);
  if (!result.clock)
    return common_no_clock(r);
  record_string(r, &r->root, "first", sweep_words[kind].first);
  record_string(r, &r->root, "second", sweep_words[kind].second);
  record_count(r, &r->root, "working", wanted.working);
  if (kind == SWEEPS_FLUSH)
    say_crossing(r, &result);
  common_clock(r, (enum clock_kind)state_get()->clock);
  say_points(r, &result);
  if (result.stopped)
    r->status = STATUS_INTERRUPTED;
  return true;
}
