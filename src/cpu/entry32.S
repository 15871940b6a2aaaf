/* The 32-bit kernel's entry and trap stubs. */
#include "cpu/segments.h"

  .section .entry, "ax"
  .global kernel_entry
kernel_entry:
  mov $kernel_bss, %edi
  mov $kernel_bss_end, %ecx
  sub %edi, %ecx
  shr $2, %ecx
  xor %eax, %eax
  rep stosl
  mov $kernel_stack_top, %esp
  call kernel_main
1:
  hlt
  jmp 1b

  .text
/* void traps_try_run(struct traps_recovery *, void (*)(void *), void *) */
  .global traps_try_run
traps_try_run:
  mov 4(%esp), %eax
  mov 8(%esp), %ecx
  mov 12(%esp), %edx
  push %ebx
  push %ebp
  push %esi
  push %edi
  pushfl
  mov %esp, (%eax)
  push %edx
  call *%ecx
  add $4, %esp
landing:
  popfl
  pop %edi
  pop %esi
  pop %ebp
  pop %ebx
  ret

/* void traps_unwind(struct traps_recovery *): back to where traps_try_run() was called. By IRET, which also unblocks NMIs. */
  .global traps_unwind
traps_unwind:
  mov 4(%esp), %eax
  mov $SELECTOR_DATA, %ecx
  mov %ecx, %ds
  mov %ecx, %es
  mov %ecx, %ss
  mov (%eax), %esp
  pushfl
  andl $~0x44700, (%esp) /* AC (bit 18), NT (14), DF (10), IF (9), TF (8) */
  push $SELECTOR_CODE
  push $landing
  iret

/* void traps_enter_user(ip, sp, const struct traps_frame *) */
  .global traps_enter_user
traps_enter_user:
  mov 4(%esp), %eax
  mov 8(%esp), %ecx
  mov 12(%esp), %ebp
  mov $SELECTOR_USER_DATA, %edx
  mov %edx, %ds
  mov %edx, %es
  push $SELECTOR_USER_DATA
  push %ecx
  push $0x2
  push $SELECTOR_USER_CODE
  push %eax
  mov 0(%ebp), %edi
  mov 4(%ebp), %esi
  mov 16(%ebp), %ebx
  mov 20(%ebp), %edx
  mov 24(%ebp), %ecx
  mov 28(%ebp), %eax
  xor %ebp, %ebp
  iret

/* void access_call(uintptr_t entry, uintptr_t registers[3] = {bx, cx, ax}): calls a ring-0 routine of access.S. */
  .global access_call
access_call:
  push %ebx
  push %esi
  push %edi
  mov 16(%esp), %eax
  mov 20(%esp), %edi
  push %edi
  mov 0(%edi), %ebx
  mov 4(%edi), %ecx
  call *%eax
  pop %edi
  mov %ecx, 4(%edi)
  mov %eax, 8(%edi)
  pop %edi
  pop %esi
  pop %ebx
  ret

/* void access_call_sweep(uintptr_t entry, const uintptr_t registers[3] = {bx, si, di}): calls a ring-0 sweep of access.S. */
  .global access_call_sweep
access_call_sweep:
  push %ebx
  push %ebp
  push %esi
  push %edi
  mov 20(%esp), %eax
  mov 24(%esp), %edx
  mov 0(%edx), %ebx
  mov 4(%edx), %esi
  mov 8(%edx), %edi
  call *%eax
  pop %edi
  pop %esi
  pop %ebp
  pop %ebx
  ret

/* Every trap stub (traps_stubs.S) comes here, with the vector and an error code on the stack. */
  .global traps_common
traps_common:
  cld
  pusha
  push %esp
  call traps_dispatch
  add $4, %esp
  popa
  add $8, %esp
  iret

/* void traps_task_jump(struct tss *to, const struct far_pointer *target): the far JMP to a TSS. The task that it enters is told to go on right
 * behind it, on this stack, where it finds the registers that C wants kept. */
#define TSS_EIP 32
#define TSS_ESP 56
  .global traps_task_jump
traps_task_jump:
  mov 4(%esp), %eax
  mov 8(%esp), %edx
  push %ebx
  push %ebp
  push %esi
  push %edi
  mov %esp, TSS_ESP(%eax)
  movl $task_landing, TSS_EIP(%eax)
  ljmp *(%edx)
task_landing:
  pop %edi
  pop %esi
  pop %ebp
  pop %ebx
  ret

/* The double-fault task starts here, on its own stack, with the error code on it. */
  .global traps_double_fault_task
traps_double_fault_task:
  call traps_double_fault
1:
  hlt
  jmp 1b

  .bss
  .balign 16
  .skip 16384
kernel_stack_top:

  .section .note.GNU-stack, "", @progbits
