/* machine/lessons.h, for programs on the host. */
  .section .rodata
  .global machine_lessons
machine_lessons:
  .incbin "lessons.bin"
  .section .note.GNU-stack, "", @progbits
