#include "cpu/cpu.h"

#define FLAGS_ID ((uintptr_t)1 << 21)
#define EXTENDED 0x80000000u

/* CPUID.01H:EDX features that are switched in CR4: VME, DE, PSE, TSC (TSD), PAE, MCE, PGE. */
#define EDX_IN_CR4 (1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 13)

bool cpu_has_cpuid(void)
{
  uintptr_t before = cpu_read_flags();
  cpu_write_flags(before ^ FLAGS_ID);
  bool changed = ((cpu_read_flags() ^ before) & FLAGS_ID) != 0;
  cpu_write_flags(before);
  return changed;
}

static uint32_t leaf_register(uint32_t leaf, unsigned reg)
{
  uint32_t regs[4];
  if (!cpu_has_cpuid())
    return 0;
  cpu_cpuid(leaf & EXTENDED, 0, regs);
  /* A CPU without extended leaves answers leaf 80000000H with something that is no extended leaf number. */
  if (regs[CPUID_EAX] < leaf || (regs[CPUID_EAX] & EXTENDED) != (leaf & EXTENDED))
    return 0;
  cpu_cpuid(leaf, 0, regs);
  return regs[reg];
}

bool cpu_has(enum machine_feature feature)
{
  const struct machine_feature_row *row = &machine_features[feature];
  if (feature == FEATURE_CPUID)
    return cpu_has_cpuid();
  if (row->leaf == 0)
    return true; /* no CPUID bit: every CPU this kernel can start on has it */
  return (leaf_register(row->leaf, row->reg) >> row->bit & 1u) != 0;
}

bool cpu_has_cr4(void)
{
  return (leaf_register(1, CPUID_EDX) & EDX_IN_CR4) != 0;
}

uint32_t cpu_features(void)
{
  uint32_t mask = 0;
  for (unsigned i = 0; i < FEATURES; i++)
    if (cpu_has((enum machine_feature)i))
      mask |= 1u << i;
  return mask;
}
