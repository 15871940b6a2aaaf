#include "lab/private.h"

#include <string.h>

static struct prediction prediction;
static bool touched;

/* Where the accesses of this command wrote: a translation that is dropped in between makes `touch w x2` write to two places. */
#define WRITES_MAX 8

static struct {
  paddr_t to;
  unsigned bytes;
} writes[WRITES_MAX];
static unsigned writes_count;

void lab_touch_forget(void)
{
  touched = false;
  writes_count = 0;
}

bool lab_touch_since(void)
{
  return touched;
}

bool lab_touch_wrote(paddr_t at)
{
  unsigned entry = lab_paging()->format->entry_bytes;
  for (unsigned i = 0; i < writes_count; i++)
    if (at.v < writes[i].to.v + writes[i].bytes && writes[i].to.v < at.v + entry)
      return true;
  return false;
}

static void note_write(paddr_t to, unsigned bytes)
{
  for (unsigned i = 0; i < writes_count; i++)
    if (writes[i].to.v == to.v)
      return;
  if (writes_count == WRITES_MAX)
    return;
  writes[writes_count].to = to;
  writes[writes_count++].bytes = bytes;
}

static uint64_t load(const uint8_t *at, unsigned size)
{
  uint64_t value = 0;
  memcpy(&value, at, size);
  return value;
}

/* What an access is recognised by: the value that was read, written or returned. */
struct mark {
  enum machine_op op;
  unsigned size;
  uint64_t value;
};

static bool bears(paddr_t pa, const struct mark *mark)
{
  if (mark->op == OP_EXEC)
    return lab_frame_has_routine(pa) && lab_frame_routine_value(pa) == (uint32_t)mark->value;
  const uint8_t *memory = machine_physical(pa);
  return memory != NULL && load(memory, mark->size) == mark->value;
}

/* ---- before ---- */

static const char *exec_guard(paddr_t pa)
{
  return lab_frame_has_routine(pa) ? NULL : "exec runs a lab frame's own routine, and the page mapped there holds none";
}

static const char *write_guard(const struct machine_access *access, paddr_t pa)
{
  if (lab_guard_linear(laddr(0), 1) == NULL) /* unsafe */
    return NULL;
  if (lab_paging()->format && lab_guard_is_table(pa)) /* through a recursive mapping, say */
    return lab_guard_entry(paddr(pa.v & ~(uint64_t)(lab_paging()->format->entry_bytes - 1u)));
  if ((access->va.v & (PAGE_SIZE - 1)) + access->size > LAB_ROUTINE_OFFSET)
    return "the last 16 bytes of a frame hold the routine that exec runs; set unsafe=1 to write there anyway";
  return lab_guard_physical(pa, access->size);
}

/* Every page that the access may reach is looked at: a stale translation must not lead where the student may not go either. */
static const char *guard(const struct machine_access *access)
{
  for (unsigned i = 0; i < prediction.count; i++) {
    const struct predict_outcome *o = &prediction.outcome[i];
    if (o->fault || access->op == OP_READ)
      continue;
    const char *why = access->op == OP_EXEC ? exec_guard(o->pa) : write_guard(access, o->pa);
    if (why)
      return why;
  }
  return NULL;
}

/* Also the page that the tables map though a fault is all that is permitted: a machine that breaks the rules may get there, and execute. */
static void stamp_all(const struct walk *now)
{
  if (now->end == WALK_MAPPED)
    lab_frame_stamp(now->pa);
  for (unsigned i = 0; i < prediction.count; i++)
    if (!prediction.outcome[i].fault)
      lab_frame_stamp(prediction.outcome[i].pa);
}

/* ---- after ---- */

static void found(struct lab_touch *touch, paddr_t pa)
{
  touch->frame_known = true;
  touch->frame = paddr(pa.v & ~(uint64_t)(PAGE_SIZE - 1));
}

/* Whether outcome number i can be what happened, going by the page's content. */
static bool can_be(unsigned i, const struct mark *mark)
{
  const struct predict_outcome *o = &prediction.outcome[i];
  return !o->fault && (machine_physical(o->pa) == NULL || bears(o->pa, mark));
}

