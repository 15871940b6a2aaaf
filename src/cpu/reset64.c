#include "boot/boot_info.h"
#include "cpu/cpu.h"
#include "cpu/reset.h"
#include "machine/layout.h"
#include "machine/machine.h"

void *reset_boot_info(void)
{
  return (void *)LAYOUT_CARRY;
}

void reset_to_mode(uint32_t mode)
{
  const struct boot_info *info = reset_boot_info();
  cpu_interrupts_off();
  cpu_write_cr4(cpu_read_cr4() & ~(uintptr_t)CR4_PCIDE); /* else CR0.PG could not be cleared */
  __asm__ volatile("jmp *%1" : : "D"(mode), "r"((uintptr_t)info->switch64));
  __builtin_unreachable();
}
