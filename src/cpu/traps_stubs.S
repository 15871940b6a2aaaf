/* A stub per vector, the same at both widths: it puts an error code of 0 where the CPU pushes none (SDM, Error Code), then the vector. */
#include "cpu/width.h"

#define VECTORS 48

.macro stub vector
  .balign 16
trap_\vector:
  .if (\vector == 8) || (\vector == 10) || (\vector == 11) || (\vector == 12) || (\vector == 13) || (\vector == 14) || (\vector == 17)
  .else
  push $0
  .endif
  push $\vector
  jmp traps_common
.endm

.macro address vector
  WORD trap_\vector
.endm

  .text
.altmacro
.set n, 0
.rept VECTORS
  stub %n
  .set n, n + 1
.endr

  .section .rodata
  .balign 8
  .global traps_stubs
traps_stubs:
.set n, 0
.rept VECTORS
  address %n
  .set n, n + 1
.endr

  .section .note.GNU-stack, "", @progbits
