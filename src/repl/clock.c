#include "repl/clock.h"

#include "machine/machine.h"

#define ROUNDS 16

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

enum clock_kind clock_judge(void)
{
  laddr_t page = laddr(machine_layout()->frames.v); /* identity-mapped */
  uint32_t features = machine_cpu()->features;
  if (machine_mode() == MACHINE_OFF || !machine_features_have(features, FEATURE_TSC))
    return CLOCK_NONE;
  uint64_t hit = cheapest_read(page, false), miss = cheapest_read(page, true);
  if (hit == 0 || miss <= hit)
    return CLOCK_NONE; /* time does not pass, or does not depend on the TLB: nothing about a TLB can be told by it */
  return machine_features_have(features, FEATURE_HYPERVISOR) ? CLOCK_EMULATED : CLOCK_HARDWARE;
}

const char *clock_name(enum clock_kind kind)
{
  static const char *const names[] = {"none", "emulated", "hardware"};
  return names[kind];
}
