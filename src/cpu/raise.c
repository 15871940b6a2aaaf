#include "cpu/raise.h"

#include "cpu/cpu.h"
#include "cpu/traps.h"
#include "machine/layout.h"

#include <string.h>

#define RAISE_VECTORS 19
/* Behind the access routines in the user page. */
#define RAISE_USER_CODE (LAYOUT_USER_CODE + 0x800)

extern const uintptr_t raise_entries[RAISE_VECTORS];
extern const uint8_t raise_begin[], raise_end[];

struct raise {
  uintptr_t entry;
  unsigned cpl;
};

static void run(void *argument)
{
  const struct raise *raise = argument;
  if (raise->cpl == 0) {
    ((void (*)(void))raise->entry)();
    return;
  }
  const struct traps_frame registers = {0};
  traps_enter_user(RAISE_USER_CODE + (raise->entry - (uintptr_t)raise_begin), LAYOUT_USER_STACK + PAGE_SIZE - 16, &registers);
}

void raise_init(void)
{
  memcpy((void *)RAISE_USER_CODE, raise_begin, (size_t)(raise_end - raise_begin));
}

struct machine_fault raise_vector(unsigned vector, unsigned cpl)
{
  struct raise raise = {.entry = vector < RAISE_VECTORS ? raise_entries[vector] : 0, .cpl = cpl};
  if (raise.entry == 0)
    return (struct machine_fault){0};
  traps_not_present_segment(cpl);
  uintptr_t flags = cpu_read_flags();
  cpu_interrupts_off();
  traps_expect_nmi(vector == VECTOR_NMI);
  struct traps_outcome outcome = traps_try(run, &raise);
  traps_expect_nmi(false);
  cpu_write_flags(flags);
  cpu_load_fs(0);
  return outcome.fault;
}
