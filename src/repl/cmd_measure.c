/* Commands that measure: what things cost, and how large the TLBs are. */
#include "lib/format.h"
#include "machine/console.h"
#include "measure/clock.h"
#include "measure/counters.h"
#include "measure/pages.h"
#include "measure/timer.h"
#include "repl/capacity.h"
#include "repl/common.h"
#include "repl/state.h"
#include "repl/sweep.h"

#include <string.h>

#define SAMPLES 1000u
#define BENCH_SAMPLES 500u

/* ---- time and perf: one instruction, many times ---- */

/* In the order of TASK_ARGS' words. */
static const struct {
  uint8_t step;    /* enum timer_step */
  bool address;    /* it takes one */
  uint8_t feature; /* that it takes, or FEATURES */
} operations[] = {
  {TIMER_READ, true, FEATURES},           {TIMER_WRITE, true, FEATURES}, {TIMER_EXEC, true, FEATURES},
  {TIMER_INVLPG, true, FEATURE_INVLPG},   {TIMER_CR3, false, FEATURES},  {TIMER_PGE, false, FEATURE_PGE},
  {TIMER_INVPCID, true, FEATURE_INVPCID},
};

#define TASK_ARGS "op:read|write|exec|invlpg|cr3|pge|invpcid va:addr? n:count? user? noflush? (after what:invlpg|cr3|pge)? times:times?"

/* An access is tried once as any other is, so that the guards see it; and a write is to write what is there. */
static bool try_once(struct record *r, struct timer_task *task)
{
  static const uint8_t ops[] = {[TIMER_READ] = OP_READ, [TIMER_WRITE] = OP_WRITE, [TIMER_EXEC] = OP_EXEC};
  struct lab_touch touch;
  unsigned word = lab_paging()->format->linear_bits > 32 ? 8 : 4;
  task->size = (uint8_t)((task->va.v & (PAGE_SIZE - 1)) + word <= PAGE_SIZE ? word : 1);
  if (task->step < TIMER_READ || task->step > TIMER_EXEC)
    return true;
  if (task->step == TIMER_WRITE) {
    struct walk walk = walk_run(lab_paging(), task->va);
    const void *memory = walk.end == WALK_MAPPED ? machine_physical(walk.pa) : NULL;
    if (memory)
      memcpy(&task->value, memory, task->size);
  }
  struct machine_access access = {.op = (enum machine_op)ops[task->step],
                                  .va = task->va,
                                  .cpl = task->cpl,
                                  .size = task->size,
                                  .value = task->value};
  if (!common_allowed(r, lab_touch(&access, &touch)))
    return false;
  if (task->step == TIMER_EXEC) /* what lab_touch() calls, wherever in the page the address is */
    task->va = laddr((task->va.v & ~(uint64_t)(PAGE_SIZE - 1)) | LAB_ROUTINE_OFFSET);
  if (touch.outcome != LAB_FAULT)
    return true;
  r->status = STATUS_FAULT;
  common_fault(r, &touch.result.fault);
  return false;
}

static bool task_of(const struct args *args, struct record *r, struct timer_task *task, unsigned *count)
{
  static const uint8_t steps_before[] = {TIMER_INVLPG, TIMER_CR3, TIMER_PGE};
  unsigned op = (unsigned)args_number(args, "op", 0);
  *task = (struct timer_task){.step = operations[op].step, .va = laddr(args_number(args, "va", 0)), .cpl = args_has(args, "user") ? 3 : 0};
  uint64_t times = args_number(args, "times", args_number(args, "n", SAMPLES));
  *count = times < TIMER_SAMPLES_MAX ? (unsigned)times : TIMER_SAMPLES_MAX;
  if (operations[op].address && !args_has(args, "va"))
    return record_usage(r, strlen(args->text), "an address is missing: what is to be accessed, or invalidated");
  if (task->cpl == 3 && op > 2)
    return record_usage(r, args_get(args, "user")->at, "ring 3 may not do that: only accesses can be timed there");
  if ((operations[op].feature != FEATURES && common_lacks(r, (enum machine_feature)operations[op].feature)))
    return false;
  if (args_has(args, "noflush") && task->step == TIMER_CR3)
    task->step = TIMER_CR3_KEEP;
  if (task->step == TIMER_CR3_KEEP && !(machine_register_read(REGISTER_CR4) & CR4_PCIDE))
    return record_refuse(r, "bit 63 of CR3 means 'keep' only while CR4.PCIDE is 1: set cr4.pcide=1");
  if (args_has(args, "what"))
    task->before[0] = steps_before[args_number(args, "what", 0)];
  if (task->before[0] == TIMER_PGE && common_lacks(r, FEATURE_PGE))
    return false;
  if (task->before[0] == TIMER_INVLPG && common_lacks(r, FEATURE_INVLPG))
    return false;
  return try_once(r, task);
}

