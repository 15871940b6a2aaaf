/* The boot image: an ELF32 file that Multiboot loaders take, holding the boot code, both kernels, and the lessons. */
#include "machine/layout.h"

OUTPUT_FORMAT("elf32-i386")
ENTRY(boot_start)
PHDRS
{
  boot PT_LOAD FLAGS(7);
  kernel32 PT_LOAD FLAGS(7);
  kernel64 PT_LOAD FLAGS(7);
  lessons PT_LOAD FLAGS(7);
}
SECTIONS
{
  . = LAYOUT_BOOT;
  .boot : { KEEP(*(.multiboot)) *(.text*) *(.rodata*) . = ALIGN(64); } :boot
  .data : { *(.data*) } :boot
  .bss : {
    *(.bss*) *(COMMON)
    ASSERT(. <= LAYOUT_USER_CODE, "the boot code is too large");
    . = LAYOUT_CARRY_END - LAYOUT_BOOT - SIZEOF(.boot); /* so that no loader puts its information where the carry is cleared */
  } :boot
  ASSERT(SIZEOF(.data) == 0, "boot code has no initialised data: it must start alike every time")
  . = LAYOUT_KERNEL32;
  .kernel32 : { *(.kernel32) } :kernel32
  ASSERT(. <= LAYOUT_KERNEL32_END, "the 32-bit kernel is too large")
  . = LAYOUT_KERNEL64;
  .kernel64 : { *(.kernel64) } :kernel64
  ASSERT(. <= LAYOUT_KERNEL64_END, "the 64-bit kernel is too large")
  . = LAYOUT_LESSONS;
  .lessons : { *(.lessons) } :lessons
  ASSERT(. <= LAYOUT_LESSONS_END, "the lessons are too long")
  /DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) }
}
