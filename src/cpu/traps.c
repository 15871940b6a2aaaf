#include "cpu/traps.h"

#include "cpu/cpu.h"
#include "cpu/segments.h"
#include "cpu/traps_width.h"

#include <string.h>

/* One traps_try() in progress. `sp` comes first: the assembly knows it by that. */
struct traps_recovery {
  uintptr_t sp;
  struct traps_recovery *outer;
  struct traps_outcome outcome;
};

void traps_try_run(struct traps_recovery *recovery, void (*fn)(void *), void *argument);
void traps_unwind(struct traps_recovery *recovery) __attribute__((noreturn));

static struct traps_recovery *volatile innermost;
static uint64_t gdt[GDT_SLOTS] __attribute__((aligned(16)));
static uint8_t ring0_stack[TRAPS_STACK] __attribute__((aligned(16)));
static struct traps_handlers handlers;
static volatile bool nmi_expected;
static bool (*volatile step_over)(struct traps_frame *frame);

void traps_init(const struct traps_handlers *use)
{
  handlers = *use;
  gdt[SELECTOR_DATA / 8] = descriptor(0, 0xfffff, DESCRIPTOR_FLAT | DESCRIPTOR_DATA | DESCRIPTOR_32);
  gdt[SELECTOR_USER_DATA / 8] = descriptor(0, 0xfffff, DESCRIPTOR_FLAT | DESCRIPTOR_DATA | DESCRIPTOR_32 | DESCRIPTOR_DPL3);
  traps_not_present_segment(0);
  traps_scratch_segment(0, 0xffffffff, false);
  traps_tables_init(gdt, (uintptr_t)ring0_stack + TRAPS_STACK);
}

void traps_scratch_segment(uint32_t base, uint32_t limit, bool expand_down)
{
  uint64_t attributes = DESCRIPTOR_PRESENT | DESCRIPTOR_SEGMENT | DESCRIPTOR_DATA | DESCRIPTOR_32 | DESCRIPTOR_DPL3;
  if (expand_down)
    attributes |= DESCRIPTOR_EXPAND_DOWN;
  if (limit > 0xfffff) { /* the descriptor's limit has 20 bits: count pages instead */
    limit >>= PAGE_SHIFT;
    attributes |= DESCRIPTOR_GRANULAR;
  }
  gdt[SELECTOR_SCRATCH / 8] = descriptor(base, limit, attributes);
}

void traps_expect_nmi(bool expected)
{
  nmi_expected = expected;
}

void traps_not_present_segment(unsigned dpl)
{
  uint64_t attributes = (DESCRIPTOR_FLAT | DESCRIPTOR_DATA | DESCRIPTOR_32) & ~DESCRIPTOR_PRESENT;
  gdt[SELECTOR_NOT_PRESENT / 8] = descriptor(0, 0xfffff, dpl == 3 ? attributes | DESCRIPTOR_DPL3 : attributes);
}

void traps_step_set(bool (*step)(struct traps_frame *frame))
{
  step_over = step;
}

struct traps_outcome traps_try(void (*fn)(void *argument), void *argument)
{
  struct traps_recovery recovery = {.outer = innermost};
  innermost = &recovery;
  traps_try_run(&recovery, fn, argument);
  innermost = recovery.outer;
  return recovery.outcome;
}

void traps_raise(const struct machine_fault *fault, uintptr_t ax, uintptr_t cx)
{
  while (innermost == NULL) { /* a double fault at the prompt: it cannot be passed over, so this does not return */
    handlers.on_exception(fault);
    cpu_halt();
  }
  innermost->outcome = (struct traps_outcome){.fault = *fault, .ax = ax, .cx = cx};
  traps_unwind(innermost);
}

void traps_dispatch(struct traps_frame *frame)
{
  if (step_over && frame->vector < 32 && step_over(frame))
    return;
  if (frame->vector >= 32) {
    handlers.on_interrupt((unsigned)frame->vector - 32);
    return;
  }
  uint8_t vector = (uint8_t)frame->vector;
  const uint32_t with_error =
    1u << VECTOR_DF | 1u << VECTOR_TS | 1u << VECTOR_NP | 1u << VECTOR_SS | 1u << VECTOR_GP | 1u << VECTOR_PF | 1u << VECTOR_AC;
  struct machine_fault fault = {.raised = true,
                                .has_error = (with_error >> vector & 1u) != 0,
                                .vector = vector,
                                .cpl = (uint8_t)traps_frame_cpl(frame),
                                .error = (uint32_t)frame->error,
                                .ip = frame->ip};
  if (vector == VECTOR_PF)
    fault.cr2 = cpu_read_cr2();
  bool from_outside = vector == VECTOR_NMI && !nmi_expected;
  if (innermost == NULL || from_outside) {
    handlers.on_exception(&fault);
    return;
  }
  traps_raise(&fault, frame->ax, frame->cx);
}
