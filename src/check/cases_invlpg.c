#include "check/private.h"

/* ---- invlpg ----
 *
 * The refill test is Andrew Cooper's, of the Xen Test Framework. Two pages are written, so that a TLB may hold both with D set. Then A and
 * D of both entries are cleared, INVLPG is done, and both are written again: a page whose translation had to be fetched again has its flags
 * back, the other has not. Something that is not ours (a hypervisor's switch, a virtual CPU that moves) can flush everything in between:
 * then both come back, and the test is tried again. Where both always come back no TLB can be observed, and nothing is proved.
 *
 * INVLPG's operand is an address expression: with an override of FS it is the segment's base plus the offset (in 64-bit mode FS and GS are
 * the only segments with a base). The limit, the segment's kind and a NULL selector are not looked at, and nothing faults; in 64-bit mode
 * an address that is not canonical makes it do nothing (SDM, INVLPG). */

#define TRIES 8
#define FIRST BENCH_PAGE(1)
#define SECOND BENCH_PAGE(2)

static void fill_both(struct bench *b)
{
  bench_touch(b, OP_WRITE, FIRST);
  bench_touch(b, OP_WRITE, SECOND);
  bench_ad_clear(FIRST);
  bench_ad_clear(SECOND);
}

/* Which of the two refilled, as bits 0 and 1. */
static unsigned refilled(struct bench *b, const struct machine_invlpg *operand)
{
  unsigned came_back = 3;
  bench_map(FIRST, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_map(SECOND, 'Y', EDIT_RW | EDIT_US, PAGE_SHIFT);
  for (unsigned i = 0; i < TRIES && came_back == 3; i++) {
    fill_both(b);
    lab_invlpg(operand);
    bench_touch(b, OP_WRITE, FIRST);
    bench_touch(b, OP_WRITE, SECOND);
    came_back = (bench_ad(FIRST) & EDIT_A ? 1u : 0u) | (bench_ad(SECOND) & EDIT_A ? 2u : 0u);
  }
  return came_back;
}

static void expect_refill(struct bench *b, const struct machine_invlpg *operand, unsigned expected)
{
  static const char *const words[] = {"neither refilled", "only the first refilled", "only the second refilled", "both refilled"};
  unsigned came_back = refilled(b, operand);
  if (!(came_back & expected))
    bench_fail(b, words[came_back]);
  else if (came_back == expected)
    bench_pass(b, words[came_back]);
  else /* a CPU may drop more than it must */
    bench_observe(b, words[came_back]);
}

static void plain(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(FIRST)};
  expect_refill(b, &operand, 1);
}

static void any_byte(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(FIRST + 0xabc)};
  expect_refill(b, &operand, 1);
}

static void base_0(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(FIRST), .segment = true, .limit = 0xffffffff};
  expect_refill(b, &operand, 1);
}

static void base_0_limit_1(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(FIRST), .segment = true, .limit = 1};
  expect_refill(b, &operand, 1);
}

static void base_page(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(FIRST), .segment = true, .base = PAGE_SIZE, .limit = 0xffffffff};
  expect_refill(b, &operand, 2);
}

static void base_page_limit(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(FIRST), .segment = true, .base = PAGE_SIZE, .limit = 0x1001};
  expect_refill(b, &operand, 2);
}

/* The pointer's page is not the page that the pointer points to: `invlpg ptr` flushes the former (a classic mistake). */
static void the_pointers_page(struct bench *b)
{
  bench_map(FIRST, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_map(SECOND, 'Y', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(b, OP_READ, SECOND);
  bench_map(SECOND, 'Z', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_invlpg(FIRST); /* where the pointer to SECOND would be */
  bench_touch(b, OP_READ, SECOND);
  bench_judge(b);
}

static void global_too(struct bench *b)
{
  bench_map(FIRST, 'X', EDIT_RW | EDIT_US | EDIT_G, PAGE_SHIFT);
  bench_touch(b, OP_READ, FIRST);
  bench_map(FIRST, 'Y', EDIT_RW | EDIT_US | EDIT_G, PAGE_SHIFT);
  bench_invlpg(FIRST);
  bench_touch(b, OP_READ, FIRST);
  bench_judge(b);
}

/* ---- never faults ---- */

static void must_not_fault(struct bench *b, const struct machine_invlpg *operand)
{
  struct machine_result result = lab_invlpg(operand);
  if (result.fault.raised)
    bench_fail(b, "it faulted");
  else
    bench_pass(b, "no fault");
}

static void mapped(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(machine_layout()->frames.v)};
  must_not_fault(b, &operand);
}

static void unmapped(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(BENCH_FAR)};
  must_not_fault(b, &operand);
}

static void null_segment(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(BENCH_FAR), .segment = true, .null = true};
  must_not_fault(b, &operand);
}

