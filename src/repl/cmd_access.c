/* Commands that make the CPU access memory through the MMU, and say what came of it. */
#include "lib/format.h"
#include "machine/console.h"
#include "repl/common.h"
#include "repl/explain.h"
#include "repl/state.h"

#include <string.h>

static const char *const op_names[] = {"read", "write", "exec"};
static const char *const outcome_names[] = {"fresh", "stale", "fault"};

/* A word of the mode's width, or a byte where a word would reach into the next page: one access concerns one page. */
static uint8_t access_size(laddr_t va)
{
  bool wide = machine_mode() == MACHINE_4LEVEL || machine_mode() == MACHINE_5LEVEL;
  unsigned word = wide ? 8 : 4;
  return (uint8_t)((va.v & (PAGE_SIZE - 1)) + word <= PAGE_SIZE ? word : 1);
}

static void say_frame(struct record *r, const struct lab_touch *touch)
{
  char text[32];
  if (touch->frame_known)
    record_string(r, &r->root, "frame", lab_frame_name(touch->frame, text, sizeof text));
}

/* Where the fault differs from what the tables ask for, the record shows both. */
static void say_fault(struct record *r, const struct lab_touch *touch)
{
  const struct machine_fault *fault = &touch->result.fault;
  r->status = STATUS_FAULT;
  common_fault(r, fault);
  record_bool(r, &r->root, "spurious", touch->spurious);
  if (touch->spurious)
    return;
  record_string(r, &r->root, "because", touch->expected.reason);
  bool same = touch->expected.vector == fault->vector && (!fault->has_error || touch->expected.error == fault->error);
  if (!same)
    record_format(r, &r->root, "expected", "%s error 0x%x", common_vector_name(touch->expected.vector), touch->expected.error);
}

static void say_touch(struct record *r, const struct machine_access *access, const struct lab_touch *touch)
{
  record_string(r, &r->root, "op", op_names[access->op]);
  record_hex(r, &r->root, "va", access->va.v);
  record_count(r, &r->root, "cpl", access->cpl);
  record_string(r, &r->root, "outcome", outcome_names[touch->outcome]);
  if (touch->outcome == LAB_FAULT) {
    say_fault(r, touch);
  } else {
    record_hex(r, &r->root, "value", touch->value);
    say_frame(r, touch);
    if (touch->outcome == LAB_STALE && !touch->expected.allowed)
      record_format(r, &r->root, "tables", "the tables would fault: %s", touch->expected.reason);
    common_ticks(r, &touch->result);
  }
  explain_violation(r, &touch->violation);
  explain_prediction(r, touch->predicted, false);
  if (touch->matched && touch->predicted->count > 1)
    record_format(r, &r->root, "permitted", "%s, %s", rules_class_name(predict_class(touch->predicted, touch->matched)),
                  touch->matched->rule->name);
}

static struct machine_access access_of(enum machine_op op, const struct args *args)
{
  struct machine_access access = {.op = op,
                                  .va = laddr(args_number(args, "va", 0)),
                                  .cpl = args_has(args, "user") ? 3 : 0,
                                  .value = args_number(args, "value", 0)};
  access.size = access_size(access.va);
  return access;
}

/* With `lazy on` there is a page-fault handler as kernels have it: where the tables allow the access, it drops the old translation and
 * lets the instruction run again. */
static bool touch_once(struct record *r, struct machine_access *access, struct lab_touch *touch)
{
  const struct machine_invlpg operand = {.va = access->va};
  if (!common_allowed(r, lab_touch(access, touch)))
    return false;
  explain_did_access(touch);
  if (!state_get()->lazy || touch->outcome != LAB_FAULT || !touch->spurious || touch->result.fault.vector != VECTOR_PF)
    return true;
  if (machine_features_have(machine_cpu()->features, FEATURE_INVLPG))
    lab_invlpg(&operand);
  else
    lab_register_write(REGISTER_CR3, machine_register_read(REGISTER_CR3));
  lab_counts_change()->repaired++;
  record_bool(r, &r->root, "repaired", true);
  if (!common_allowed(r, lab_touch(access, touch)))
    return false;
  explain_did_access(touch);
  return true;
}