static void say_figures(struct record *r, struct record_node *node, const struct figures *f)
{
  record_count(r, node, "min", f->least);
  record_count(r, node, "p10", f->p10);
  record_count(r, node, "q1", f->quarter);
  record_count(r, node, "median", f->median);
  record_count(r, node, "q3", f->three_quarters);
  record_count(r, node, "p90", f->p90);
  record_count(r, node, "p99", f->p99);
  record_count(r, node, "max", f->most);
}

#define BAR 40u

static void say_histogram(struct record *r, const struct timer_taken *taken)
{
  static const char bar[BAR + 1] = "########################################";
  struct figures_bin bins[FIGURES_BINS];
  unsigned count = figures_histogram(taken->sorted, taken->figures.count, bins);
  struct record_node *list = record_array(r, &r->root, "histogram", "{from%8} to {to%-8} {count%6}  {bar}");
  for (unsigned i = 0; i < count; i++) {
    struct record_node *row = record_object(r, list, NULL);
    record_count(r, row, "from", bins[i].from);
    record_count(r, row, "to", bins[i].to - 1);
    record_count(r, row, "count", bins[i].count);
    if (!state_get()->json)
      record_string(r, row, "bar", bar + BAR - (bins[i].count * BAR + taken->figures.count - 1) / taken->figures.count);
  }
}

static enum clock_kind clock_for(uint8_t cpl)
{
  const struct pages_wanted wanted = {.shift = PAGE_SHIFT, .least = 1, .count = 1, .chain = true, .user = true};
  if (cpl == 0 || pages_open(&wanted))
    return (enum clock_kind)state_get()->clock;
  enum clock_kind kind = clock_judge_user();
  pages_close();
  return kind;
}

static bool say_ended(struct record *r, const struct timer_taken *taken)
{
  if (!taken->fault.raised && !taken->clock)
    return common_no_clock(r);
  if (taken->fault.raised) {
    r->status = STATUS_FAULT;
    common_fault(r, &taken->fault);
  }
  if (console_interrupted())
    r->status = STATUS_INTERRUPTED;
  return !taken->fault.raised;
}

static bool cmd_time(const struct args *args, struct record *r)
{
  struct timer_task task;
  struct timer_taken taken;
  unsigned count;
  if (!task_of(args, r, &task, &count))
    return r->status == STATUS_FAULT;
  timer_take(&task, count, &taken);
  if (!say_ended(r, &taken))
    return taken.fault.raised;
  uint32_t rate = clock_ticks_per_ms();
  record_count(r, &r->root, "count", taken.figures.count);
  say_figures(r, &r->root, &taken.figures);
  if (rate)
    record_count(r, &r->root, "median_ns", (uint64_t)taken.figures.median * 1000000 / rate);
  record_count(r, &r->root, "overhead", taken.overhead);
  record_count(r, &r->root, "cpl", task.cpl);
  common_clock(r, clock_for(task.cpl));
  say_histogram(r, &taken);
  return true;
}

