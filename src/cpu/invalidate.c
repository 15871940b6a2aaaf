#include "cpu/invalidate.h"

#include "cpu/cpu.h"
#include "machine/machine.h"

#define NAMED __attribute__((noinline, noclone))

static bool stop_armed;

void cpu_stop_arm(bool on)
{
  stop_armed = on;
}

bool cpu_stop_take(void)
{
  bool taken = stop_armed;
  stop_armed = false;
  return taken;
}

NAMED void cpu_load_cr3(uintptr_t value)
{
  if (cpu_stop_take())
    cpu_stop_write_cr3(value);
  else
    cpu_write_cr3(value);
}

NAMED void cpu_load_cr4(uintptr_t value)
{
  if (cpu_stop_take())
    cpu_stop_write_cr4(value);
  else
    cpu_write_cr4(value);
}

NAMED void cpu_load_cr0(uintptr_t value)
{
  if (cpu_stop_take())
    cpu_stop_write_cr0(value);
  else
    cpu_write_cr0(value);
}

NAMED void cpu_toggle_pg(void)
{
  uintptr_t cr0 = cpu_read_cr0();
  if (cpu_stop_take())
    cpu_stop_write_cr0(cr0 & ~(uintptr_t)CR0_PG);
  else
    cpu_write_cr0(cr0 & ~(uintptr_t)CR0_PG);
  cpu_write_cr0(cr0);
}
