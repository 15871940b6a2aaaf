#include "measure/clock.h"

#include "machine/machine.h"
#include "measure/pages.h"

#define ROUNDS 16
#define LOADS 256u

/* On a CPU a load from the first-level cache takes 1 to 6 cycles, and the counter runs at about a core's speed. An emulator looks up each
 * address in software. */
#define TICKS_PER_LOAD 7u

static uintptr_t self; /* its own address: a chain of one word */

/* A cost is judged by its minimum: everything that disturbs a measurement only adds to it. */
static uint64_t cheapest_read(laddr_t va, bool miss)
{
  uint64_t least = ~0ULL;
  for (unsigned i = 0; i < ROUNDS; i++) {
    const struct machine_invlpg operand = {.va = va};
    struct machine_access access = {.op = OP_READ, .va = va, .size = 4};
    if (miss)
      machine_invlpg(&operand);
    struct machine_result result = machine_access(&access);
    if (!result.timed)
      return 0;
    if (result.ticks < least)
      least = result.ticks;
  }
  return least;
}

/* Whether loads that depend on each other, all from one word, take as long as on a CPU. */
static bool loads_like_a_cpu(uint64_t at, uint8_t cpl)
{
  uint64_t least = ~0ULL;
  for (unsigned i = 0; i < ROUNDS; i++) {
    struct machine_result result = machine_cost(COST_CHASE, cpl, at, LOADS);
    if (!result.timed)
      return false;
    if (result.ticks < least)
      least = result.ticks;
  }
  return least <= (uint64_t)LOADS * TICKS_PER_LOAD;
}

/* A machine whose TLB can be looked into is a simulated one. */
static bool simulated(void)
{
  struct machine_tlb_array first;
  return machine_tlb_array(0, &first);
}

enum clock_kind clock_judge(void)
{
  laddr_t page = laddr(machine_layout()->frames.v); /* identity-mapped */
  uint32_t features = machine_cpu()->features;
  if (machine_mode() == MACHINE_OFF || !machine_features_have(features, FEATURE_TSC))
    return CLOCK_NONE;
  uint64_t hit = cheapest_read(page, false), miss = cheapest_read(page, true);
  if (hit == 0 || miss <= hit)
    return CLOCK_NONE; /* time does not pass, or does not depend on the TLB: nothing about a TLB can be told by it */
  self = (uintptr_t)&self;
  if (simulated() || !loads_like_a_cpu((uintptr_t)&self, 0))
    return CLOCK_EMULATED;
  return CLOCK_HARDWARE;
}

/* Ring 3 cannot invalidate: what a miss costs shows in going through more pages than a TLB holds. */
enum clock_kind clock_judge_user(void)
{
  if (!machine_features_have(machine_cpu()->features, FEATURE_TSC))
    return CLOCK_NONE;
  pages_chain(1, 1);
  machine_cost(COST_CHASE, 3, pages_at(0).v, LOADS);
  if (simulated() || !loads_like_a_cpu(pages_at(0).v, 3))
    return machine_cost(COST_NOTHING, 3, 0, 0).timed ? CLOCK_EMULATED : CLOCK_NONE;
  return CLOCK_HARDWARE;
}

const char *clock_name(enum clock_kind kind)
{
  static const char *const names[] = {"none", "emulated", "hardware"};
  return names[kind];
}

const char *clock_says(enum clock_kind kind)
{
  static const char *const says[] = {"no clock: time tells nothing about a TLB here", "emulated: what is dearer than what, and no more",
                                     "hardware"};
  return says[kind];
}

#define LEAF_TSC 0x15

uint32_t clock_ticks_per_ms(void)
{
  uint32_t regs[4];
  machine_cpuid(0, 0, regs);
  if (regs[CPUID_EAX] < LEAF_TSC)
    return 0;
  /* CPUID.15H: TSC frequency = crystal's frequency (ECX, Hz) * EBX / EAX; 0 where not enumerated */
  machine_cpuid(LEAF_TSC, 0, regs);
  if (regs[CPUID_EAX] == 0)
    return 0;
  return (uint32_t)((uint64_t)regs[CPUID_ECX] / 1000 * regs[CPUID_EBX] / regs[CPUID_EAX]);
}