static bool cmd_perf(const struct args *args, struct record *r)
{
  char why[128];
  struct timer_task task, nothing;
  unsigned count;
  const struct counters_cpu *cpu = counters_here(why, sizeof why);
  if (cpu == NULL)
    return record_refuse(r, "%s", why);
  if (!counters_count())
    return record_refuse(r,
                         "the CPU's performance counters do not count, not even instructions: an emulator's, or a hypervisor keeps them");
  if (!task_of(args, r, &task, &count))
    return r->status == STATUS_FAULT;
  nothing = task;
  nothing.step = TIMER_NOTHING;
  record_count(r, &r->root, "count", count);
  record_string(r, &r->root, "events_of", cpu->name);
  record_string(r, &r->root, "source", cpu->source);
  struct record_node *list = record_array(r, &r->root, "events", NULL);
  for (const struct counters_event *event = cpu->event; event < cpu->event + COUNTERS_EVENTS && event->name && !console_interrupted();
       event++) {
    struct record_node *row = record_object(r, list, NULL);
    counters_begin(event);
    timer_run(&task, count);
    uint64_t with = counters_end();
    counters_begin(event);
    timer_run(&nothing, count);
    uint64_t without = counters_end();
    record_count(r, row, "events", with);
    record_count(r, row, "without", without);
    record_string(r, row, "event", event->name);
    record_string(r, row, "counts", event->says);
  }
  return true;
}

/* ---- bench: a table of costs ---- */

static const struct bench_row {
  const char *name, *says;
  uint8_t before[2], step, cpl;
  uint8_t feature; /* that it takes, or FEATURES */
  uint64_t cr4;    /* ... and bits of CR4 */
} bench_rows[] = {
  {"hit", "a read that the TLB answers", {TIMER_READ}, TIMER_READ, 0, FEATURES, 0},
  {"invlpg-miss", "a read after INVLPG of its page", {TIMER_INVLPG}, TIMER_READ, 0, FEATURE_INVLPG, 0},
  {"cr3-miss", "a read after MOV to CR3", {TIMER_CR3}, TIMER_READ, 0, FEATURES, 0},
  {"pge-miss", "a read after CR4.PGE was changed", {TIMER_PGE}, TIMER_READ, 0, FEATURE_PGE, 0},
  {"walk", "a miss with the paging-structure caches filled", {TIMER_CR3, TIMER_NEIGHBOR}, TIMER_READ, 0, FEATURES, 0},
  {"invlpg", "INVLPG of a cached page", {TIMER_READ}, TIMER_INVLPG, 0, FEATURE_INVLPG, 0},
  {"cr3", "MOV to CR3", {TIMER_READ}, TIMER_CR3, 0, FEATURES, 0},
  {"cr3-noflush", "MOV to CR3 with bit 63", {TIMER_READ}, TIMER_CR3_KEEP, 0, FEATURE_PCID, CR4_PCIDE},
  {"pge", "CR4.PGE changed and changed back", {TIMER_READ}, TIMER_PGE, 0, FEATURE_PGE, 0},
  {"invpcid", "INVPCID of a cached page", {TIMER_READ}, TIMER_INVPCID, 0, FEATURE_INVPCID, 0},
  {"fault", "a page fault, and back from its handler", {TIMER_NOTHING}, TIMER_FAULT, 0, FEATURES, 0},
  {"user", "a read in ring 3 that the TLB answers", {TIMER_READ}, TIMER_READ, 3, FEATURES, 0},
  {"user-miss", "a read in ring 3 after INVLPG of its page", {TIMER_INVLPG}, TIMER_READ, 3, FEATURE_INVLPG, 0},
};

#define BENCH_WORDS "hit|invlpg-miss|cr3-miss|pge-miss|walk|invlpg|cr3|cr3-noflush|pge|invpcid|fault|user|user-miss|all"
#define BENCH_ROWS (sizeof bench_rows / sizeof bench_rows[0])

/* Pages 0 and 1 are accessed; page 2 is not present, for the fault. */
static const char *bench_take(const struct bench_row *row, struct timer_taken *taken)
{
  const struct pages_wanted wanted = {.shift = PAGE_SHIFT, .least = 4, .count = 4, .user = row->cpl == 3};
  struct timer_task task = {.before = {row->before[0], row->before[1]}, .step = row->step, .cpl = row->cpl, .size = 4};
  const char *refused = pages_open(&wanted);
  if (refused)
    return refused;
  pages_present(2, false);
  pages_flush();
  task.va = pages_at(row->step == TIMER_FAULT ? 2 : 0);
  timer_take(&task, BENCH_SAMPLES, taken);
  pages_close();
  return NULL;
}

