#include "lab/private.h"

#include <string.h>

/* Where a page was mapped before: an access that reaches one of these instead of what the tables now say was stale. */
#define MEMORIES 64

struct memory {
  laddr_t base;
  uint8_t shift;
  paddr_t pa;
};

static struct memory memories[MEMORIES];
static unsigned memories_next, memories_used;

void lab_touch_remember(laddr_t va, unsigned shift, paddr_t pa)
{
  memories[memories_next] = (struct memory){.base = va, .shift = (uint8_t)shift, .pa = pa};
  memories_next = (memories_next + 1) % MEMORIES;
  if (memories_used < MEMORIES)
    memories_used++;
}

void lab_touch_forget(void)
{
  memories_used = memories_next = 0;
}

/* Every physical address that an access to @p va might have reached through an older translation: number @p index, or false at the end. */
static bool candidate(unsigned index, laddr_t va, paddr_t *pa)
{
  const struct machine_layout *l = machine_layout();
  if (index < memories_used) { /* the newest first */
    const struct memory *m = &memories[(memories_next + MEMORIES - 1 - index) % MEMORIES];
    bool covers = (va.v & ~address_mask(m->shift)) == m->base.v;
    *pa = paddr(covers ? m->pa.v + (va.v & address_mask(m->shift)) : 0);
    return true;
  }
  index -= memories_used;
  *pa = paddr(l->frames.v + (uint64_t)index * PAGE_SIZE + (va.v & (PAGE_SIZE - 1)));
  return index < l->frame_count;
}

static uint64_t load(const uint8_t *at, unsigned size)
{
  uint64_t value = 0;
  memcpy(&value, at, size);
  return value;
}

/* Looking for the page whose content at va's offset is @p value. */
struct search {
  laddr_t va;
  unsigned size;
  uint64_t value;
};

static bool content_is(paddr_t pa, const struct search *s)
{
  const uint8_t *memory = pa.v == 0 ? NULL : machine_physical(pa);
  return memory != NULL && load(memory, s->size) == s->value;
}

static bool find_page(const struct search *s, paddr_t *frame)
{
  paddr_t pa;
  for (unsigned i = 0; candidate(i, s->va, &pa); i++) {
    if (!content_is(pa, s))
      continue;
    *frame = paddr(pa.v & ~(uint64_t)(PAGE_SIZE - 1));
    return true;
  }
  return false;
}

/* Which of the pages that va was mapped to before hold the value already. Only those are looked at before a write: looking at every
 * frame would itself push translations out of a small TLB. */
static void note_who_has(const struct search *s, uint8_t *has)
{
  paddr_t pa;
  for (unsigned i = 0; i < memories_used && candidate(i, s->va, &pa); i++)
    has[i] = content_is(pa, s);
}

static bool find_newly_written(const struct search *s, const uint8_t *had_it_before, paddr_t *frame)
{
  paddr_t pa;
  for (unsigned i = 0; i < memories_used && candidate(i, s->va, &pa); i++) {
    if (had_it_before[i] || !content_is(pa, s))
      continue;
    *frame = paddr(pa.v & ~(uint64_t)(PAGE_SIZE - 1));
    return true;
  }
  return false;
}

static const char *exec_guard(const struct lab_touch *touch)
{
  if (!touch->expected.allowed || lab_frame_has_routine(touch->walk.pa))
    return NULL;
  return "exec runs a lab frame's own routine, and the page mapped there holds none";
}

static const char *write_guard(const struct lab_touch *touch, const struct machine_access *access)
{
  if (lab_guard_linear(laddr(0), 1) == NULL || !touch->expected.allowed)
    return NULL; /* unsafe; or the tables forbid it, and the fault is the point */
  if ((access->va.v & (PAGE_SIZE - 1)) + access->size > LAB_ROUTINE_OFFSET)
    return "the last 16 bytes of a frame hold the routine that exec runs; set unsafe=1 to write there anyway";
  return lab_guard_physical(touch->walk.pa, access->size);
}