static void past_limit(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(0x2000), .segment = true, .limit = 1};
  must_not_fault(b, &operand);
}

static void expand_down(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(0x1000), .segment = true, .expand_down = true, .limit = 0x2000};
  must_not_fault(b, &operand);
}

static void not_canonical(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(1ULL << 62)};
  must_not_fault(b, &operand);
}

static void not_canonical_sum(struct bench *b)
{
  const uint64_t last = address_mask(lab_paging()->format->linear_bits - 1u); /* the last canonical address of the lower half */
  const struct machine_invlpg operand = {.va = laddr(PAGE_SIZE), .segment = true, .base = last & ~(uint64_t)(PAGE_SIZE - 1), .limit = 1};
  must_not_fault(b, &operand);
}

static void ring_3(struct bench *b)
{
  const struct machine_invlpg operand = {.va = laddr(BENCH_FAR), .cpl = 3};
  struct machine_result result = lab_invlpg(&operand);
  bool gp = result.fault.raised && result.fault.vector == VECTOR_GP && result.fault.error == 0;
  if (gp)
    bench_pass(b, "#GP(0)");
  else
    bench_fail(b, result.fault.raised ? "another exception" : "no fault");
}

// clang-format off
static const struct check_case cases[] = {
  {"refill: no segment", MODES_PAGED, FEATURE_INVLPG, true, true, plain},
  {"refill: any byte of the page", MODES_PAGED, FEATURE_INVLPG, true, true, any_byte},
  {"refill: segment base 0", MODES_PAGED, FEATURE_INVLPG, true, true, base_0},
  {"refill: segment base 0, limit 1", MODES_PAGED, FEATURE_INVLPG, true, true, base_0_limit_1},
  {"refill: segment base 0x1000", MODES_PAGED, FEATURE_INVLPG, true, true, base_page},
  {"refill: segment base 0x1000, limit 0x1001", MODES_PAGED, FEATURE_INVLPG, true, true, base_page_limit},
  {"the pointer's page is not the page pointed to", MODES_PAGED, FEATURE_INVLPG, true, true, the_pointers_page},
  {"drops a global translation", MODES_PAGED, FEATURE_PGE, true, true, global_too},
  {"no fault: mapped address", MODES_ALL, FEATURE_INVLPG, false, false, mapped},
  {"no fault: unmapped address", MODES_ALL, FEATURE_INVLPG, false, false, unmapped},
  {"no fault: NULL segment", MODES_ALL, FEATURE_INVLPG, false, false, null_segment},
  {"no fault: past the segment's limit", MODES_ALL, FEATURE_INVLPG, false, false, past_limit},
  {"no fault: below an expand-down limit", MODES_ALL & ~MODES_LONG, FEATURE_INVLPG, false, false, expand_down},
  {"no fault: not canonical", MODES_LONG, FEATURE_INVLPG, false, false, not_canonical},
  {"no fault: base + offset not canonical", MODES_LONG, FEATURE_INVLPG, false, false, not_canonical_sum},
  {"#GP in ring 3", MODES_ALL, FEATURE_INVLPG, false, false, ring_3},
  {.name = NULL},
};
// clang-format on

const struct check_group_of check_invlpg = {"invlpg", "what INVLPG takes, what it drops, and that it never faults",
                                            "INVLPG - Invalidate TLB Entries", cases, NULL};
