#include "cpu/cpu.h"
#include "machine/real.h"

uint64_t real_load8(const void *at)
{
  return *(const volatile uint64_t *)at;
}

void real_store8(void *at, uint64_t value)
{
  *(volatile uint64_t *)at = value;
}

void real_set_fs_base(uint64_t base)
{
  cpu_write_msr(MSR_FS_BASE, base);
}
