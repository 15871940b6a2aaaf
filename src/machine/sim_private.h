/* Between sim.c, the machine and its registers, and sim_access.c, what it does. */
#ifndef MACHINE_SIM_PRIVATE_H
#define MACHINE_SIM_PRIVATE_H

#include "machine/sim_tlb.h"
#include "machine/sim_walk.h"

#define SIM_PCID_MASK 0xfffu

struct sim_state {
  const struct sim_profile *profile;
  struct sim_walker walker;
  enum machine_mode mode;
  uint64_t registers[REGISTERS];
  uint64_t ticks;
};

extern struct sim_state sim;

static inline bool sim_has(enum machine_feature feature)
{
  return machine_features_have(sim.profile->features, feature);
}

static inline bool sim_trait(enum sim_trait trait)
{
  return (sim.profile->traits & trait) != 0;
}

static inline bool sim_defect(enum sim_defect_bit defect)
{
  return (sim.profile->defects & defect) != 0;
}

/** What the translations of a PCID are tagged with, where they are; and those of the current one. */
uint16_t sim_tag_of(uint64_t pcid);
uint16_t sim_current_tag(void);

/** An exception. */
struct machine_fault sim_raised(uint8_t vector, uint32_t error, uint8_t cpl);

#endif
