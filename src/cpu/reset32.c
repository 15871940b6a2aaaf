#include "boot/boot_info.h"
#include "cpu/reset.h"
#include "machine/layout.h"

void *reset_boot_info(void)
{
  return (void *)LAYOUT_CARRY;
}

void reset_to_mode(uint32_t mode)
{
  const struct boot_info *info = reset_boot_info();
  __asm__ volatile("cli; jmp *%1" : : "a"(mode), "r"(info->switch32));
  __builtin_unreachable();
}
