/* What things cost in ticks: an instruction between two readings of the clock, many times over, with what has to come before it each time.
 * The cost of measuring is measured too, and taken off. */
#ifndef MEASURE_TIMER_H
#define MEASURE_TIMER_H

#include "machine/machine.h"
#include "measure/figures.h"

#include <stdbool.h>

#define TIMER_SAMPLES_MAX 8192u

enum timer_step {
  TIMER_NOTHING,
  TIMER_READ,
  TIMER_WRITE,
  TIMER_EXEC,
  TIMER_INVLPG,
  TIMER_CR3,
  TIMER_CR3_KEEP, /* with bit 63: takes CR4.PCIDE */
  TIMER_PGE,      /* CR4.PGE changed and changed back */
  TIMER_INVPCID,  /* of one address, PCID 0 */
  TIMER_NEIGHBOR, /* a read of the page behind */
  TIMER_FAULT,    /* an access that faults, and the way back from the handler */
};

struct timer_task {
  uint8_t before[2]; /* enum timer_step: done first each time, and not timed */
  uint8_t step;      /* enum timer_step: what is timed */
  uint8_t cpl;       /* of the step; what comes before is done in ring 0, accesses excepted */
  laddr_t va;
  uint8_t size;   /* of accesses, in bytes */
  uint64_t value; /* that TIMER_WRITE writes */
};

struct timer_taken {
  struct figures figures;     /* of ticks, without the measuring */
  uint32_t overhead;          /* what the measuring takes, and has been taken off */
  const uint32_t *sorted;     /* the samples; good until the next timer_take() */
  struct machine_fault fault; /* .raised: the step faulted, though it is not TIMER_FAULT, and there are no figures */
  bool clock;                 /* false: the CPU has none */
};

/** Takes @p count samples, at most TIMER_SAMPLES_MAX; fewer when Ctrl-C is typed. Some more are taken first and thrown away, so that caches
 * are warm. The lab is not told: TLBs may hold less afterwards than the model thinks, and never more. */
void timer_take(const struct timer_task *task, unsigned count, struct timer_taken *taken);

/** Does the same @p count times without a clock; false when it faults. */
bool timer_run(const struct timer_task *task, unsigned count);

#endif
