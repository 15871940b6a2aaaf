/* The 64-bit kernel's entry and trap stubs. */
#include "cpu/segments.h"

  .section .entry, "ax"
  .global kernel_entry
kernel_entry:
  mov $SELECTOR_DATA, %eax /* the boot GDT has its data segment at the same place */
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  xor %eax, %eax
  mov %eax, %fs
  mov %eax, %gs
  mov $kernel_bss, %edi
  mov $kernel_bss_end, %ecx
  sub %edi, %ecx
  shr $3, %ecx
  rep stosq
  mov $kernel_stack_top, %esp
  call kernel_main
1:
  hlt
  jmp 1b

  .text
/* void traps_try_run(struct traps_recovery *rdi, void (*rsi)(void *), void *rdx) */
  .global traps_try_run
traps_try_run:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  pushfq
  mov %rsp, (%rdi)
  mov %rdx, %rdi
  call *%rsi
landing:
  popfq
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret

/* void traps_unwind(struct traps_recovery *rdi): back to where traps_try_run() was called. By IRET, which also unblocks NMIs. */
  .global traps_unwind
traps_unwind:
  mov (%rdi), %rax
  mov $SELECTOR_DATA, %ecx
  mov %ecx, %ds
  mov %ecx, %es
  push $SELECTOR_DATA
  push %rax
  pushfq
  andl $~0x40700, (%rsp) /* AC (bit 18), DF (10), IF (9), TF (8) */
  push $SELECTOR_CODE
  push $landing
  iretq

/* void traps_enter_user(ip, sp, const struct traps_frame *) */
  .global traps_enter_user
traps_enter_user:
  mov %rdi, %r8
  mov %rsi, %r9
  mov %rdx, %r10
  push $SELECTOR_USER_DATA
  push %r9
  push $0x2
  push $SELECTOR_USER_CODE
  push %r8
  mov 64(%r10), %rdi
  mov 72(%r10), %rsi
  mov 96(%r10), %rbx
  mov 104(%r10), %rdx
  mov 112(%r10), %rcx
  mov 120(%r10), %rax
  xor %ebp, %ebp
  xor %r8d, %r8d
  xor %r9d, %r9d
  xor %r10d, %r10d
  iretq

/* void access_call(uintptr_t entry, uintptr_t registers[3] = {bx, cx, ax}): calls a ring-0 routine of access.S. */
  .global access_call
access_call:
  push %rbx
  push %rsi
  mov %rdi, %rax
  mov 0(%rsi), %rbx
  mov 8(%rsi), %rcx
  call *%rax
  pop %rsi
  mov %rcx, 8(%rsi)
  mov %rax, 16(%rsi)
  pop %rbx
  ret

/* void access_call_sweep(uintptr_t entry, const uintptr_t registers[3] = {bx, si, di}): calls a ring-0 sweep of access.S. */
  .global access_call_sweep
access_call_sweep:
  push %rbx
  push %rbp
  mov %rdi, %rax
  mov 0(%rsi), %rbx
  mov 16(%rsi), %rdi
  mov 8(%rsi), %rsi
  call *%rax
  pop %rbp
  pop %rbx
  ret

/* Every trap stub (traps_stubs.S) comes here, with the vector and an error code on the stack. */
  .global traps_common
traps_common:
  cld
  push %rax
  push %rcx
  push %rdx
  push %rbx
  push %rsp
  push %rbp
  push %rsi
  push %rdi
  push %r8
  push %r9
  push %r10
  push %r11
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, %rdi
  mov %rsp, %rbx
  and $-16, %rsp
  call traps_dispatch
  mov %rbx, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rdi
  pop %rsi
  pop %rbp
  add $8, %rsp
  pop %rbx
  pop %rdx
  pop %rcx
  pop %rax
  add $16, %rsp
  iretq

  .bss
  .balign 16
  .skip 16384
kernel_stack_top:

  .section .note.GNU-stack, "", @progbits