static bool perform(struct record *r, enum machine_op op, const struct args *args)
{
  struct lab_touch touch;
  struct machine_access access = access_of(op, args);
  const struct args_value *value = args_get(args, "value");
  if (value && access.size < 8 && value->number >> (access.size * 8u))
    return record_usage(r, value->at, "0x%llx does not fit into the %u bytes that are written here", (unsigned long long)value->number,
                        access.size);
  if (!touch_once(r, &access, &touch))
    return false;
  say_touch(r, &access, &touch);
  return true;
}

static bool predict(struct record *r, enum machine_op op, const struct args *args)
{
  static struct prediction prediction; /* too large for a kernel's stack */
  struct machine_access access = access_of(op, args);
  const struct walk now = walk_run(lab_paging(), access.va);
  record_hex(r, &r->root, "va", access.va.v);
  predict_access(lab_model(), lab_paging(), &now, op, access.cpl, &prediction);
  explain_prediction(r, &prediction, true);
  return true;
}

static bool predict_read(const struct args *args, struct record *r)
{
  return predict(r, OP_READ, args);
}

static bool predict_write(const struct args *args, struct record *r)
{
  return predict(r, OP_WRITE, args);
}

static bool predict_exec(const struct args *args, struct record *r)
{
  return predict(r, OP_EXEC, args);
}

static bool predict_touch(const struct args *args, struct record *r)
{
  return predict(r, (enum machine_op)args_number(args, "op", 0), args);
}

static bool cmd_read(const struct args *args, struct record *r)
{
  return perform(r, OP_READ, args);
}

static bool cmd_write(const struct args *args, struct record *r)
{
  return perform(r, OP_WRITE, args);
}

static bool cmd_exec(const struct args *args, struct record *r)
{
  return perform(r, OP_EXEC, args);
}

/* ---- touch: one or many ---- */

struct counts {
  uint64_t outcome[3];
  uint64_t least, most;
};

/* A touch for writing writes back what the tables say is there, so that the frame keeps its content. */
static uint64_t present_value(laddr_t va, unsigned size)
{
  uint64_t value = 0;
  struct walk walk = walk_run(lab_paging(), va);
  const void *memory = walk.end == WALK_MAPPED ? machine_physical(walk.pa) : NULL;
  if (memory)
    memcpy(&value, memory, size);
  return value;
}

static bool cmd_touch(const struct args *args, struct record *r)
{
  struct lab_touch touch;
  struct counts counts = {.least = ~0ULL};
  uint64_t times = args_number(args, "times", 1), done = 0;
  struct machine_access access = access_of((enum machine_op)args_number(args, "op", 0), args);
  for (; done < times && !console_interrupted(); done++) {
    if (access.op == OP_WRITE)
      access.value = present_value(access.va, access.size);
    if (!touch_once(r, &access, &touch))
      return false;
    counts.outcome[touch.outcome]++;
    if (touch.result.timed && touch.result.ticks < counts.least)
      counts.least = touch.result.ticks;
    if (touch.result.timed && touch.result.ticks > counts.most)
      counts.most = touch.result.ticks;
  }
  if (done > 0)
    say_touch(r, &access, &touch);
  if (done < times)
    r->status = STATUS_INTERRUPTED;
  if (times == 1)
    return true;
  record_count(r, &r->root, "times", done);
  for (unsigned i = 0; i < 3; i++)
    if (counts.outcome[i])
      record_count(r, &r->root, i == LAB_FRESH ? "fresh" : i == LAB_STALE ? "stale" : "faults", counts.outcome[i]);
  if (counts.most > 0) {
    common_ticks_count(r, &r->root, "min_ticks", counts.least);
    common_ticks_count(r, &r->root, "max_ticks", counts.most);
  }
  return true;
}

/* ---- cached? ---- */

/* Clears A in the leaf entry, reads, and looks: a CPU that had the translation does not walk again, so A stays clear. (SDM, Accessed and
 * Dirty Flags.) Afterwards A and D are as they were, but the page is cached now, whatever it was before. */
