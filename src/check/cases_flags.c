#include "check/private.h"

/* ---- ad ----
 *
 * The CPU sets A in every entry that it uses for a translation, and D in the one that maps the page when the page is written; nothing else
 * sets D. Software clears them. A flag that was cleared without an invalidation may stay clear though the page is used: then the
 * translation came from a TLB. What the flags are after each access the model checks for every access anyway; the cases lead up to it. */

static void read_sets_a(struct bench *b)
{
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(b, OP_READ, BENCH_VA);
  if (bench_ad(BENCH_VA) == EDIT_A)
    bench_pass(b, "A set, D not");
  else
    bench_fail(b, bench_ad(BENCH_VA) & EDIT_D ? "D is set too" : "A is not set");
}

static void write_sets_both(struct bench *b)
{
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(b, OP_WRITE, BENCH_VA);
  if (bench_ad(BENCH_VA) == (EDIT_A | EDIT_D))
    bench_pass(b, "A and D set");
  else
    bench_fail(b, "not both are set");
}

static void write_after_read(struct bench *b)
{
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(b, OP_READ, BENCH_VA);
  bench_touch(b, OP_WRITE, BENCH_VA);
  if (bench_ad(BENCH_VA) & EDIT_D)
    bench_pass(b, "D set, though the translation may have been cached without");
  else
    bench_fail(b, "D is not set");
}

static void fetch_sets_a(struct bench *b)
{
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(b, OP_EXEC, BENCH_VA);
  if (bench_ad(BENCH_VA) == EDIT_A)
    bench_pass(b, "A set, D not");
  else
    bench_fail(b, "A and D are not as they must be");
}

static void refused_write_sets_no_d(struct bench *b)
{
  bench_map(BENCH_VA, 'X', EDIT_US, PAGE_SHIFT);
  b->cpl = 3;
  bench_touch(b, OP_WRITE, BENCH_VA);
  if (b->touch.outcome != LAB_FAULT || bench_ad(BENCH_VA) & EDIT_D)
    bench_fail(b, "D is set, or there was no fault");
  else
    bench_pass(b, bench_ad(BENCH_VA) & EDIT_A ? "no D; A set by the refused walk" : "no D, no A");
}

static void upper_levels(struct bench *b)
{
  const struct paging *paging = lab_paging();
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(b, OP_READ, BENCH_VA);
  for (int level = 0; level < paging->format->levels; level++) {
    uint64_t entry = bench_entry(BENCH_VA, level);
    if (format_mask(paging, (unsigned)level, entry, ROLE_A) & ~entry) {
      bench_fail(b, paging->format->level[level].name);
      return;
    }
  }
  bench_pass(b, "A set at every level that has one");
}