/* A page that a write reached bears the value now. One that bore it before tells little, and so comes later. What the tables say stands
 * first among the outcomes. Where several pages bear the same, the flags tell: the one with which they are as they must be. */
static const struct predict_outcome *reached(struct lab_touch *touch, const struct mark *mark, uint32_t bore)
{
  const struct predict_outcome *first = NULL;
  for (unsigned later = 0; later < 2; later++)
    for (unsigned i = 0; i < prediction.count; i++) {
      const struct predict_outcome *o = &prediction.outcome[i];
      if ((bore >> i & 1) != later || !can_be(i, mark))
        continue;
      first = first ? first : o;
      if (predict_aftermath(lab_paging(), &prediction, o, &touch->walk, &touch->result.fault).rule == NULL)
        return o;
    }
  return first;
}

static uint32_t who_bears(const struct mark *mark)
{
  uint32_t bore = 0;
  for (unsigned i = 0; i < prediction.count && mark->op == OP_WRITE; i++)
    if (!prediction.outcome[i].fault && bears(prediction.outcome[i].pa, mark))
      bore |= 1u << i;
  return bore;
}

/* The access reached a page that it may not reach. Which one, the contents may tell: of the pages that it could reach had nothing been
 * dropped, or else of the lab frames. */
static void find_anywhere(struct lab_touch *touch, const struct mark *mark)
{
  static struct prediction undropped; /* too large for a kernel's stack */
  const struct machine_layout *l = machine_layout();
  if (lab_paging()->format)
    predict_ignoring(lab_model(), lab_paging(), &prediction, MODEL_NO_DROPS, &undropped);
  for (unsigned i = 0; i < undropped.count && lab_paging()->format; i++)
    if (!undropped.outcome[i].fault && !undropped.outcome[i].fresh && bears(undropped.outcome[i].pa, mark)) {
      found(touch, undropped.outcome[i].pa);
      return;
    }
  uint64_t offset = touch->walk.va.v & (PAGE_SIZE - 1);
  if (touch->walk.end == WALK_MAPPED && bears(touch->walk.pa, mark)) {
    found(touch, touch->walk.pa);
    return;
  }
  for (unsigned i = 0; i < l->frame_count && !touch->frame_known; i++) {
    paddr_t pa = paddr(l->frames.v + (uint64_t)i * PAGE_SIZE + offset);
    if (bears(pa, mark))
      found(touch, pa);
  }
}

static void judge_success(struct lab_touch *touch, const struct mark *mark, uint32_t bore)
{
  const struct predict_outcome *o = reached(touch, mark, bore);
  touch->matched = o;
  touch->outcome = o && o->fresh ? LAB_FRESH : LAB_STALE;
  if (o == NULL)
    find_anywhere(touch, mark);
  else if (machine_physical(o->pa))
    found(touch, o->pa);
  if (mark->op == OP_WRITE && touch->frame_known)
    note_write(paddr(touch->frame.v | (touch->walk.va.v & (PAGE_SIZE - 1))), mark->size);
}

/* ---- a write to a page that serves as a table: nobody watches that but the model ---- */

#define ENTRIES_MAX 3 /* that one write can change */

static uint64_t entries_before[PREDICT_MAX][ENTRIES_MAX];

/* Calls each() with the entries that a write to @p pa changes, should a table be there. */
static void each_entry(paddr_t pa, unsigned size, uint64_t *values, void (*each)(paddr_t at, uint64_t *value))
{
  unsigned bytes = lab_paging()->format->entry_bytes;
  uint64_t at = pa.v & ~(uint64_t)(bytes - 1);
  for (; at < pa.v + size; at += bytes)
    each(paddr(at), values++);
}

static void entry_save(paddr_t at, uint64_t *value)
{
  if (!machine_entry_read(at, lab_paging()->format->entry_bytes, value))
    *value = 0;
}