static bool cmd_cached(const struct args *args, struct record *r)
{
  const struct paging *paging = lab_paging();
  struct lab_touch touch;
  laddr_t va = laddr(args_number(args, "va", 0));
  struct machine_access access = {.op = OP_READ, .va = va, .cpl = args_has(args, "user") ? 3 : 0, .size = access_size(va)};
  struct walk walk = walk_run(paging, va);
  record_hex(r, &r->root, "va", va.v);
  if (walk.end != WALK_MAPPED)
    return record_refuse(
      r, "the tables map nothing there, so there is no A flag to watch; 'read' tells whether an old translation still works");
  const struct walk_step *leaf = walk_last(&walk);
  uint64_t a = format_mask(paging, leaf->level, leaf->entry, ROLE_A), after = 0;
  lab_entry_write(leaf->at, leaf->entry, leaf->entry & ~a);
  const char *refused = lab_touch(&access, &touch);
  machine_entry_read(leaf->at, paging->format->entry_bytes, &after);
  lab_entry_write(leaf->at, after, (after & ~a) | (leaf->entry & a));
  if (!common_allowed(r, refused))
    return false;
  record_count(r, &r->root, "cpl", access.cpl);
  if (touch.outcome == LAB_FAULT) {
    say_fault(r, &touch);
    return true;
  }
  explain_did_access(&touch);
  explain_violation(r, &touch.violation);
  bool cached = !(after & a);
  record_bool(r, &r->root, "cached", cached);
  record_string(r, &r->root, "answer",
                cached ? "yes: A stayed clear, so the CPU did not walk" : "no: A came back, so the CPU walked the tables");
  return true;
}

#define FAULT_TEXT                                                                                                                         \
  "[{fault.name}[ error {fault.error}][ ({fault.flags})][ CR2 {fault.cr2}] at CPL {fault.cpl}"                                             \
  "[?spurious:, spurious: the tables now allow it][: {because}]"                                                                           \
  "[; the tables ask for {expected}]]"
#define VIOLATION_TEXT "[\n  VIOLATION of {violation.rule}: {violation.says} ({violation.sdm})[; dropped by {violation.dropped_by}]]"
#define TOUCH_TEXT                                                                                                                         \
  "{op} {va}: " FAULT_TEXT                                                                                                                 \
  "[{value}[ of frame {frame}], {outcome}][ ({permitted})][, {ticks} ticks][?repaired:, after a spurious fault that was repaired][\n  {tables}]" VIOLATION_TEXT
#define TOUCH_SDM "Accessed and Dirty Flags; Details of TLB Use; Page-Fault Exceptions"

static const struct command commands[] = {
  {.name = "read",
   .args = "va:addr user?",
   .brief = "read a word through the MMU",
   .example = "map 0x40000000 A; read 0x40000000",
   .sdm = TOUCH_SDM,
   .text = TOUCH_TEXT,
   .run = cmd_read,
   .predict = predict_read},
  {.name = "write",
   .args = "va:addr value:num user?",
   .brief = "write a word through the MMU",
   .example = "map 0x40000000 A; write 0x40000000 0x1234",
   .sdm = TOUCH_SDM,
   .text = TOUCH_TEXT,
   .run = cmd_write,
   .predict = predict_write},
  {.name = "exec",
   .args = "va:addr user?",
   .brief = "call a page's routine: it returns the frame's name",
   .example = "map 0x40000000 A; exec 0x40000000",
   .sdm = TOUCH_SDM,
   .text = TOUCH_TEXT,
   .more = "The routine is in the last 16 bytes of every frame.",
   .run = cmd_exec,
   .predict = predict_exec},
  {.name = "touch",
   .args = "op:r|w|x va:addr user? times:times?",
   .brief = "read, write or execute in a page, once or many times",
   .example = "map 0x40000000 A; touch w 0x40000000; touch r 0x40000000 x100",
   .sdm = TOUCH_SDM,
   .text = TOUCH_TEXT "[\n  {times} {times%?time|times}[: {min_ticks} to {max_ticks} ticks]]",
   .run = cmd_touch,
   .predict = predict_touch},
  {.name = "cached?",
   .args = "va:addr user?",
   .brief = "find out by the A flag whether a translation is cached",
   .example = "map 0x40000000 A; read 0x40000000; cached? 0x40000000",
   .sdm = "Accessed and Dirty Flags",
   .text = "{va}: [{answer}]" FAULT_TEXT VIOLATION_TEXT,
   .more = "Asking fills the TLB: the answer is about before.",
   .flags = COMMAND_PAGED,
   .run = cmd_cached},
  {.name = NULL},
};

const struct command_family cmd_access = {"access", "read, write and execute through the MMU, at ring 0 and ring 3", commands};