static const char *guard(const struct lab_touch *touch, const struct machine_access *access)
{
  if (access->op == OP_EXEC)
    return exec_guard(touch);
  return access->op == OP_WRITE ? write_guard(touch, access) : NULL;
}

static void judge_read(struct lab_touch *touch, const struct search *s, const uint8_t *expected_memory)
{
  if (expected_memory != NULL && load(expected_memory, s->size) == s->value) {
    touch->outcome = LAB_FRESH;
    touch->frame_known = true;
    touch->frame = touch->walk.pa;
    return;
  }
  if (expected_memory == NULL && touch->expected.allowed) { /* no RAM there: nothing to compare with */
    touch->outcome = LAB_FRESH;
    return;
  }
  touch->outcome = LAB_STALE;
  touch->frame_known = find_page(s, &touch->frame);
}

/* A write arrived where the tables say if that page holds the value now. Where it held the value before, too, an older page that has just
 * come to hold it tells that the write went there. */
static void judge_write(struct lab_touch *touch, const struct search *s, const uint8_t *expected_memory, bool expected_had_it,
                        const uint8_t *had_it_before)
{
  bool no_ram = touch->expected.allowed && expected_memory == NULL;
  bool arrived = expected_memory != NULL && load(expected_memory, s->size) == s->value;
  touch->outcome = no_ram || arrived ? LAB_FRESH : LAB_STALE;
  touch->frame_known = arrived;
  touch->frame = touch->walk.pa;
  if (no_ram || (arrived && !expected_had_it))
    return;
  paddr_t elsewhere;
  if (find_newly_written(s, had_it_before, &elsewhere) || (!arrived && find_page(s, &elsewhere))) {
    touch->outcome = LAB_STALE;
    touch->frame_known = true;
    touch->frame = elsewhere;
  }
}

static void judge_exec(struct lab_touch *touch, uint32_t returned)
{
  if (touch->expected.allowed && lab_frame_routine_value(touch->walk.pa) == returned) {
    touch->outcome = LAB_FRESH;
    touch->frame_known = true;
    touch->frame = touch->walk.pa;
    return;
  }
  touch->outcome = LAB_STALE;
  paddr_t pa;
  for (unsigned i = 0; candidate(i, touch->walk.va, &pa) && !touch->frame_known; i++)
    if (pa.v != 0 && lab_frame_has_routine(pa) && lab_frame_routine_value(pa) == returned) {
      touch->frame_known = true;
      touch->frame = pa;
    }
}

const char *lab_touch(struct machine_access *access, struct lab_touch *touch)
{
  static uint8_t had_it[MEMORIES];
  *touch = (struct lab_touch){.walk = walk_run(lab_paging(), access->va)};
  touch->expected = rights_check(lab_paging(), &touch->walk, access->op, access->cpl);
  bool mapped = touch->walk.end == WALK_MAPPED;
  if (mapped)
    lab_frame_stamp(touch->walk.pa);
  const char *refused = guard(touch, access);
  if (refused)
    return refused;
  const uint8_t *expected_memory = mapped && touch->expected.allowed ? machine_physical(touch->walk.pa) : NULL;
  struct search search = {.va = access->va, .size = access->size, .value = access->value};
  bool expected_had_it = expected_memory != NULL && access->op == OP_WRITE && load(expected_memory, access->size) == access->value;
  if (access->op == OP_WRITE)
    note_who_has(&search, had_it);

  struct machine_access performed = *access;
  if (access->op == OP_EXEC)
    performed.va.v = (access->va.v & ~(uint64_t)(PAGE_SIZE - 1)) | LAB_ROUTINE_OFFSET;
  touch->result = machine_access(&performed);
  touch->value = access->op == OP_WRITE ? access->value : performed.value;

  if (touch->result.fault.raised) {
    touch->outcome = LAB_FAULT;
    touch->spurious = touch->expected.allowed;
    return NULL;
  }
  search.value = touch->value;
  if (access->op == OP_READ)
    judge_read(touch, &search, expected_memory);
  else if (access->op == OP_WRITE)
    judge_write(touch, &search, expected_memory, expected_had_it, had_it);
  else
    judge_exec(touch, (uint32_t)touch->value);
  return NULL;
}
