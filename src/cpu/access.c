#include "cpu/access.h"

#include "cpu/cpu.h"
#include "cpu/traps.h"
#include "machine/layout.h"

#include <string.h>

extern const uintptr_t access_entries[2][2][ACCESS_KINDS];
extern const uint8_t user_begin[], user_end[];
void access_call(uintptr_t entry, uintptr_t registers[3]);

struct call {
  uintptr_t entry;
  uintptr_t registers[3]; /* bx, cx, ax */
};

static bool has_tsc;

void access_init(void)
{
  has_tsc = cpu_has(FEATURE_TSC);
  memcpy((void *)LAYOUT_USER_CODE, user_begin, (size_t)(user_end - user_begin));
}

static void call_ring0(void *argument)
{
  struct call *call = argument;
  access_call(call->entry, call->registers);
}

static void call_ring3(void *argument)
{
  const struct call *call = argument;
  const struct traps_frame registers = {.bx = call->registers[0], .cx = call->registers[1]};
  uintptr_t entry = LAYOUT_USER_CODE + (call->entry - (uintptr_t)user_begin);
  traps_enter_user(entry, LAYOUT_USER_STACK + PAGE_SIZE - 16, &registers);
}

/* A ring-3 routine ends in UD2 on purpose; any other exception, or one elsewhere, is the access's own. */
static bool came_home(const struct machine_fault *fault)
{
  return fault->cpl == 3 && fault->vector == VECTOR_UD && fault->ip - LAYOUT_USER_CODE < (uintptr_t)(user_end - user_begin);
}

struct machine_result access_perform(unsigned kind, unsigned cpl, uintptr_t address, uint64_t *value)
{
  struct machine_result result = {.timed = has_tsc};
  struct call call = {.entry = access_entries[cpl == 3][result.timed][kind], .registers = {address, (uintptr_t)*value, 0}};
  uintptr_t flags = cpu_read_flags();
  cpu_interrupts_off();
  struct traps_outcome outcome = traps_try(cpl == 3 ? call_ring3 : call_ring0, &call);
  cpu_write_flags(flags);
  if (cpl == 3 && came_home(&outcome.fault)) {
    outcome.fault = (struct machine_fault){0};
    call.registers[1] = outcome.cx;
    call.registers[2] = outcome.ax;
  }
  result.fault = outcome.fault;
  result.timed = result.timed && !result.fault.raised;
  result.ticks = (uint32_t)call.registers[2];
  *value = call.registers[1];
  return result;
}
