/* Commands that measure: what things cost, and how large the TLBs are. */
#include "lib/format.h"
#include "machine/console.h"
#include "measure/capacity.h"
#include "repl/common.h"
#include "repl/state.h"

#include <stdarg.h>
#include <string.h>

/* What is being worked on, for somebody who waits. */
static void progress(const char *fmt, ...)
{
  char line[96];
  va_list ap;
  if (state_get()->json || state_get()->batch)
    return;
  va_start(ap, fmt);
  format_args(line, sizeof line - 2, fmt, ap);
  va_end(ap);
  size_t length = strlen(line);
  memcpy(line + length, "\r\n", 3);
  console_write(line, length + 2);
}

/* ---- capacity ---- */

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

static void capacity_one(struct record *r, struct record_node *list, const struct capacity_wanted *wanted, bool named)
{
  static struct capacity found;
  progress("# %s %s", wanted->op == OP_EXEC ? "code" : "data", common_size_name(wanted->shift));
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

static bool cmd_capacity(const struct args *args, struct record *r)
{
  static const uint8_t shifts[] = {12, 21, 22, 30};
  bool sized = args_has(args, "size"), sided = args_has(args, "side");
  struct record_node *list = record_array(r, &r->root, "tlbs",
                                          "{tlb} {page}[, level {level}][: {entries} entries, {sets} sets x {ways} ways]"
                                          "[, set from bits {index}][, replacement {replacement}]"
                                          "[?shared:, shared with data][: {why}]");
  for (unsigned i = 0; i < sizeof shifts; i++)
    for (unsigned side = 0; side < 2; side++) {
      const struct capacity_wanted wanted = {.op = side ? OP_EXEC : OP_READ,
                                             .cpl = args_has(args, "user") ? 3 : 0,
                                             .shift = shifts[i],
                                             .seed = machine_ticks()};
      bool skip = (sized && args_number(args, "size", 0) != shifts[i]) || (sided && args_number(args, "side", 0) != side);
      if (!skip && !console_interrupted())
        capacity_one(r, list, &wanted, sized || i == 0);
    }
  record_string(r, &r->root, "clock", state_clock());
  if (console_interrupted())
    r->status = STATUS_INTERRUPTED;
  return true;
}

static const struct command commands[] = {
  {.name = "capacity",
   .args = "side:data|code? size:size? user?",
   .brief = "find out how large the TLBs are, and how they are built",
   .example = "capacity; capacity data 4k; capacity code 2m",
   .sdm = "Caching Translation Information",
   .text = "[by {how}]",
   .flags = COMMAND_PAGED,
   .run = cmd_capacity},
  {.name = NULL},
};

const struct command_family cmd_measure = {"measure", "what things cost, and how large the TLBs are", commands};
