/* What is the same on every machine that fulfils machine.h: which CPU features a mode takes, and where the lab lies. */
#ifndef MACHINE_DESCRIBE_H
#define MACHINE_DESCRIBE_H

#include "machine/machine.h"

/** machine_mode_supported() of a CPU with the mask @p features. */
bool describe_mode_supported(uint32_t features, enum machine_mode mode, enum machine_feature *missing);

/** The best mode up to 4level that such a CPU has: the one to start in. */
enum machine_mode describe_mode_best(uint32_t features);

/** The layout as layout.h has it. @p ram_covers tells whether there is RAM in all of [from, to): without it a big frame is left out. */
struct machine_layout describe_layout(void *shadows, bool (*ram_covers)(uint64_t from, uint64_t to));

#endif
