#include "measure/timer.h"

#include "machine/console.h"

#include <string.h>

#define WARM_UP 16u
#define OVERHEAD_SAMPLES 64u
#define KEEP (1ULL << 63)

static uint32_t samples[TIMER_SAMPLES_MAX];

static struct machine_result accessed(const struct timer_task *task, enum machine_op op, uint64_t offset)
{
  struct machine_access access = {.op = op, .va = laddr(task->va.v + offset), .cpl = task->cpl, .size = task->size, .value = task->value};
  return machine_access(&access);
}

static struct machine_result cr3_loaded(uint64_t more)
{
  return machine_cost(COST_CR3, 0, machine_register_read(REGISTER_CR3) | more, 0);
}

static struct machine_result invalidated(const struct timer_task *task, uint8_t cpl)
{
  const struct machine_invlpg operand = {.va = task->va, .cpl = cpl};
  return machine_invlpg(&operand);
}

/* From the access to the instruction behind it, by way of the exception handler: the clock is read outside, so that what leads there and
 * back counts too. */
static struct machine_result faulted(const struct timer_task *task)
{
  uint64_t start = machine_ticks();
  struct machine_result result = accessed(task, OP_READ, 0);
  result.ticks = machine_ticks() - start;
  result.timed = start != 0;
  result.fault.raised = !result.fault.raised;
  return result;
}

static struct machine_result step(const struct timer_task *task, enum timer_step which, uint8_t cpl)
{
  switch (which) {
  case TIMER_READ: return accessed(task, OP_READ, 0);
  case TIMER_WRITE: return accessed(task, OP_WRITE, 0);
  case TIMER_EXEC: return accessed(task, OP_EXEC, 0);
  case TIMER_NEIGHBOR: return accessed(task, OP_READ, PAGE_SIZE);
  case TIMER_INVLPG: return invalidated(task, cpl);
  case TIMER_CR3: return cr3_loaded(0);
  case TIMER_CR3_KEEP: return cr3_loaded(KEEP);
  case TIMER_PGE: return machine_cost(COST_PGE, 0, 0, 0);
  case TIMER_INVPCID: return machine_invpcid(0, 0, task->va);
  case TIMER_FAULT: return faulted(task);
  default: return machine_cost(COST_NOTHING, cpl, 0, 0);
  }
}

static uint32_t overhead_of(const struct timer_task *task)
{
  uint64_t least = UINT32_MAX;
  for (unsigned i = 0; i < OVERHEAD_SAMPLES; i++) {
    uint64_t start = machine_ticks();
    uint64_t ticks = task->step == TIMER_FAULT ? machine_ticks() - start : step(task, TIMER_NOTHING, task->cpl).ticks;
    least = ticks < least ? ticks : least;
  }
  return (uint32_t)least;
}

static struct machine_result sample(const struct timer_task *task)
{
  for (unsigned i = 0; i < 2; i++)
    if (task->before[i] != TIMER_NOTHING)
      step(task, (enum timer_step)task->before[i], 0);
  return step(task, (enum timer_step)task->step, task->cpl);
}

void timer_take(const struct timer_task *task, unsigned count, struct timer_taken *taken)
{
  unsigned done = 0;
  memset(taken, 0, sizeof *taken);
  taken->overhead = overhead_of(task);
  count = count < TIMER_SAMPLES_MAX ? count : TIMER_SAMPLES_MAX;
  for (unsigned i = 0; i < count + WARM_UP && !console_interrupted(); i++) {
    struct machine_result result = sample(task);
    if (result.fault.raised) {
      taken->fault = result.fault;
      return;
    }
    if (!result.timed)
      return;
    uint64_t ticks = result.ticks > taken->overhead ? result.ticks - taken->overhead : 0;
    if (i >= WARM_UP)
      samples[done++] = ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
  }
  taken->clock = true;
  taken->figures = figures_of(samples, done);
  taken->sorted = samples;
}

bool timer_run(const struct timer_task *task, unsigned count)
{
  for (unsigned i = 0; i < count && !console_interrupted(); i++)
    if (sample(task).fault.raised)
      return false;
  return true;
}
