/* The smallest Multiboot kernel that says something: one byte on COM1. What a boot path costs without us.
 *
 * Afterwards it is what a serial line itself carries: it sends every byte back that it gets, and for an 'S' 256 KiB of dots, 16 at a time as
 * a 16550 takes them. */

#define READY 0x06
#define STREAM 0x40000
#define RBR 0x3f8
#define LSR 0x3fd
#define LSR_READY 0x01
#define LSR_THRE 0x20

.code32
.text
.align 8
multiboot2:
  .long 0xe85250d6, 0, multiboot2_end - multiboot2, -(0xe85250d6 + (multiboot2_end - multiboot2))
  .short 0, 0 /* no more tags */
  .long 8
multiboot2_end:
.align 4
  .long 0x1badb002, 0, -0x1badb002 /* Multiboot 1, for qemu -kernel */

.global start
start:
  mov $RBR + 3, %edx /* LCR: 8N1 */
  mov $3, %al
  out %al, %dx
  mov $RBR + 2, %edx /* FCR: FIFO on and empty */
  mov $7, %al
  out %al, %dx
  mov $READY, %al
  mov $RBR, %edx
  out %al, %dx

wait:
  mov $LSR, %edx
  in %dx, %al
  test $LSR_READY, %al
  jz wait
  mov $RBR, %edx
  in %dx, %al
  cmp $'S', %al
  je stream
  out %al, %dx
  jmp wait

stream:
  mov $STREAM / 16, %ebx
burst:
  mov $LSR, %edx
  in %dx, %al
  test $LSR_THRE, %al
  jz burst
  mov $RBR, %edx
  mov $'.', %al
  mov $16, %ecx
byte:
  out %al, %dx
  loop byte
  dec %ebx
  jnz burst
  jmp wait