static const char *bench_missing(const struct bench_row *row)
{
  if (row->feature != FEATURES && !machine_features_have(machine_cpu()->features, (enum machine_feature)row->feature))
    return machine_features[row->feature].cpuid_bit;
  if (row->cr4 & ~machine_register_read(REGISTER_CR4))
    return "set cr4.pcide=1 first";
  return NULL;
}

static void bench_one(struct record *r, struct record_node *list, const struct bench_row *row, uint32_t *hit)
{
  struct timer_taken taken;
  struct record_node *node = record_object(r, list, NULL);
  record_string(r, node, "what", row->name);
  const char *missing = bench_missing(row);
  missing = missing ? missing : bench_take(row, &taken);
  if (missing) {
    record_string(r, node, "means", missing);
    return;
  }
  const struct figures *f = &taken.figures;
  uint32_t with = f->least + taken.overhead;
  if (*hit == 0)
    *hit = with ? with : 1;
  record_count(r, node, "min", f->least);
  record_count(r, node, "median", f->median);
  record_count(r, node, "p90", f->p90);
  record_format(r, node, "to_hit", "%u.%u", with / *hit, with % *hit * 10 / *hit);
  record_string(r, node, "means", row->says);
}

/* Each is compared with a hit, so that is measured first, whatever is asked for. */
static bool cmd_bench(const struct args *args, struct record *r)
{
  unsigned wanted = (unsigned)args_number(args, "what", BENCH_ROWS);
  uint32_t hit = 0;
  if (!machine_features_have(machine_cpu()->features, FEATURE_TSC))
    return common_no_clock(r);
  struct record_node *list = record_array(r, &r->root, "costs", NULL);
  for (unsigned i = 0; i < BENCH_ROWS && !console_interrupted(); i++)
    if (wanted == BENCH_ROWS || i == wanted || i == 0)
      bench_one(r, list, &bench_rows[i], &hit);
  common_clock(r, (enum clock_kind)state_get()->clock);
  record_string(r, &r->root, "clock_ring3", clock_name(clock_for(3)));
  if (console_interrupted())
    r->status = STATUS_INTERRUPTED;
  return true;
}

/* ---- sweep ---- */

static bool cmd_sweep(const struct args *args, struct record *r)
{
  if (common_lacks(r, FEATURE_INVLPG))
    return false;
  return sweep_report(args, r, (enum sweeps_kind)args_number(args, "what", SWEEPS_FLUSH));
}

/* ---- capacity ---- */

static bool mode_has(unsigned shift)
{
  const struct format *format = lab_paging()->format;
  for (unsigned level = 0; level < format->levels; level++)
    if (format->level[level].shift == shift)
      return true;
  return false;
}

static bool cmd_capacity(const struct args *args, struct record *r)
{
  static const uint8_t shifts[] = {12, 21, 22, 30};
  bool sized = args_has(args, "size"), sided = args_has(args, "side");
  uint8_t cpl = args_has(args, "user") ? 3 : 0;
  struct record_node *list =
    record_array(r, &r->root, "tlbs",
                 "{tlb} {page}[, level {level}][: {entries} {entries%?entry|entries}, {sets} {sets%?set|sets} x {ways} {ways%?way|ways}]"
                 "[, set from bits {index}][, replacement {replacement}]"
                 "[?shared:, shared with data][: {why}][: {knee} {knee%?page|pages}, by the time that accesses take]");
  for (unsigned i = 0; i < sizeof shifts; i++)
    for (unsigned side = 0; side < 2; side++) {
      const struct capacity_wanted wanted = {.op = side ? OP_EXEC : OP_READ, .cpl = cpl, .shift = shifts[i], .seed = machine_ticks()};
      bool skip = (sized && args_number(args, "size", 0) != shifts[i]) || (sided && args_number(args, "side", 0) != side);
      if (skip || console_interrupted() || (!sized && !mode_has(shifts[i])))
        continue;
      capacity_one(r, list, &wanted, sized || i == 0);
      if (shifts[i] == PAGE_SHIFT)
        capacity_knees(r, list, wanted.op, cpl);
    }
  capacity_documented(r);
  record_string(r, &r->root, "clock", state_clock());
  if (console_interrupted())
    r->status = STATUS_INTERRUPTED;
  return true;
}

