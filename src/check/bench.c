#include "check/private.h"

#include "lib/format.h"

#include <string.h>

#define OFFSET 0x40u /* of what a case reads and writes in a page */
#define KEPT 2

/* The entries above the stretches as they were before. */
static struct {
  paddr_t at;
  uint64_t value;
} kept[KEPT];

static uint8_t saved[3][PAGE_SIZE / 64]; /* the word that cases write, of X, Y and Z: 64 bytes are enough for it */

static uint64_t frame(char letter)
{
  uint64_t pa = 0;
  const char big[2] = {'M', letter};
  if (letter == '0' || letter == '1')
    lab_frame_named(big, 2, &pa);
  else
    lab_frame_named(&letter, 1, &pa);
  return pa;
}

static void frames_save(bool restore)
{
  for (unsigned i = 0; i < 3; i++) {
    uint8_t *memory = machine_physical(paddr(frame((char)('X' + i)) + OFFSET));
    if (restore)
      memcpy(memory, saved[i], sizeof saved[i]);
    else
      memcpy(saved[i], memory, sizeof saved[i]);
  }
}

static void nothing(void *context, const struct lab_change *change)
{
  (void)context;
  (void)change;
}

/* The diff keeps the shadows and the model up to date; nobody is to see what it finds. */
static void settle(void)
{
  lab_refresh();
  if (lab_paging()->format)
    lab_diff(nothing, NULL);
}

const char *bench_open(void)
{
  static const uint64_t stretches[KEPT] = {BENCH_VA, BENCH_FAR};
  const struct paging *paging = lab_paging();
  if (paging->format == NULL)
    return NULL;
  for (unsigned i = 0; i < KEPT; i++) {
    struct walk walk = walk_run(paging, laddr(stretches[i]));
    if (walk.end != WALK_NOT_PRESENT)
      return "the checks need 0xff400000 to 0xffbfffff unmapped: unmap them, or reset";
  }
  if (lab_recursive())
    return "the checks need the top of the address space: recursive off, first";
  frames_save(false);
  /* The tables down to the directory are made once, so that PAE paging has its PDPTE. */
  edit_reach(paging, lab_tables(), laddr(BENCH_VA), paging->format->levels - 2u);
  for (unsigned i = 0; i < KEPT; i++) {
    struct walk walk = walk_run(paging, laddr(stretches[i]));
    kept[i].at = walk_last(&walk)->at;
    kept[i].value = walk_last(&walk)->entry;
  }
  bench_flush_all();
  return NULL;
}

void bench_clear(struct bench *b)
{
  (void)b;
  lab_undo_begin(); /* tables of the case before may be used again */
  settle();
  for (unsigned i = 0; i < KEPT && lab_paging()->format; i++) {
    uint64_t now = 0;
    machine_entry_read(kept[i].at, lab_paging()->format->entry_bytes, &now);
    lab_entry_write(kept[i].at, now, kept[i].value);
  }
  bench_flush_all();
}

void bench_close(void)
{
  if (lab_paging()->format == NULL)
    return;
  bench_clear(NULL);
  frames_save(true);
  lab_undo_clear();
}

void bench_map(uint64_t va, char letter, unsigned flags, unsigned shift)
{
  edit_map(lab_paging(), lab_tables(), laddr(va), paddr(frame(letter)), flags, 0, shift);
}

void bench_protect(uint64_t va, int level, unsigned set, unsigned clear)
{
  edit_protect(lab_paging(), lab_tables(), laddr(va), level, set, clear);
}

void bench_unmap(uint64_t va)
{
  edit_unmap(lab_paging(), lab_tables(), laddr(va), false);
}

static const struct walk_step *step_of(struct walk *walk, uint64_t va, int level)
{
  *walk = walk_run(lab_paging(), laddr(va));
  return level < 0 ? walk_last(walk) : walk_at(walk, (unsigned)level);
}

uint64_t bench_entry(uint64_t va, int level)
{
  struct walk walk;
  const struct walk_step *step = step_of(&walk, va, level);
  return step ? step->entry : 0;
}

void bench_entry_set(uint64_t va, int level, uint64_t value)
{
  struct walk walk;
  const struct walk_step *step = step_of(&walk, va, level);
  if (step)
    lab_entry_write(step->at, step->entry, value);
}

