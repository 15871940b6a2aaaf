/* How many accesses the simulated machine makes per second, beneath the shell. usage: accesses [PROFILE] */
#include "machine/layout.h"
#include "machine/machine.h"
#include "machine/sim.h"

#include <stdio.h>
#include <time.h>

#define ACCESSES 20000000u

static double seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The kernel's own pages are mapped, but for the windows in the middle of them. */
static laddr_t page_number(unsigned n)
{
  uint64_t page = LAYOUT_KERNEL64 + (uint64_t)n * PAGE_SIZE;
  return laddr(page < LAYOUT_WINDOWS ? page : page + LAYOUT_BIG1 - LAYOUT_WINDOWS);
}

/* Reads @p pages of them in turns. */
static double rate(unsigned pages)
{
  struct machine_access access = {.op = OP_READ, .size = 8};
  double start = seconds();
  for (unsigned i = 0, n = 0; i < ACCESSES; i++, n = n + 1 < pages ? n + 1 : 0) {
    access.va = page_number(n);
    if (machine_access(&access).fault.raised)
      return 0;
  }
  return ACCESSES / (seconds() - start);
}

int main(int argc, char **argv)
{
  const struct sim_profile *profile = sim_profile_named(argc > 1 ? argv[1] : "modern-intel");
  if (profile == NULL || !sim_init(profile, machine_features_have(profile->features, FEATURE_LM) ? MACHINE_4LEVEL : MACHINE_32, 1))
    return 2;
  printf("hits %.0f\nmisses %.0f\n", rate(1), rate(2500));
  return 0;
}