#define FAULT_TEXT                                                                                                                         \
  "[it faults: {fault.name}[ error {fault.error}][ ({fault.flags})][ CR2 {fault.cr2}] at CPL {fault.cpl}; there is nothing to measure]"

static const struct command commands[] = {
  {.name = "time",
   .args = TASK_ARGS,
   .brief = "time an access or invalidation: quartiles, histogram",
   .example = "map 0x40000000 A; time read 0x40000000; time read 0x40000000 after invlpg x2000; time invlpg 0x40000000",
   .sdm = "RDTSC - Read Time-Stamp Counter",
   .text =
     "[{count} times: min {min}, quartiles {q1} {median} {q3}, 90% {p90}, 99% {p99}, max {max} ticks[ (median {median_ns} ns)]; {overhead} "
     "for the measuring are taken off\nclock: {worth}]" FAULT_TEXT,
   .more =
     "What 'after' names is done before each time, and not timed. In ticks of the time-stamp counter; in ns too where CPUID tells its rate.",
   .flags = COMMAND_PAGED,
   .run = cmd_time},
  {.name = "bench",
   .args = "what:" BENCH_WORDS "?",
   .brief = "what hits, misses, invalidations and faults cost",
   .example = "bench; bench invlpg-miss",
   .sdm = "Details of TLB Use",
   .text = "[clock: {worth}; in ring 3: {clock_ring3}]",
   .more =
     "to_hit: how many times a hit's least cost this one's is, the measuring included in both. The least tells hit from miss best: what disturbs a measurement only adds to it.",
   .flags = COMMAND_PAGED,
   .run = cmd_bench},
  {.name = "sweep",
   .args = "what:flush|directory|switch|global most:count? (working pages:num)? size:size? empty?",
   .brief = "the cost of invalidating N pages and using them again",
   .example = "sweep flush 64; sweep flush 128 working 256; sweep flush 64 empty; sweep directory 64; sweep switch 64; sweep global 64",
   .sdm = "Recommended Invalidation",
   .text =
     "=  {first}\n-  {second}[\n= costs {first_line}; - costs {second_line}][\nfrom {crossover} pages on the full flush is cheaper (Linux's "
     "ceiling: {linux_ceiling}); set flush.ceiling=$crossover][\n{crossover_text}]\n[clock: {worth}]\n   pages          =          -",
   .more =
     "flush: N pages by INVLPG each or by one MOV to CR3, and what it takes to use them again with a working set of other pages; a line is "
     "fitted to each. directory: the entry above a table has changed. switch: N pages have changed, and another address space is next. "
     "global: what global pages save after MOV to CR3. 'empty': nothing is cached when the invalidation comes.",
   .flags = COMMAND_PAGED,
   .run = cmd_sweep},
  {.name = "capacity",
   .args = "side:data|code? size:size? user?",
   .brief = "find out how large the TLBs are, and how built",
   .example = "capacity; capacity data 4k; capacity code 2m",
   .sdm = "Caching Translation Information",
   .text = "[by {how}]",
   .more =
     "By the A flag, which only a walk sets: so it needs no clock, and sees what any level holds. Where the clock is a CPU's, also by the "
     "time that accesses take; where it is exact, as on the simulated machine, level by level.",
   .flags = COMMAND_PAGED,
   .run = cmd_capacity},
  {.name = "perf",
   .args = TASK_ARGS,
   .brief = "count TLB misses and walks, where the CPU can",
   .example = "perf read 0x40000000 after invlpg",
   .sdm = "Performance Monitoring",
   .text = "[{count} times; events of {events_of} ({source})]" FAULT_TEXT,
   .more = "'without': the same without the access itself, so what the rest of the loop takes.",
   .flags = COMMAND_PAGED,
   .run = cmd_perf},
  {.name = NULL},
};

const struct command_family cmd_measure = {"measure", "what things cost, and how large the TLBs are", commands};