/* No two writes write the same, so that what is read tells where it came from. */
static uint32_t written;

enum lab_outcome bench_touch(struct bench *b, enum machine_op op, uint64_t va)
{
  struct machine_access access = {.op = op, .va = laddr(va | OFFSET), .cpl = b->cpl, .size = 4, .value = 0x5a000000u + ++written};
  const char *refused = lab_touch(&access, &b->touch);
  if (refused) {
    b->unjudged = true;
    return LAB_FAULT;
  }
  if (b->touch.violation.rule && b->broken == NULL)
    b->broken = b->touch.violation.rule;
  b->unjudged = b->unjudged || !b->touch.predicted->complete;
  return b->touch.outcome;
}

void bench_invlpg(uint64_t va)
{
  const struct machine_invlpg operand = {.va = laddr(va)};
  lab_invlpg(&operand);
}

struct machine_fault bench_cr3(bool keep)
{
  uint64_t cr3 = machine_register_read(REGISTER_CR3);
  return lab_register_write(REGISTER_CR3, keep ? cr3 | 1ULL << 63 : cr3);
}

void bench_pge(void)
{
  uint64_t cr4 = machine_register_read(REGISTER_CR4);
  lab_register_write(REGISTER_CR4, cr4 ^ CR4_PGE); /* the way there flushes, and the way back too */
  lab_register_write(REGISTER_CR4, cr4);
}

/* Each flush costs an emulator dear: one is enough. */
void bench_flush_all(void)
{
  if (machine_features_have(machine_cpu()->features, FEATURE_PGE))
    bench_pge();
  else
    bench_cr3(false);
}

static uint64_t leaf_flag(const struct walk_step *leaf, enum field_role role)
{
  return format_mask(lab_paging(), leaf->level, leaf->entry, role);
}

unsigned bench_ad(uint64_t va)
{
  struct walk walk;
  const struct walk_step *leaf = step_of(&walk, va, -1);
  unsigned flags = 0;
  if (leaf && leaf->entry & leaf_flag(leaf, ROLE_A))
    flags |= EDIT_A;
  if (leaf && leaf->entry & leaf_flag(leaf, ROLE_D))
    flags |= EDIT_D;
  return flags;
}

void bench_ad_clear(uint64_t va)
{
  bench_protect(va, -1, 0, EDIT_A | EDIT_D);
}

bool bench_tlb_visible(uint8_t cpl)
{
  struct check_result unused;
  struct bench b = {.result = &unused, .cpl = cpl};
  bench_clear(&b);
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(&b, OP_READ, BENCH_VA);
  bench_map(BENCH_VA, 'Y', EDIT_RW | EDIT_US, PAGE_SHIFT);
  return bench_touch(&b, OP_READ, BENCH_VA) == LAB_STALE;
}

/* ---- verdicts ---- */

static void end(struct bench *b, enum check_verdict verdict, const char *note)
{
  b->result->verdict = (uint8_t)verdict;
  format(b->result->note, sizeof b->result->note, "%s", note);
}

static bool broke(struct bench *b)
{
  if (b->broken == NULL)
    return false;
  b->result->verdict = CHECK_FAIL;
  format(b->result->note, sizeof b->result->note, "%s: %s", b->broken->name, b->broken->says);
  return true;
}

void bench_pass(struct bench *b, const char *note)
{
  if (!broke(b))
    end(b, CHECK_PASS, note);
}

void bench_fail(struct bench *b, const char *note)
{
  if (!broke(b))
    end(b, CHECK_FAIL, note);
}

void bench_observe(struct bench *b, const char *note)
{
  if (!broke(b))
    end(b, CHECK_OBSERVED, note);
}

void bench_skip(struct bench *b, const char *note)
{
  end(b, CHECK_SKIP, note);
}

void bench_judge(struct bench *b)
{
  static const char *const names[] = {[LAB_FRESH] = "fresh", [LAB_STALE] = "stale", [LAB_FAULT] = "fault"};
  const struct lab_touch *touch = &b->touch;
  const char *name = touch->outcome == LAB_FAULT && touch->spurious ? "spurious fault" : names[touch->outcome];
  bool must = touch->predicted && touch->predicted->count == 1 && !b->unjudged;
  if (must)
    bench_pass(b, name);
  else
    bench_observe(b, name);
}
