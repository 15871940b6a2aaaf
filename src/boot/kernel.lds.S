/* One kernel. KERNEL_BASE and KERNEL_END come from the build. There is no .data: a kernel is entered anew at every mode switch, with
 * nothing but .bss to clear. Only one kernel runs at a time, so both have their .bss in the same place. */
ENTRY(kernel_entry)
machine_lessons = LAYOUT_LESSONS; /* machine/lessons.h */
SECTIONS
{
  . = KERNEL_BASE;
  .text : { KEEP(*(.entry)) *(.text*) }
  /* stb_sprintf's digit tables lack a const, but nothing writes to them. */
  .rodata : {
    . = ALIGN(8);
    access_fences = .;
    *(.rodata.fences)
    access_fences_end = .;
    *(.rodata*) *lib/format.c.o(.data*)
  }
  .data : { *(.data*) }
  .got : { *(.got*) }
  ASSERT(. <= KERNEL_END, "the kernel does not fit")
  . = LAYOUT_VARIABLES;
  kernel_bss = .;
  .bss : { *(.bss*) *(COMMON) }
  . = ALIGN(16);
  kernel_bss_end = .;
  ASSERT(. <= LAYOUT_VARIABLES_END, "the kernel's variables do not fit")
  ASSERT(SIZEOF(.data) == 0, "a kernel has no initialised data: it must start alike every time")
  /DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) }
}
