/* Multiboot headers, the entry from the boot loader, and the trampoline that both kernels use to change modes.
 *
 * Everything here runs in 32-bit protected mode without paging, at the address where it is linked; the trampoline's two
 * ways in start under paging, where this memory is identity-mapped. */
#include "boot/multiboot.h"
#include "machine/layout.h"

#define CS32 0x08
#define DS32 0x10
#define CS64 0x18

#define CR0_NORMAL 0x31 /* PE, ET, NE: no paging, caches on, WP off, FPU neither emulated nor trapped */
#define CR0_PG 0x80000000
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

#define MULTIBOOT2_LENGTH (multiboot2_end - multiboot2)

.macro load_data_segments
  mov $DS32, %ecx
  mov %ecx, %ds
  mov %ecx, %es
  mov %ecx, %fs
  mov %ecx, %gs
  mov %ecx, %ss
.endm

  .section .multiboot, "a"
  .balign 8
multiboot1:
  .long MULTIBOOT1_HEADER_MAGIC, MULTIBOOT1_MEMORY_INFO, -(MULTIBOOT1_HEADER_MAGIC + MULTIBOOT1_MEMORY_INFO)
  .balign 8
multiboot2:
  .long MULTIBOOT2_HEADER_MAGIC, 0, MULTIBOOT2_LENGTH
  .long 0x100000000 - (MULTIBOOT2_HEADER_MAGIC + MULTIBOOT2_LENGTH)
  .short 0, 0
  .long 8
multiboot2_end:

  .section .rodata
  .balign 8
gdt:
  .quad 0
  .quad 0x00cf9b000000ffff /* CS32 */
  .quad 0x00cf93000000ffff /* DS32 */
  .quad 0x00af9b000000ffff /* CS64 */
gdt_end:
  .global boot_gdt_pointer
boot_gdt_pointer:
  .short gdt_end - gdt - 1
  .long gdt, 0

  .text
  .code32
  .global boot_start
boot_start:
  cli
  cld
  lgdt boot_gdt_pointer
  ljmp $CS32, $1f
1:
  load_data_segments
  mov $CR0_NORMAL, %ecx
  mov %ecx, %cr0
  mov $boot_stack_top, %esp
  push %ebx
  push %eax
  call boot_main /* does not return */

/* From the 32-bit kernel: the wanted mode in EAX. */
  .global boot_switch32
boot_switch32:
  cli
  lgdt boot_gdt_pointer
  mov %eax, %ebx
  ljmp $CS32, $unpaged

/* From the 64-bit kernel: the wanted mode in EDI. CR4.PCIDE must be 0 before CR0.PG can be (SDM, MOV to Control Registers), so the
 * caller clears it. */
  .code64
  .global boot_switch64
boot_switch64:
  cli
  mov $boot_gdt_pointer, %eax
  lgdt (%rax)
  mov %edi, %ebx
  pushq $CS32
  mov $unpaged, %eax
  push %rax
  lretq

  .code32
unpaged:
  mov $CR0_NORMAL, %eax
  mov %eax, %cr0
  load_data_segments
  mov $boot_stack_top, %esp
  push %ebx
  call boot_enter /* does not return */

/* void boot_jump32(uint32_t cr0): into the 32-bit kernel. */
  .global boot_jump32
boot_jump32:
  mov 4(%esp), %eax
  mov %eax, %cr0
  mov $LAYOUT_KERNEL32, %eax
  jmp *%eax

/* void boot_jump64(uint32_t cr0): into the 64-bit kernel; EFER.LME, CR4 and CR3 are set. */
  .global boot_jump64
boot_jump64:
  mov 4(%esp), %eax
  mov %eax, %cr0
  ljmp $CS64, $1f
  .code64
1:
  mov $LAYOUT_KERNEL64, %eax
  jmp *%rax

  .bss
  .balign 16
boot_stack:
  .skip 4096
boot_stack_top:

  .section .note.GNU-stack, "", @progbits
