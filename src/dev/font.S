/* The font of the framebuffer's characters, which tools/font makes of Debian's. */
  .section .rodata
  .global font
font:
  .incbin "font.bin"
  .section .note.GNU-stack, "", @progbits
