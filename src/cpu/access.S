/* The access routines (access.h). Each takes the address in BX and a value in CX, and leaves the value in CX and, in the timed ones,
 * the ticks in AX. The stopping ones have Bochs's magic breakpoint right before the instruction itself, so that one step in the debugger
 * does it; XCHG of BX with itself does nothing elsewhere. The same text makes the ring-0 routines (cpu_read1, cpu_timed_read1, ...; they end in RET) and the ring-3
 * routines (user_read1, ...; they end in UD2, the one way out of ring 3 that works on every platform). Those are copied to
 * the user page, so they must not care where they are. */
#include "cpu/width.h"

/* LFENCE, where the CPU has it: access_init() writes it over these three bytes, which do nothing. Without it a CPU that runs ahead reads
 * the clock before what is measured is over (SDM, RDTSC). */
.macro fence
  .pushsection .rodata.fences, "a"
  .balign WORD_BYTES
  WORD 9f
  .popsection
9:
  .byte 0x8d, 0x76, 0x00 /* lea 0(%esi), %esi; in 64-bit code it would clear the upper half of RSI, which holds no more than ESI */
.endm

.macro load_cr3
  mov CX, %cr3
.endm

.macro toggle_pge
  mov BX, %cr4
  mov CX, %cr4
.endm

.macro chase
  .balign 16, 0x90 /* the ring-3 routines are no code section, where NOPs would come by themselves */
1:
  mov (BX), BX
  dec CX
  jnz 1b
.endm

.macro routine prefix, end, name, body:vararg
  .global \prefix\()_\name
\prefix\()_\name:
  \body
  \end
  .global \prefix\()_timed_\name
\prefix\()_timed_\name:
  fence
  rdtsc
  mov %eax, %esi
  fence
  \body
  fence
  rdtsc
  sub %esi, %eax
  \end
  .global \prefix\()_stop_\name
\prefix\()_stop_\name:
  xchg %bx, %bx
  \body
  \end
.endm

/* What is called may be anything a student wrote, so it gets empty registers. */
.macro call_routine prefix, end
  .global \prefix\()_exec
\prefix\()_exec:
  xor %eax, %eax
  xor %ecx, %ecx
  xor %edx, %edx
  xor %esi, %esi
  xor %edi, %edi
  call *BX
  mov %eax, %ecx
  \end
  .global \prefix\()_timed_exec
\prefix\()_timed_exec:
  xor %ecx, %ecx
  xor %edi, %edi
  fence
  rdtsc
  push AX
  fence
  xor %eax, %eax
  xor %edx, %edx
  xor %esi, %esi
  call *BX
  mov %eax, %ecx
  fence
  rdtsc
  pop SI
  sub %esi, %eax
  \end
  .global \prefix\()_stop_exec
\prefix\()_stop_exec:
  xor %eax, %eax
  xor %ecx, %ecx
  xor %edx, %edx
  xor %esi, %esi
  xor %edi, %edi
  xchg %bx, %bx
  call *BX
  mov %eax, %ecx
  \end
.endm

/* A sweep takes the address in BX, how far it is to the next in SI, and how many there are in DI. A fault at its body, or of a fetch that
 * the call there asks for, goes on at its next (access.c), which must not care what is on the stack. */
.macro sweep prefix, end, name, body:vararg
  .global \prefix\()_sweep_\name, \prefix\()_sweep_body_\name, \prefix\()_sweep_next_\name
\prefix\()_sweep_\name:
  mov SP, BP
\prefix\()_sweep_body_\name:
  \body
\prefix\()_sweep_next_\name:
  mov BP, SP
  add SI, BX
  dec DI
  jnz \prefix\()_sweep_body_\name
  \end
.endm

.macro routines prefix, end
  routine \prefix, \end, read1, movzbl (BX), %ecx
  routine \prefix, \end, read2, movzwl (BX), %ecx
  routine \prefix, \end, read4, movl (BX), %ecx
  routine \prefix, \end, read8, mov (BX), CX
  routine \prefix, \end, write1, movb %cl, (BX)
  routine \prefix, \end, write2, movw %cx, (BX)
  routine \prefix, \end, write4, movl %ecx, (BX)
  routine \prefix, \end, write8, mov CX, (BX)
  call_routine \prefix, \end
  routine \prefix, \end, invlpg, invlpg (BX)
  routine \prefix, \end, invlpg_fs, invlpg %fs:(BX)
  routine \prefix, \end, invpcid, invpcid (BX), CX
  routine \prefix, \end, nothing
  routine \prefix, \end, cr3, load_cr3
  routine \prefix, \end, pge, toggle_pge
  routine \prefix, \end, chase, chase
  sweep \prefix, \end, read, movl (BX), %ecx
  sweep \prefix, \end, write, movl %ecx, (BX)
  sweep \prefix, \end, exec, call *BX
.endm

.macro addresses prefix, infix
  .irp name, read1, read2, read4, read8, write1, write2, write4, write8, exec, invlpg, invlpg_fs, invpcid, nothing, cr3, pge, chase
  WORD \prefix\()_\infix\()\name
  .endr
.endm

.macro sweeps prefix
  .irp name, read, write, exec
  WORD \prefix\()_sweep_\name, \prefix\()_sweep_body_\name, \prefix\()_sweep_next_\name
  .endr
.endm

  .text
  routines cpu, ret

  .section .rodata
  .balign 16
  .global user_begin, user_end
user_begin:
  routines user, ud2
user_end:

/* access_entries[ring 3][plain, timed, stopping][kind] */
  .balign 8
  .global access_entries
access_entries:
  addresses cpu
  addresses cpu, timed_
  addresses cpu, stop_
  addresses user
  addresses user, timed_
  addresses user, stop_

/* access_sweeps[ring 3][op] = {entry, body, next} */
  .global access_sweeps
access_sweeps:
  sweeps cpu
  sweeps user

  .section .note.GNU-stack, "", @progbits
