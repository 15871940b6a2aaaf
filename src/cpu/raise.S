/* One short routine per vector, position-independent, run at ring 0 in place or at ring 3 from the user page (raise.c). */
#include "cpu/segments.h"
#include "cpu/width.h"

  .section .rodata
  .balign 16
  .global raise_begin, raise_end
raise_begin:
raise_de:
  xor %eax, %eax
  xor %edx, %edx
  xor %ecx, %ecx
  div %ecx
  ud2
raise_db: /* single-step: the trap comes behind the instruction after POPF */
  pushf
  orl $0x100, (SP)
  popf
  nop
  ud2
raise_nmi: /* the vector, by software: a real NMI comes from outside */
  int $2
  ud2
raise_bp:
  int3
  ud2
raise_of:
  int $4
  ud2
raise_ud:
  ud2
raise_df: /* no stack to push the first exception's frame on: a double fault */
  mov $16, %esp /* page 0 is never mapped */
  int3
  ud2
raise_np:
  mov %cs, %eax
  and $3, %eax
  or $(SELECTOR_NOT_PRESENT & ~3), %eax
  mov %eax, %fs
  ud2
raise_ss: /* DPL, RPL and CPL are alike, or it would be #GP */
  mov %cs, %eax
  and $3, %eax
  or $(SELECTOR_NOT_PRESENT & ~3), %eax
  mov %eax, %ss
  ud2
raise_gp: /* a selector past the end of the GDT */
  mov $0x1000, %eax
  mov %eax, %fs
  ud2
raise_pf: /* page 0 is never mapped */
  xor %eax, %eax
  mov (AX), %eax
  ud2
raise_mc: /* the vector, by software: a real machine check comes from the hardware */
  int $18
  ud2
raise_end:

  .balign 8
  .global raise_entries
raise_entries:
  WORD raise_de, raise_db, raise_nmi, raise_bp, raise_of, 0, raise_ud, 0, raise_df, 0, 0, raise_np, raise_ss, raise_gp, raise_pf, 0, 0, 0, raise_mc

  .section .note.GNU-stack, "", @progbits
