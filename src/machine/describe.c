#include "machine/describe.h"

#include "machine/layout.h"

#define F(feature) (1u << FEATURE_##feature)

/* Modes that need nothing run on any CPU there is; the kernels themselves are compiled for the 486. */
static const uint32_t needs[MACHINE_MODES] = {
  [MACHINE_PAE] = F(PAE),
  [MACHINE_4LEVEL] = F(LM),
  [MACHINE_5LEVEL] = F(LM) | F(LA57),
};

bool describe_mode_supported(uint32_t features, enum machine_mode mode, enum machine_feature *missing)
{
  uint32_t lacking = needs[mode] & ~features;
  for (unsigned i = 0; i < FEATURES; i++)
    if (lacking >> i & 1) {
      *missing = (enum machine_feature)i;
      return false;
    }
  return true;
}

enum machine_mode describe_mode_best(uint32_t features)
{
  enum machine_feature missing;
  if (describe_mode_supported(features, MACHINE_4LEVEL, &missing))
    return MACHINE_4LEVEL;
  return describe_mode_supported(features, MACHINE_PAE, &missing) ? MACHINE_PAE : MACHINE_32;
}

struct machine_layout describe_layout(void *shadows, bool (*ram_covers)(uint64_t from, uint64_t to))
{
  static const uint32_t big[2] = {LAYOUT_BIG0, LAYOUT_BIG1};
  struct machine_layout layout = {.root = paddr(LAYOUT_KERNEL_TABLES),
                                  .tables = paddr(LAYOUT_TABLES),
                                  .table_count = LAYOUT_TABLE_COUNT,
                                  .shadows = shadows,
                                  .shadow_count = LAYOUT_SHADOW_COUNT,
                                  .frames = paddr(LAYOUT_FRAMES),
                                  .frame_count = LAYOUT_FRAME_COUNT,
                                  .kernel_end = LAYOUT_KERNEL_END,
                                  .user_code = laddr(LAYOUT_USER_CODE),
                                  .user_stack = laddr(LAYOUT_USER_STACK)};
  for (unsigned i = 0; i < 2; i++)
    if (ram_covers(big[i], big[i] + (uint64_t)LAYOUT_BIG_BYTES))
      layout.big[i] = paddr(big[i]);
  return layout;
}
