/* One assembly source for both kernels: register and operand names of the width that is built. */
#ifndef CPU_WIDTH_H
#define CPU_WIDTH_H

// clang-format off
#ifdef __x86_64__
#define AX %rax
#define BX %rbx
#define CX %rcx
#define DX %rdx
#define SI %rsi
#define DI %rdi
#define SP %rsp
#define BP %rbp
#define WORD .quad
#define WORD_BYTES 8
#else
#define AX %eax
#define BX %ebx
#define CX %ecx
#define DX %edx
#define SI %esi
#define DI %edi
#define SP %esp
#define BP %ebp
#define WORD .long
#define WORD_BYTES 4
#endif
// clang-format on

#endif
