/* The two kernels, as flat images at the addresses where they run, and the lessons' text. */
  .section .kernel32, "a"
  .incbin "kernel32.bin"
  .section .kernel64, "a"
  .incbin "kernel64.bin"
  .section .lessons, "a"
  .incbin "lessons.bin"
  .section .note.GNU-stack, "", @progbits
