/* The simulated machine: machine.h in plain memory. */
#ifndef MACHINE_SIM_H
#define MACHINE_SIM_H

#include "machine/sim_profile.h"

/** Powers the machine on with the given profile in @p mode. False where memory for it cannot be had. */
bool sim_init(const struct sim_profile *profile, enum machine_mode mode, uint64_t seed);

/** What is called by machine_poweroff() and machine_reboot(); the machine itself cannot end the program. */
void sim_on_end(void (*end)(void));

/** Sets the boot command line. */
void sim_command_line(const char *line);

#endif