/* The CPU may just have set A and D in this very entry, if it was on the way. */
static void entry_note(paddr_t at, uint64_t *value)
{
  uint64_t now = 0;
  entry_save(at, &now);
  for (unsigned i = 0; i < prediction.count; i++) {
    const struct walk *walk = &prediction.outcome[i].walk;
    for (unsigned n = 0; n < walk->steps; n++)
      if (walk->step[n].at.v == at.v)
        *value |= format_mask(lab_paging(), n, *value, ROLE_A) | format_mask(lab_paging(), n, *value, ROLE_D);
  }
  model_wrote(lab_model_change(), at, *value, now);
}

static void entries_save(const struct machine_access *access)
{
  for (unsigned i = 0; i < prediction.count && access->op == OP_WRITE && lab_paging()->format; i++)
    if (!prediction.outcome[i].fault)
      each_entry(prediction.outcome[i].pa, access->size, entries_before[i], entry_save);
}

static void entries_note(const struct lab_touch *touch, const struct machine_access *access)
{
  if (access->op != OP_WRITE || !touch->matched || touch->matched->fault || !lab_paging()->format)
    return;
  size_t i = (size_t)(touch->matched - prediction.outcome);
  each_entry(touch->matched->pa, access->size, entries_before[i], entry_note);
}

static void judge_fault(struct lab_touch *touch)
{
  touch->outcome = LAB_FAULT;
  touch->spurious = touch->expected.allowed;
  touch->matched = predict_find_fault(&prediction, &touch->result.fault);
}

static void judge_legality(struct lab_touch *touch)
{
  const struct machine_fault *fault = &touch->result.fault;
  if (touch->matched)
    touch->violation = predict_blame_flags(lab_model(), lab_paging(), &prediction, touch->matched,
                                           predict_aftermath(lab_paging(), &prediction, touch->matched, &touch->walk, fault));
  else if (prediction.complete)
    touch->violation = predict_blame(lab_model(), lab_paging(), &prediction, fault, touch->frame_known, touch->frame);
}

/* What the CPU wrote on the way it did now: the diff finds it only after the command, when the command may have written more. */
static void note_walk(const struct lab_touch *touch)
{
  for (unsigned i = 0; i < touch->walk.steps; i++) {
    const struct walk_step *step = &touch->walk.step[i];
    uint64_t now = step->entry;
    machine_entry_read(step->at, lab_paging()->format->entry_bytes, &now);
    if (now != step->entry)
      model_saw(lab_model_change(), step->at, step->entry, now);
  }
}

static void count(const struct lab_touch *touch)
{
  struct lab_counts *counts = lab_counts_change();
  counts->accesses++;
  counts->stale += touch->outcome == LAB_STALE;
  counts->spurious += touch->spurious;
  counts->violations += touch->violation.rule != NULL;
}

const char *lab_touch(struct machine_access *access, struct lab_touch *touch)
{
  struct machine_access performed = *access;
  if (access->op == OP_EXEC)
    performed.va.v = (access->va.v & ~(uint64_t)(PAGE_SIZE - 1)) | LAB_ROUTINE_OFFSET;
  *touch = (struct lab_touch){.walk = walk_run(lab_paging(), performed.va), .predicted = &prediction};
  touch->expected = rights_check(lab_paging(), &touch->walk, access->op, access->cpl);
  predict_access(lab_model(), lab_paging(), &touch->walk, access->op, access->cpl, &prediction);
  stamp_all(&touch->walk);
  const char *refused = guard(access);
  if (refused)
    return refused;
  struct mark mark = {.op = access->op, .size = access->size, .value = access->value};
  uint32_t bore = who_bears(&mark);

  entries_save(access);
  touched = true;
  touch->result = machine_access(&performed);
  mark.value = touch->value = access->op == OP_WRITE ? access->value : performed.value;
  if (touch->result.fault.raised)
    judge_fault(touch);
  else
    judge_success(touch, &mark, bore);
  judge_legality(touch);
  note_walk(touch); /* in the order in which the CPU wrote: A and D, then what the access writes */
  entries_note(touch, access);
  if (touch->result.fault.raised && touch->result.fault.vector == VECTOR_PF)
    lab_page_fault(performed.va);
  count(touch);
  return NULL;
}
