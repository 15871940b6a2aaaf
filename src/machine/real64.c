#include "cpu/cpu.h"
#include "machine/real.h"

#include "machine/machine.h"

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

void real_enter(uint32_t mode)
{
  cpu_interrupts_off();
  cpu_write_cr4(cpu_read_cr4() & ~(uintptr_t)CR4_PCIDE); /* else CR0.PG could not be cleared */
  __asm__ volatile("jmp *%1" : : "D"(mode), "r"((uintptr_t)real_boot_info()->switch64));
  __builtin_unreachable();
}