static void comes_back(struct bench *b, enum machine_op op, unsigned flag, bool flush)
{
  bench_map(BENCH_VA, 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(b, op, BENCH_VA);
  bench_ad_clear(BENCH_VA);
  if (flush)
    bench_flush_all();
  bench_touch(b, op, BENCH_VA);
  bool back = bench_ad(BENCH_VA) & flag;
  if (!flush)
    bench_observe(b, back ? "came back" : "stays clear");
  else if (back)
    bench_pass(b, "came back");
  else
    bench_fail(b, "stays clear");
}

static void a_without(struct bench *b)
{
  comes_back(b, OP_READ, EDIT_A, false);
}

static void a_with(struct bench *b)
{
  comes_back(b, OP_READ, EDIT_A, true);
}

static void d_without(struct bench *b)
{
  comes_back(b, OP_WRITE, EDIT_D, false);
}

static void d_with(struct bench *b)
{
  comes_back(b, OP_WRITE, EDIT_D, true);
}

// clang-format off
static const struct check_case ad_cases[] = {
  {"a read sets A and not D", MODES_PAGED, NO_FEATURE, false, true, read_sets_a},
  {"a write sets A and D", MODES_PAGED, NO_FEATURE, false, true, write_sets_both},
  {"a write after a read sets D", MODES_PAGED, NO_FEATURE, false, true, write_after_read},
  {"a fetch sets A and not D", MODES_PAGED, NO_FEATURE, false, true, fetch_sets_a},
  {"a refused write sets no D", MODES_PAGED, NO_FEATURE, false, false, refused_write_sets_no_d},
  {"A is set at every level", MODES_PAGED, NO_FEATURE, false, true, upper_levels},
  {"A cleared, no invalidation, read", MODES_PAGED, NO_FEATURE, true, true, a_without},
  {"A cleared, full flush, read", MODES_PAGED, NO_FEATURE, false, true, a_with},
  {"D cleared, no invalidation, write", MODES_PAGED, NO_FEATURE, true, true, d_without},
  {"D cleared, full flush, write", MODES_PAGED, NO_FEATURE, false, true, d_with},
  {.name = NULL},
};
// clang-format on

const struct check_group_of check_ad = {"ad", "who sets the accessed and dirty flags, and when", "Accessed and Dirty Flags", ad_cases,
                                        NULL};

/* ---- large ----
 *
 * A large page may be cached as one translation or as fragments. One INVLPG anywhere in it drops them all, as long as the tables map it as
 * a large page. After a change of size, translations of both sizes may be used until they are invalidated. */

static unsigned large_shift(void)
{
  return machine_mode() == MACHINE_32 ? 22 : 21;
}

static bool large_here(struct bench *b)
{
  const char *why = NULL;
  if (machine_layout()->big[0].v == 0 || machine_layout()->big[1].v == 0)
    why = "no RAM for two large frames";
  else if (format_level_of_size(lab_paging(), large_shift(), &why) >= 0)
    return true;
  bench_skip(b, why ? why : "no large pages");
  return false;
}

static void one_invlpg(struct bench *b)
{
  if (!large_here(b))
    return;
  bench_map(BENCH_VA, '0', EDIT_RW | EDIT_US, large_shift());
  for (unsigned i = 0; i < 8; i++)
    bench_touch(b, OP_READ, BENCH_PAGE(i));
  bench_map(BENCH_VA, '1', EDIT_RW | EDIT_US, large_shift());
  bench_invlpg(BENCH_PAGE(9));
  for (unsigned i = 0; i < 8; i++)
    if (bench_touch(b, OP_READ, BENCH_PAGE(i)) != LAB_FRESH)
      break;
  bench_judge(b);
}

static void one_invlpg_fetched(struct bench *b)
{
  if (!large_here(b))
    return;
  bench_map(BENCH_VA, '0', EDIT_RW | EDIT_US, large_shift());
  for (unsigned i = 0; i < 64; i++)
    bench_touch(b, OP_EXEC, BENCH_PAGE(i));
  bench_map(BENCH_VA, '1', EDIT_RW | EDIT_US, large_shift());
  bench_invlpg(BENCH_PAGE(70));
  for (unsigned i = 0; i < 64; i++)
    if (bench_touch(b, OP_EXEC, BENCH_PAGE(i)) != LAB_FRESH)
      break;
  bench_judge(b);
}

static void split(struct bench *b)
{
  if (!large_here(b))
    return;
  bench_map(BENCH_VA, '0', EDIT_RW | EDIT_US, large_shift());
  bench_touch(b, OP_READ, BENCH_PAGE(1));
  edit_split(lab_paging(), lab_tables(), laddr(BENCH_VA));
  bench_map(BENCH_PAGE(1), 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_touch(b, OP_READ, BENCH_PAGE(1));
  bench_judge(b);
}

static void split_flushed(struct bench *b)
{
  if (!large_here(b))
    return;
  bench_map(BENCH_VA, '0', EDIT_RW | EDIT_US, large_shift());
  bench_touch(b, OP_READ, BENCH_PAGE(1));
  edit_split(lab_paging(), lab_tables(), laddr(BENCH_VA));
  bench_map(BENCH_PAGE(1), 'X', EDIT_RW | EDIT_US, PAGE_SHIFT);
  bench_invlpg(BENCH_PAGE(1));
  bench_touch(b, OP_READ, BENCH_PAGE(1));
  bench_judge(b);
}

static void cold_piece(struct bench *b)
{
  if (!large_here(b))
    return;
  bench_map(BENCH_VA, '0', EDIT_RW | EDIT_US, large_shift());
  bench_touch(b, OP_READ, BENCH_PAGE(0));
  bench_map(BENCH_VA, '1', EDIT_RW | EDIT_US, large_shift());
  bench_touch(b, OP_READ, BENCH_PAGE(5));
  bench_judge(b);
}

// clang-format off
static const struct check_case large_cases[] = {
  {"one INVLPG drops all of the page", MODES_PAGED, FEATURE_INVLPG, true, true, one_invlpg},
  {"one INVLPG drops all of the page, fetched", MODES_PAGED, FEATURE_INVLPG, true, true, one_invlpg_fetched},
  {"changed, no invalidation: a piece not used before", MODES_PAGED, NO_FEATURE, true, true, cold_piece},
  {"split, no invalidation", MODES_PAGED, NO_FEATURE, true, true, split},
  {"split, INVLPG of the piece", MODES_PAGED, FEATURE_INVLPG, true, true, split_flushed},
  {.name = NULL},
};
// clang-format on

const struct check_group_of check_large = {"large", "large pages: one INVLPG is enough; split", "Details of TLB Use", large_cases, NULL};
