#include "cpu/invalidate.h"

#include "cpu/cpu.h"
#include "machine/machine.h"

#define NAMED __attribute__((noinline, noclone))

NAMED void cpu_load_cr3(uintptr_t value)
{
  cpu_write_cr3(value);
}

NAMED void cpu_load_cr4(uintptr_t value)
{
  cpu_write_cr4(value);
}

NAMED void cpu_load_cr0(uintptr_t value)
{
  cpu_write_cr0(value);
}

NAMED void cpu_toggle_pg(void)
{
  uintptr_t cr0 = cpu_read_cr0();
  cpu_write_cr0(cr0 & ~(uintptr_t)CR0_PG);
  cpu_write_cr0(cr0);
}
